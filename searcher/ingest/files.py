"""Files and folders → an ingest: what changed is read, what has another path now is followed, what is gone is told."""

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path, PurePath
from typing import Literal, NamedTuple, Protocol

from searcher.engines import Look, SeenFile
from searcher.errors import BadValue, UnreadableFile
from searcher.ingest.ahead import pieces
from searcher.ingest.batches import Ready
from searcher.ingest.ingest import Ingest
from searcher.ingest.marks import FileLook, look_at
from searcher.ingest.moving import common_move, nearest
from searcher.readers import (
    FAQ_READERS,
    UNNAMED,
    Found,
    ReadOptions,
    Unsupported,
    belonging,
    find_files,
    formats,
    read,
)
from searcher.records import Document, Failure, Skipped
from searcher.system import absolute, spelled

__all__ = ["HERE", "Source", "ToRead", "add_files", "digest_of", "expanded"]

READING = 7  # raised when the readers make other documents of a file, which is then read again
AHEAD = 2 * 2**20  # bytes of files that are looked at before the first of them is read
DOCUMENT = 2_000  # … as which each document counts that came from them
HEAD = 4096  # bytes in which something that is no text shows it
FAQ: tuple[Literal["questions", "answers"], ...] = ("questions", "answers")  # ways to read one
NEVER = SeenFile(None, None, None, 0)


class ToRead(NamedTuple):
    """A file that is to be read, how, and what stands for its content read so."""

    path: Path
    options: ReadOptions
    digest: bytes


class Hashed(NamedTuple):
    """A file as it was: how it looked, how it is to be read, and its digests: read so, by OCR, and as either FAQ."""

    look: FileLook
    options: ReadOptions
    digests: list[bytes]


class Source(Protocol):
    """What makes documents of files."""

    def expect(self, files: Iterable[ToRead], ingest: Ingest) -> None:
        """These will be read for that ingest, as far as can be told, in this order."""

    def read(self, file: ToRead) -> Iterator[Document | Ready | Failure]:
        """The documents of a file, and what was not read as it stands. Raises UnreadableFile, Unsupported, OSError."""

    def clear(self) -> None:
        """All that was read is in the index."""


class Here:
    """Every file is read by this process, when its turn comes."""

    def expect(self, files: Iterable[ToRead], ingest: Ingest) -> None:
        """Nothing is done ahead."""

    def read(self, file: ToRead) -> Iterator[Document | Ready | Failure]:
        """Its documents."""
        return read(file.path, file.options)

    def clear(self) -> None:
        """Nothing is kept."""


HERE = Here()


def add_files(
    ingest: Ingest, paths: Sequence[Path], options: ReadOptions, prune: bool = False, source: Source = HERE
) -> None:
    """Everything in files and folders; prune: remove what came from there and is there no more."""
    Adder(ingest, options, prune, source).add(paths)


class Adder:
    """One walk over files and folders. What of `seen` is left in it at the end was not met."""

    def __init__(self, ingest: Ingest, options: ReadOptions, prune: bool, source: Source) -> None:
        self.ingest, self.options, self.prune, self.source = ingest, options, prune, source
        self.seen: dict[str, SeenFile] = {}
        self.hashed: dict[str, Hashed] = {}  # path → a file whose turn comes soon
        self.moved: dict[str, str] = {}  # old → new
        known = formats()
        read = [each for each in known if each.reader and (options.ocr or each.option != "ocr")]
        self.suffixes = {suffix for each in read for suffix in each.suffixes}
        self.hows = {faq: _how(replace(options, faq=faq)) for faq in (options.faq, None, *FAQ)}
        self.how_by_ocr = _how(options, ocr=True)
        self.how = self.hows[options.faq] + repr(known).encode()  # what reads other kinds looks at all again

    def add(self, paths: Sequence[Path]) -> None:
        """Read what changed, then say what is gone, or remove it."""
        ingest, found = self.ingest, list(find_files(paths))
        for root in paths:
            self.seen |= ingest.seen_under(absolute(root))
        unmet = dict(self.seen)
        new = [item for item in found if not (isinstance(item, Found) and self._is_as_it_was(item, unmet))]
        self._expect(new)
        ingest.begin(len(found))
        ingest.pass_over(len(found) - len(new))
        self.source.expect(self._to_be_read(new), ingest)
        for item in self._looked_up(new):
            before, path = ingest.taken_in, _path(item)
            if isinstance(item, Found):
                unmet.pop(path, None)
                self._add_file(item, path)
            else:
                self._tell(item, unmet)
            ingest.end_file(path, before)
        self._settle(unmet)

    def _looked_up(self, items: Sequence[Found | Failure]) -> Iterator[Found | Failure]:
        """The same, some hashed ahead, of which it is in hand what is known of them."""
        for piece in pieces(items, self._weight, AHEAD):
            files = [item for item in piece if isinstance(item, Found)]
            paths = [_path(found) for found in files]
            faqs = [_path(found) for found in files if self._may_be_faq(found)]
            with self.ingest.files_ahead(paths, faqs):
                for found in files:
                    with suppress(OSError):  # it is told when the file's turn comes
                        self.hashed[_path(found)] = self._hash(found)
                new = [own for path, own in self.hashed.items() if not self._known(path).documents]
                digests = [digest for own in new for digest in own.digests]
                with self.ingest.digests_ahead(digests):
                    yield from piece
            self.hashed.clear()

    def _weight(self, item: Found | Failure) -> int:
        """About how much is done of a file ahead, in bytes."""
        size = 0
        with suppress(OSError):
            size = item.path.stat().st_size if isinstance(item, Found) else 0
        return size + DOCUMENT * self._known(_path(item)).documents

    def _is_as_it_was(self, found: Found, unmet: dict[str, SeenFile]) -> bool:
        """Whether a file looks as it did when it was read last, and all its documents are in."""
        path = _path(found)
        known = self._known(path)
        if known.digest is None or known.mark is None:
            return False
        try:
            if look_at(found.path).mark(self.how, known.digest) != known.mark:
                return False
        except OSError:
            return False
        unmet.pop(path)
        self.ingest.report.unchanged += known.documents
        return True

    def _expect(self, found: Sequence[Found | Failure]) -> None:
        for item in found:
            if isinstance(item, Found):
                self.ingest.forecast.expect(_path(item), self._bytes_of_text(item.path))

    def _bytes_of_text(self, path: Path) -> int:
        """The size of a file that seems to be one that is read, 0 of any other."""
        try:
            size = path.stat().st_size
            if size and path.suffix.lower() not in self.suffixes:
                with path.open("rb") as stream:
                    size = 0 if b"\0" in stream.read(HEAD) else size
        except OSError:
            return 0
        return size

    def _known(self, path: str) -> SeenFile:
        return self.seen.get(path, NEVER)

    def _to_be_read(self, items: Sequence[Found | Failure]) -> Iterator[ToRead]:
        """The files of which more has to be done than to be looked at, told as it is now; what fails is told later."""
        for item in self._looked_up(items):
            path = _path(item)
            if isinstance(item, Found) and (file := self.hashed.get(path)):
                digest, old = self._before(file, path)
                if not old and digest != self._known(path).digest:
                    yield ToRead(item.path, file.options, digest)

    def _may_be_faq(self, found: Found) -> bool:
        """Whether it is to be told from the index if it was read as one."""
        return self.options.faq is None and found.path.suffix.lower() in FAQ_READERS

    def _hash(self, found: Found) -> Hashed:
        """A file as it is now. OSError if it cannot be read."""
        options, path = self.options, _path(found)
        hows = [self.how_by_ocr]
        if self._may_be_faq(found):
            options = replace(options, faq=self.ingest.faq_of(path))  # what is a FAQ once stays one
            hows += [self.hows[faq] for faq in FAQ]  # … under another name too
        look = look_at(found.path)  # before it is read: what changes meanwhile is read again next time
        content = _content(found.path)
        return Hashed(look, options, [_digest(content, how) for how in (self.hows[options.faq], *hows)])

    def _before(self, file: Hashed, path: str) -> tuple[bytes, str | None]:
        """The digest with which a file is in, or will be; and the path under which all of it is in, if that is another
        which is there no more.
        """
        known, (digest, by_ocr, *_) = self._known(path), file.digests
        if known.digest == by_ocr:  # what took hours is not given up unasked
            return by_ocr, None
        for each in [] if known.documents else file.digests:
            olds = self.ingest.files_of_digest(each)
            gone = [old for old in olds if old not in self.moved and _is_as(old, path) and not os.path.lexists(old)]
            if old := nearest(path, gone):
                return each, old
        return digest, None

    def _add_file(self, found: Found, path: str) -> None:
        ingest, known = self.ingest, self._known(path)
        try:
            file = self.hashed.pop(path, None) or self._hash(found)
            digest, old = self._before(file, path)
            remembered = Look(path, file.look.mark(self.how, digest) if file.look.is_settled else None)
            if known.digest == digest:
                ingest.report.unchanged += known.documents
                if known.mark != remembered.mark:
                    ingest.look(remembered)
            elif old:
                self.moved[old] = path
                ingest.move(old, path)
                ingest.look(remembered)
            else:
                documents = self.source.read(ToRead(found.path, file.options, digest))
                ingest.documents(documents, path, digest, self.prune, remembered)
        except Unsupported as fault:
            if found.explicit:
                ingest.report.failed.append(Failure(path, fault.reason))
            else:
                self._skip(path, fault.reason, file.look.mark(self.how, b""))
        except UnreadableFile as fault:
            ingest.report.failed.append(Failure(path, fault.reason))
        except OSError as fault:
            ingest.report.failed.append(Failure(path, fault.strerror or str(fault)))

    def _tell(self, item: Failure, unmet: dict[str, SeenFile]) -> None:
        """What is no file to be read."""
        there = os.path.lexists(item.source)
        if there:  # a folder that cannot be read now: what came from there is not gone
            start = f"{item.source.rstrip('/')}/"
            for path in [path for path in unmet if path == item.source or path.startswith(start)]:
                del unmet[path]
        if isinstance(item, Skipped):
            self._skip(item.source, item.reason, b"")
        elif there or not self.prune or item.reason == UNNAMED:
            self.ingest.report.failed.append(item)

    def _skip(self, path: str, reason: str, mark: bytes) -> None:
        known = self._known(path)
        before = (known.mark, known.reason) == (mark, reason)
        self.ingest.report.skipped.append(Skipped(path, reason, known=before))
        if not before:
            self.ingest.look(Look(path, mark, reason))

    def _settle(self, unmet: dict[str, SeenFile]) -> None:
        """What was not met is removed, or told; so is what is left of a folder that has another name now."""
        for old_folder in {common_move(old, new)[0] for old, new in self.moved.items()}:
            if not os.path.lexists(old_folder):
                unmet |= self.ingest.seen_under(old_folder)
        for path, known in sorted(unmet.items()):
            if path in self.moved:
                continue
            if known.documents and not self.prune:
                self.ingest.report.gone.append(path)
            elif known.documents or known.digest is not None:  # a table without a row is in too
                self.ingest.forget(path)
            if known.mark is not None and (self.prune or not known.documents):
                self.ingest.look(Look(path, None))


def _is_as(old: str, new: str) -> bool:
    """Whether a file of that name is read as it was under the other: by its suffix."""
    return PurePath(old).suffix.lower() == PurePath(new).suffix.lower()


def _path(item: Found | Failure) -> str:
    return item.path.as_posix() if isinstance(item, Found) else item.source


def _how(options: ReadOptions, **other: object) -> bytes:
    """How a file is read, by the caller's options, but for the other ones, and by the readers."""
    given = asdict(options) | {"column_types": sorted(options.column_types.items())} | other
    return repr((READING, sorted(given.items()))).encode()


def digest_of(path: Path, options: ReadOptions) -> bytes:
    """Stands for what is in a file now, read so. OSError if it cannot be read."""
    return _digest(_content(path), _how(options))


def _content(path: Path) -> "hashlib.blake2b":
    """Stands for what is in a file and those that belong to it."""
    content = hashlib.blake2b(digest_size=16)
    for file in belonging(path):
        with file.open("rb") as stream:
            hashlib.file_digest(stream, lambda: content)
    return content


def _digest(content: "hashlib.blake2b", how: bytes) -> bytes:
    """Stands for a file with that content, and how it is read."""
    digest = content.copy()
    digest.update(how)
    return digest.digest()


def expanded(paths: Sequence[str | Path]) -> list[Path]:
    """Globs that the shell did not expand, and "~"."""
    files: list[Path] = []
    for path in paths:
        if not str(path) or "\0" in str(path):  # the former is the current folder to the system
            said = "is empty" if not str(path) else f"{path!s:.40} has a NUL in it"
            raise BadValue(f"a path {said}; good: a file, a folder or a glob")
        plain = Path(spelled(Path(path).expanduser()))
        # Not Path.exists, which raises for what can be no name: it is then told of like a file that is not there.
        there = os.path.exists(plain)  # noqa: PTH110
        matches = [] if there else sorted(glob.glob(str(plain), recursive=True))  # noqa: PTH207 - ** and absolute
        files += [Path(match) for match in matches] or [plain]
    return files
