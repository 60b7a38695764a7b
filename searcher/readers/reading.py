"""Files to documents: READERS says which function reads which suffix; `find_files` says which files there are."""

import io
import stat
from collections.abc import Iterator
from pathlib import Path

from searcher.errors import UnreadableFile
from searcher.readers.databases import COMPANIONS, is_database, read_database
from searcher.readers.faqs import FAQ_READERS
from searcher.readers.html import read_html
from searcher.readers.json_files import read_json
from searcher.readers.markdown import read_markdown, read_mdx
from searcher.readers.pictures import without_pictures
from searcher.readers.plain import read_plain, read_rst
from searcher.readers.raw import DEFAULTS, MAX_TEXT_BYTES, Item, Raw, Reader, ReadOptions, Unsupported
from searcher.readers.tables import read_csv, read_jsonl, read_tsv
from searcher.readers.values import storable, typed
from searcher.readers.walking import Found, find_files
from searcher.records import Document
from searcher.system import absolute

__all__ = [
    "FAQ_READERS",
    "MAX_TEXT_BYTES",
    "READERS",
    "UNSUPPORTED",
    "Found",
    "ReadOptions",
    "Unsupported",
    "find_files",
    "read",
    "read_text",
    "storable",
    "typed",
]

READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".db": read_database,
    ".db3": read_database,
    ".htm": read_html,
    ".html": read_html,
    ".json": read_json,
    ".jsonl": read_jsonl,
    ".markdown": read_markdown,
    ".md": read_markdown,
    ".mdx": read_mdx,
    ".ndjson": read_jsonl,
    ".rst": read_rst,
    ".sqlite": read_database,
    ".sqlite3": read_database,
    ".tsv": read_tsv,
    ".txt": read_plain,
    ".xhtml": read_html,
}
# Known kinds of document that no reader takes yet; any other suffix is read as plain text if it is text.
UNSUPPORTED = {
    ".doc": "Word",
    ".docx": "Word",
    ".epub": "EPUB",
    ".odp": "OpenDocument",
    ".ods": "OpenDocument",
    ".odt": "OpenDocument",
    ".pdf": "PDF",
    ".ppt": "PowerPoint",
    ".pptx": "PowerPoint",
    ".rtf": "RTF",
    ".xls": "Excel",
    ".xlsx": "Excel",
}


def read(path: Path, options: ReadOptions = DEFAULTS) -> Iterator[Item]:
    """The documents of a file, one after the other; a bad row of a table is a Failure between them.

    Raises:
        Unsupported: a kind of file that no reader takes.
        UnreadableFile: a file that should have been read and cannot be.
    """
    source = absolute(path)
    suffix = path.suffix.lower()
    if suffix in UNSUPPORTED:
        raise Unsupported(source, f"{UNSUPPORTED[suffix]} files are not supported yet")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile(source, "not a regular file")
        with path.open("rb") as stream:
            yield from _items(Raw(source, stream, status.st_size, options.encoding), suffix, options)
    except OSError as error:
        raise UnreadableFile(source, (error.strerror or str(error)).lower()) from error


def belonging(path: Path) -> list[Path]:
    """The files that are read when that one is: a database's, where a program that has it open writes first."""
    beside = Path(f"{path}{COMPANIONS[0]}")
    return [path, beside] if beside.is_file() else [path]


def read_text(data: bytes, label: str, options: ReadOptions = DEFAULTS, suffix: str = ".txt") -> Iterator[Item]:
    """The same for bytes that have no file, such as stdin's; `label` is their source, `suffix` chooses the reader."""
    return _items(Raw(label, io.BytesIO(data), len(data), options.encoding), suffix.lower(), options)


def _items(raw: Raw, suffix: str, options: ReadOptions) -> Iterator[Item]:
    if options.faq and suffix not in FAQ_READERS:
        raise UnreadableFile(raw.source, f"no FAQ file; these are: {', '.join(FAQ_READERS)}")
    other = read_database if suffix not in READERS and is_database(raw) else read_plain
    reader = FAQ_READERS[suffix] if options.faq else READERS.get(suffix, other)
    try:
        for item in reader(raw, options):
            note = None
            if isinstance(item, Document):
                item, note = without_pictures(item)
            yield item
            if note:
                yield note
        yield from raw.notes
    except Unsupported as error:
        if suffix not in READERS:
            raise
        # It calls itself text and is not: that is a fault, not a kind of file to pass over.
        raise UnreadableFile(error.source, error.reason) from None
