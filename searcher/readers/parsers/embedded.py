"""Pictures within documents: what OCR reads in each, set where it stands; without OCR that there are such is told."""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePath

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft
from searcher.readers.parsers.pdf_page import Page
from searcher.readers.parsers.pdf_setting import cleaned, notes, set_in_pages
from searcher.readers.parsers.picture_size import is_ornament, is_picture
from searcher.readers.parsers.zipped import Archive
from searcher.readers.raw import Raw, ReadOptions
from searcher.records import Note

__all__ = ["Pictures"]

HEAD = 2**18  # bytes in which a picture says how large it is
NOT_ASKED = "its pictures are not read; with --ocr what is written in them is"
OTHER_KIND = "it takes no pictures of this kind ({})"


class Pictures:
    """The pictures of one document, counted from 1 as they come; ornaments and repeated ones do not count."""

    def __init__(self, raw: Raw, options: ReadOptions, archive: Archive | None = None) -> None:
        self.raw, self.archive, self.by_ocr = raw, archive, options.ocr
        self.pages: list[Page] = []
        self._seen: set[str] = set()  # names of members, and digests
        self._are_there = False

    @property
    def number(self) -> int:
        """That of the picture which was read last."""
        return len(self.pages)

    def put(self, draft: Draft, *names: str) -> None:
        """Put what stands written in a member of the archive; names: of the same picture in several kinds."""
        if text := self.read(*names):
            draft.aside(text, picture=self.number)

    def put_data(self, draft: Draft, data: bytes, kind: str = "") -> None:
        """The same for a picture whose bytes stand in the text. kind: what a file of it would end in."""
        if text := self._read([(f"picture.{kind}", lambda: data)]):
            draft.aside(text, picture=self.number)

    def read(self, *names: str) -> str:
        """What stands written in a member, if it is a picture that did not come before; names: as in `put`."""
        there = [name for name in names if self.archive and self.archive.has(name)]
        if not there or there[0] in self._seen or (self._are_there and not self.by_ocr):
            return ""
        self._seen.add(there[0])
        return self._read((name, partial(self._member, name)) for name in there)

    def notes(self) -> Iterator[Note]:
        """What is to be told of them."""
        if self._are_there and not self.by_ocr:
            yield Note(self.raw.source, NOT_ASKED)
        yield from notes(self.raw.source, self.pages, (), "picture")

    def _member(self, name: str) -> bytes:
        """All of it, or what says how large a picture is."""
        assert self.archive
        return self.archive.read(name) if self.by_ocr else next(self.archive.pieces(name, HEAD), b"")

    def _read(self, kinds: Iterable[tuple[str, Callable[[], bytes]]]) -> str:
        """What stands written in the first of them that is of a kind that can be read; each a name and its bytes."""
        fault = ""
        for name, member in kinds:
            try:
                data = member()
            except UnreadableFile as damaged:
                fault = fault or damaged.reason
                continue
            if is_picture(data):
                return "" if is_ornament(data) else self._seen_by_ocr(data)
            fault = fault or OTHER_KIND.format(PurePath(name).suffix[1:].upper() or "unknown")
        if self.by_ocr:
            self.pages.append(Page([], f"not read by OCR: {fault}"))
        return ""

    def _seen_by_ocr(self, data: bytes) -> str:
        self._are_there = True
        if not self.by_ocr:
            return ""
        from searcher.readers.parsers.scans import EMBEDDED, page_of  # of an extra

        digest = hashlib.sha256(data).hexdigest()
        if digest in self._seen:
            return ""
        self._seen.add(digest)
        page = cleaned(page_of(Raw(self.raw.source, io.BytesIO(data), len(data)), digest, kinds=EMBEDDED))
        self.pages.append(page)
        apart = Draft(self.raw.source)
        set_in_pages(apart, [page], [""])
        return apart.text
