"""A text in the making: pieces set under each other, and where in it places and headings begin."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

from searcher.errors import UnreadableFile
from searcher.places import Place
from searcher.readers.headings import Heading, best_title, sections
from searcher.records import HEADINGS, MAX_TEXT_BYTES, Document

__all__ = ["Draft", "one_line"]

# What no store takes, and soft hyphens, which part a word only for the eye; a hyphen that holds words together is one.
UNSOUND = re.compile("[\x00\u00ad\u2011\ud800-\udfff]")


def one_line(text: str | None) -> str:
    """The words of a text, a space between them."""
    return " ".join((text or "").split())


def _sound(text: str) -> str:
    """The text with only what a person reads in it and a store takes."""
    return UNSOUND.sub(lambda found: "-" if found[0] == "\u2011" else "", text)


class Draft:
    """The text so far.

    Attributes:
        length: its characters.
        headings, places: what begins where. breaks: where no passage goes on.
    """

    def __init__(self, source: str) -> None:
        self.source, self.length = source, 0
        self.headings: list[Heading] = []
        self.places: list[tuple[int, Place]] = []
        self._pieces: list[str] = []
        self._next: Place | None = None
        self._cut = False
        self.breaks: list[int] = []

    def at(self, *, cut: bool = False, **place: Any) -> None:
        """What is put next stands at this place; parts that are None are left out. cut: no passage goes over to it."""
        self._cut = cut
        parts = {name: value for name, value in place.items() if value is not None}
        self._next = cast("Place", parts) if parts else None

    def put(self, text: str, gap: str = "\n\n", level: int = 0) -> None:
        """Set a piece under what there is; a `level` makes it a heading. Nothing for a piece without a word in it."""
        if not text or text.isspace():
            return
        if not text.isascii() or "\0" in text:
            text = _sound(text)
        gap = gap if self.length else ""
        start = self.length + len(gap)
        if self._next is not None and self._next != (self.places[-1][1] if self.places else None):
            self.places.append((start, self._next))
        self._next = None
        if self._cut and start:
            self.breaks.append(start)
        self._cut = False
        if level and (title := one_line(text)):
            self.headings.append(Heading(start, level, title))
        self._pieces += [gap, text]
        self.length = start + len(text)
        if self.length > MAX_TEXT_BYTES:
            raise UnreadableFile(self.source, f"more text than the {MAX_TEXT_BYTES / 2**20:,.0f} MiB that are taken")

    def aside(self, text: str, **place: Any) -> None:
        """Set a piece under what there is that has a place of its own within the one around it, which goes on after."""
        around: Place = (self.places[-1][1] if self.places else {}) if self._next is None else self._next
        self._next = cast("Place", {**around, **place})
        self.put(text)
        self._next = around

    def put_margins(self, lines: Iterable[str]) -> None:
        """Set below what heads and feet of pages say: each line once, where the text does not say it."""
        said = set(self.text.split("\n"))
        for line in map(one_line, lines):
            if line not in said and any(map(str.isalpha, line)):
                said.add(line)
                self.put(line)

    def put_document(self, document: Document) -> None:
        """Set the text of another document under what there is, with its headings."""
        before = self.length
        self.put(document.text)
        start = self.length - len(_sound(document.text))
        for begin, path in document.sections if self.length > before else ():
            *above, title = path.split(HEADINGS)
            self.headings.append(Heading(start + len(_sound(document.text[:begin])), len(above) + 1, title))

    @property
    def end(self) -> str:
        """The piece that was put last."""
        return self._pieces[-1] if self._pieces else ""

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._pieces)

    def document(self, title: str | None = None, metadata: Mapping[str, Any] | None = None, **more: Any) -> Document:
        """The document that it is; without a title of its own, that of its best heading."""
        own = {name: value for name, value in (metadata or {}).items() if value not in (None, "")}
        return Document(
            more.pop("source", self.source), self.text, one_line(title) or best_title(self.headings), metadata=own,
            sections=sections(self.headings), places=tuple(self.places), breaks=tuple(self.breaks), **more,
        )  # fmt: skip
