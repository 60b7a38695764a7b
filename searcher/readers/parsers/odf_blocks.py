"""Blocks of OpenDocument set under each other: paragraphs, lists, tables, comments, pictures, documents within."""

from binascii import a2b_base64
from collections.abc import Callable
from typing import ClassVar

from searcher.readers.numerals import whole
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.odf_lists import Counted, Numbering
from searcher.readers.parsers.odf_objects import Objects
from searcher.readers.parsers.odf_rows import cells, rows
from searcher.readers.parsers.odf_styles import Styles, is_shown
from searcher.readers.parsers.odf_text import GONE, Text
from searcher.readers.parsers.ooxml import commented
from searcher.readers.parsers.zipped import Element, attribute
from searcher.readers.raw import Raw

__all__ = ["Blocks"]

MAY_HIDE = {"section", "p", "h"}


class Blocks:
    """Puts blocks into a draft."""

    def __init__(self, raw: Raw, draft: Draft, styles: Styles, numbering: Numbering, pictures: Pictures) -> None:
        self.draft, self.styles, self.numbering, self.pictures = draft, styles, numbering, pictures
        self.objects = Objects(raw, pictures.archive)
        self.text = Text(styles, self.objects)

    def put(self, element: Element, gap: str = "\n\n", mark: str = "") -> None:
        """Set one under what there is. mark: of the list item that a paragraph begins."""
        if element.tag in GONE or (element.tag in MAY_HIDE and self.styles.hide(element)):
            return
        if any(attribute(each, "is-hidden") == "true" for each in element.iterchildren("hidden-paragraph")):
            return
        if own := self.OWN.get(element.tag):
            own(self, element, gap, mark)
        else:
            for child in element:
                self.put(child, gap)

    def _paragraph(self, element: Element, gap: str, mark: str) -> None:
        below: list[Element] = []
        text = self.text.of(element, below).strip("\n")
        level = _level(element)
        if text.strip():
            mark = mark or (self.numbering.heading(element, level) if level else "")
            level = level or int(self.styles.is_title(element))
            gap = "\n" if self.styles.is_code(element) and self._follows_code(element) else gap
            self.draft.put(f"{mark} {text.strip()}" if mark else text, gap, level)
        for other in below:
            self.put(other)

    def _follows_code(self, element: Element) -> bool:
        before = element.getprevious()
        return before is not None and before.tag == "p" and self.styles.is_code(before)

    def _list(self, element: Element, gap: str, mark: str = "", around: Counted | None = None) -> None:
        """around: the list in an item of which it stands."""
        counted = self.numbering.begin(element, around)
        gap = "\n" if self._goes_on(element) else gap
        for item in element.iterchildren("list-item", "list-header"):
            mark = self.numbering.mark(item, counted)
            for child in item:
                if child.tag == "list":
                    self._list(child, gap, around=counted)
                else:
                    self.put(child, gap, mark)
                gap, mark = "\n", ""

    def _goes_on(self, element: Element) -> bool:
        """Whether a list is a further part of the one right before it."""
        before = element.getprevious()
        return (
            before is not None
            and before.tag == "list"
            and (attribute(before, "style-name") == attribute(element, "style-name"))
        )

    def _table(self, table: Element, gap: str, mark: str) -> None:
        gap = "\n\n"
        below: list[Element] = []
        for row, _ in rows(table):
            if is_shown(row) and (found := cells(row, self.text, below)):
                self.draft.put(" | ".join(found), gap)
                gap = "\n"
        for element in below:
            self.put(element)

    def _comment(self, element: Element, gap: str, mark: str) -> None:
        said = "\n".join(self.text.of(part, []) for part in element.iter("p"))
        by = ", ".join(filter(None, (element.get("cell"), one_line(element.findtext("creator")))))
        self.draft.put(commented(said, by), gap)

    def _picture(self, image: Element, gap: str, mark: str) -> None:
        """The first image of a frame, with the others, which are the same in other kinds."""
        others = list(image.itersiblings("image"))
        if any(each.tag in ("image", "object") for each in image.itersiblings(preceding=True)):
            return  # of an object it is what that looks like
        if data := image.findtext("binary-data"):
            self.pictures.put_data(self.draft, _bytes(data))
        names = (attribute(each, "href") or "" for each in (image, *others))
        self.pictures.put(self.draft, *(name.removeprefix("./") for name in names))

    def _object(self, element: Element, gap: str, mark: str) -> None:
        self.put(self.objects.body(element), gap)

    # What is put in a way of its own; of all else what is in it.
    OWN: ClassVar[dict[str, Callable[["Blocks", Element, str, str], None]]] = {
        "p": _paragraph, "h": _paragraph, "list": _list, "table": _table, "annotation": _comment, "image": _picture,
        "object": _object,
    }  # fmt: skip


def _level(element: Element) -> int:
    """That of a heading, 0 of a paragraph."""
    return whole(attribute(element, "outline-level"), 1) if element.tag == "h" else 0


def _bytes(base64: str) -> bytes:
    """What that stands for, nothing if it stands for nothing."""
    try:
        return a2b_base64(base64)
    except ValueError:
        return b""
