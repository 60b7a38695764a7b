"""The looking part of `Searcher`: a place of a stored document as people name it → the text there and around it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from searcher.engines.opening import Opened
from searcher.errors import BadValue
from searcher.places import Place, place_at
from searcher.records import Document
from searcher.text import around, line_at, section_of, stretch_at

__all__ = ["Surrounding", "Surroundings"]

AROUND = 3  # lines before and after a point or a line


@dataclass(frozen=True)
class Surroundings:
    """A stretch of a stored document: `text == document.text[start:end]`, of whole lines.

    first, last: offsets of what was asked for within the document, first ≤ last. line: the one that `first` is on,
    from 1. section: the heading path there. place: empty where its file has none.
    """

    document: Document
    start: int
    end: int
    first: int
    last: int

    @property
    def text(self) -> str:
        """The text of it."""
        return self.document.text[self.start : self.end]

    @property
    def line(self) -> int:
        """The line of the file on which what was asked for begins."""
        return line_at(self.document, self.first)

    @property
    def place(self) -> Place:
        """What the file says of where that is."""
        return place_at(self.document.places, self.first) or {}

    @property
    def section(self) -> str | None:
        """The heading path above it."""
        return next((path for at, path in reversed(self.document.sections) if at <= self.first), None) or None

    def as_dict(self) -> dict[str, Any]:
        """All of it as the JSON object that `show --at --json` prints."""
        return {
            "source": self.document.source, "title": self.document.title, "section": self.section, "line": self.line,
            "place": self.place, "start": self.start, "end": self.end, "first": self.first, "last": self.last,
            "text": self.text,
        }  # fmt: skip


class Surrounding(Opened):
    """How somebody looks at a place of a document."""

    def surroundings(
        self, source: str | Path, at: str | int, lines: int | None = None, *, section: bool = False
    ) -> Surroundings:
        """The text at a place of a document, and around it.

        at: as hits say places ("page 3", "p. iv", "slide 2", "sheet Costs, row 5", "cell 7", "line 120", "00:12:30", a
        heading path, a qualified name, "message 3"), or a code point of the stored text. lines: so many before and
        after, by default 3 around a line or a code point and none around a page or the like. section: the whole section
        that it begins in instead.

        Raises BadValue for a source that is not there, and, naming what there is, for a place that is not
        there or is several.
        """
        if lines is not None and (isinstance(lines, bool) or not isinstance(lines, int) or lines < 0):
            raise BadValue(f"lines is {lines!r}; good: a whole number of at least 0")
        with self.engine.reading():
            found = stretch_at(self._documents(source), at)
        document, first, last = found.document, found.start, found.end
        if section:
            start, end = section_of(document, first)
        else:
            start, end = around(document.text, first, last, lines if lines is not None else AROUND * found.point)
        return Surroundings(document, start, end, first, last)

    def _documents(self, source: str | Path) -> list[Document]:
        """The document of that name, or all those of a file."""
        try:
            return [self.document(source)]
        except BadValue:
            return [self.engine.document(number) for number in self._find(source)]
