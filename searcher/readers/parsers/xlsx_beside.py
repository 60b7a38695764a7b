"""What stands on a sheet of Excel beside what cells hold: comments, pictures, charts, text boxes, each by its cell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from searcher.errors import UnreadableFile
from searcher.readers.numerals import whole
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.graphics import put_body, put_graphic
from searcher.readers.parsers.omml import spell_formulas
from searcher.readers.parsers.ooxml import commented
from searcher.readers.parsers.xlsx_layout import LAST_ROW, Layout, cell_place
from searcher.readers.parsers.xlsx_rich import rich_pictures
from searcher.readers.parsers.zipped import Archive, Element, attribute
from searcher.readers.raw import Raw

__all__ = ["Beside", "Surroundings"]

PLACEHOLDER = "tc="  # an author of this name and an id: of what older programs show in the place of a thread
ANCHORS = {"oneCellAnchor", "twoCellAnchor", "absoluteAnchor"}
DRAWN = {"txBody", "blip", "chart", "relIds"}


def _nothing() -> None:
    """What a comment sets beside its text."""


class Beside(NamedTuple):
    """Something beside the cells. row, column: from 1. text: that of a comment. put: sets anything else."""

    row: int
    column: int
    text: str = ""
    put: Callable[[], None] = _nothing


class Surroundings:
    """What is beside the cells of a workbook; a part that is damaged is left out, and told.

    persons: names of those who commented in threads, by ids. rich: members of values that are pictures, by number.
    """

    def __init__(self, raw: Raw, archive: Archive, main: str, draft: Draft, pictures: Pictures) -> None:
        self.raw, self.archive, self.draft, self.pictures = raw, archive, draft, pictures
        self.persons: dict[str, str] = {}
        self.rich: dict[int, str] = {}
        with self._sparing("the names of those who commented"):
            for person in (each for root in archive.trees(main, "person") for each in root.iter("person")):
                self.persons[attribute(person, "id") or ""] = attribute(person, "displayName") or ""
        with self._sparing("pictures in cells"):
            self.rich = rich_pictures(archive, main)

    def of(self, sheet: str, layout: Layout) -> list[Beside]:
        """All of a sheet that is not hidden, from its upper left on; sheet: its member."""
        found: list[Beside] = []
        with self._sparing("comments"):
            found += self._comments(sheet)
        with self._sparing("what is drawn"):
            found += self._drawn(sheet)
        for place, member in layout.pictures.items():
            found.append(Beside(*place, put=partial(self.pictures.put, self.draft, member)))
        shown = (each for each in found if each.row not in layout.rows and each.column not in layout.columns)
        return sorted(shown, key=lambda each: each[:2])

    @contextmanager
    def _sparing(self, what: str) -> Iterator[None]:
        """A part that cannot be read spares the others."""
        try:
            yield
        except UnreadableFile as fault:
            self.raw.note(f"{what} left out: {fault.reason}")

    # -- comments

    def _comments(self, sheet: str) -> Iterator[Beside]:
        """Threads, each comment a line, then notes that stand for none of them."""
        threads: set[str] = set()
        for root in self.archive.trees(sheet, "threadedComment"):
            for comment in root.iter("threadedComment"):
                threads.add(attribute(comment, "id") or "")
                by = self.persons.get(attribute(comment, "personId") or "", "")
                yield from _comment(comment, comment.findtext("text") or "", by)
        for root in self.archive.trees(sheet, "comments"):
            authors = [one_line(author.text) for author in root.iter("author")]
            for comment in root.iter("comment"):
                number = whole(attribute(comment, "authorId"), len(authors))
                by = authors[number] if number < len(authors) else ""
                if by.removeprefix(PLACEHOLDER) not in threads:
                    yield from _comment(comment, _said(comment), "" if by.startswith(PLACEHOLDER) else by)

    # -- what is drawn

    def _drawn(self, sheet: str) -> Iterator[Beside]:
        for name in self.archive.related(sheet, "drawing"):
            relations = self.archive.relations(name)
            root = self.archive.xml(name)
            spell_formulas(root)
            for anchor in root.iter(*ANCHORS):
                row, column = whole(anchor.findtext("from/row"), LAST_ROW), whole(anchor.findtext("from/col"), 0)
                for element in _parts(anchor):
                    targets = [relations[value][1] for value in map(str, element.attrib.values()) if value in relations]
                    yield Beside(min(row, LAST_ROW) + 1, column + 1, put=partial(self._put, element, targets))

    def _put(self, element: Element, targets: list[str]) -> None:
        if element.tag == "txBody":
            put_body(self.draft, element)
        elif element.tag == "blip":
            self.pictures.put(self.draft, *targets[:1])
        else:
            with self._sparing("a chart"):
                put_graphic(self.draft, self.archive, targets)


def _said(comment: Element) -> str:
    """The text of a note, but for how its characters are read."""
    return "".join(text.text or "" for text in comment.iterfind("text//t") if text.getparent().tag != "rPh")


def _comment(comment: Element, said: str, by: str) -> Iterator[Beside]:
    """A comment on a cell, which it names; the author's name, with which Excel begins a note, once."""
    cell = attribute(comment, "ref") or ""
    said = one_line(said).removeprefix(f"{by}:" if by else "")
    if text := commented(said, ", ".join(filter(None, (cell, by)))):
        yield Beside(*cell_place(cell), text)


def _parts(parent: Element) -> Iterator[Element]:
    """What is drawn in an anchor, in groups too; of what is there in several ways, the first."""
    for element in parent:
        if element.tag in DRAWN:
            yield element
        elif element.tag == "AlternateContent" and len(element):
            yield from _parts(element[0])
        else:
            yield from _parts(element)
