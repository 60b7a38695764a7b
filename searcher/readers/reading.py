"""A file to its documents: its reader by its suffix, what it is made of in its turn, and what could not be read."""

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, BinaryIO

from searcher.errors import SearcherError, UnreadableFile
from searcher.readers.apart import Apart, in_child
from searcher.readers.databases import COMPANIONS, is_database, read_database
from searcher.readers.disguised import suffix_of_content
from searcher.readers.faqs import FAQ_READERS
from searcher.readers.pictures import without_pictures
from searcher.readers.plain import read_plain
from searcher.readers.raw import DEFAULTS, Item, Part, Raw, Reader, ReadOptions, Unsupported, reader_failed
from searcher.readers.table import READERS, UNSUPPORTED, plugins
from searcher.records import Document, Failure, Note
from searcher.system import absolute

__all__ = ["belonging", "read", "read_text", "run", "uploadable"]

DEEPEST = 8  # files within files within files
MOST_NAMED = 5


def read(path: Path, options: ReadOptions = DEFAULTS) -> Iterator[Item]:
    """The documents of a file, one after the other; a bad row of a table is a Failure between them.

    Raises:
        Unsupported: a kind of file that no reader takes.
        UnreadableFile: a file that should have been read and cannot be.
    """
    source = absolute(path)
    suffix = path.suffix.lower()
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(source, "not a regular file")
        with path.open("rb") as stream:
            suffix = _by_content(stream, suffix)
            if suffix in UNSUPPORTED and suffix not in plugins():
                raise Unsupported(
                    source, f"{UNSUPPORTED[suffix]} files ({suffix}) are not read; save it as {suffix[:4]}x"
                )
            yield from _items(Raw(source, stream, status.st_size, options.encoding), suffix, options)
    except OSError as error:
        raise UnreadableFile(source, (error.strerror or str(error)).lower()) from error


def _by_content(stream: BinaryIO, suffix: str) -> str:
    """The suffix by which a file is read: another one where it only is called one of an older kind of Office."""
    is_read = suffix not in UNSUPPORTED or suffix in plugins()
    return suffix if is_read else suffix_of_content(stream, suffix) or suffix


def belonging(path: Path) -> list[Path]:
    """The files that are read when that one is: a database's, where a program that has it open writes first."""
    beside = f"{path}{COMPANIONS[0]}"
    return [path, Path(beside)] if os.path.isfile(beside) else [path]  # noqa: PTH113 - quick: every file is asked


def read_text(
    data: bytes, label: str, options: ReadOptions = DEFAULTS, suffix: str = ".txt", apart: bool = False
) -> Iterator[Item]:
    """The same for bytes that have no file, such as stdin's; `label` is their source, `suffix` chooses the reader.

    apart: whichever it is, it runs in the process that reads strangers' files; Unsupported for a kind that cannot.
    """
    raw = Raw(label, io.BytesIO(data), len(data), options.encoding)
    return _apart(raw, suffix.lower(), options) if apart else _items(raw, suffix.lower(), options)


def uploadable() -> list[str]:
    """The suffixes of files that can be read apart: all but databases, which SQLite reads from a file on the disk, and
    what is read only where that is asked for.
    """
    asked = {suffix for suffix, own in READERS.items() if isinstance(own, Apart) and own.asked}
    databases = {suffix for suffix, own in READERS.items() if own is read_database}
    return sorted({*READERS, *plugins()} - asked - databases)


def _apart(raw: Raw, suffix: str, options: ReadOptions) -> Iterator[Item]:
    if suffix not in uploadable():
        raise Unsupported(raw.source, f"{suffix or 'such'} files are not read in a process of their own")
    readers: dict[str, Reader] = {**READERS, **plugins()}
    reader = readers[suffix]
    if isinstance(reader, Apart) and reader.missing() and reader.otherwise:
        reader = reader.otherwise
    if not isinstance(reader, FunctionType):  # which runs there of its own accord
        yield from run(reader, raw, options)
        return
    items: Iterator[Any] = in_child(f"{reader.__module__}:{reader.__qualname__}", raw, options)
    yield from items


def _items(raw: Raw, suffix: str, options: ReadOptions, depth: int = 0) -> Iterator[Item]:
    if options.faq and suffix not in FAQ_READERS:
        raise UnreadableFile(raw.source, f"no FAQ file; these are: {', '.join(FAQ_READERS)}")
    readers: dict[str, Reader] = {**READERS, **plugins()}
    other = read_database if suffix not in readers and is_database(raw) else read_plain
    reader = FAQ_READERS[suffix] if options.faq else readers.get(suffix, other)
    try:
        yield from run(reader, raw, options, depth)
    except Unsupported as error:
        if suffix not in readers or depth or isinstance(reader, Apart):
            raise
        # It calls itself text and is not: that is a fault, not a kind of file to pass over.
        raise UnreadableFile(error.source, error.reason) from None
    except (SearcherError, OSError, MemoryError):
        raise
    except Exception as fault:  # a fault of ours, for which no other file is left out
        raise UnreadableFile(raw.source, reader_failed(fault)) from fault


def run(reader: Reader, raw: Raw, options: ReadOptions, depth: int = 0) -> Iterator[Item]:
    """What a reader gives, and what the files within the file do; those that nobody reads are told together."""
    unread: dict[str, list[str]] = {}
    for item in reader(raw, options):
        if isinstance(item, Document):
            item, note = without_pictures(item)
            yield item
            if note:
                yield note
        elif not isinstance(item, Part):
            yield item
        elif depth >= DEEPEST:
            raise UnreadableFile(raw.source, f"files within files, over {DEEPEST} deep")
        elif item.sole:
            yield from _items(item.raw, item.suffix, options, depth + 1)
        else:
            yield from _part(item, options, depth + 1, raw.source, unread)
    for why, names in unread.items():
        named = ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
        count = "1 attachment" if len(names) == 1 else f"{len(names):,} attachments"
        yield Note(raw.source, f"{count} {why}: {named}")
    yield from raw.notes


def _part(part: Part, options: ReadOptions, depth: int, outer: str, unread: dict[str, list[str]]) -> Iterator[Item]:
    """A part that fails stops nothing. outer: the source of the file that it is in; unread: takes the names of those
    that are passed over, by why.
    """
    source = part.raw.source
    try:
        suffix = _by_content(part.raw.stream, part.suffix)
        if suffix not in READERS and suffix not in plugins():
            raise Unsupported(source, "")
        yield from _items(part.raw, suffix, options, depth)
    except Unsupported as fault:
        why = f"not read ({fault.reason})" if fault.reason else "that no reader takes"
        unread.setdefault(why, []).append(source.removeprefix(outer)[1:])
    except UnreadableFile as fault:
        yield Failure(source, fault.reason)
    except MemoryError:
        raise
    except Exception as fault:
        yield Failure(source, reader_failed(fault))
