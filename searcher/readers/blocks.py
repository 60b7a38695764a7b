"""A tree of elements to readable text: paragraphs apart by blank lines, a row or a list item to a line.

It reads HTML and the simpler tree that trafilatura makes of HTML: one table of tags serves both.
"""

import re
from typing import TYPE_CHECKING

from searcher.readers.headings import Heading

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["rendered"]

HEADINGS = {f"h{level}": level for level in range(1, 7)}
GROUPS = {"ul", "ol", "dl", "list", "table"}  # what stands within one is set line by line
LINES = {"li": "- ", "item": "- ", "dt": "", "dd": "", "tr": "", "row": ""}
CELLS = {"td", "th", "cell"}
PARAGRAPHS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "details", "div", "fieldset"),
    *("figcaption", "figure", "footer", "form", "head", "header", "hr", "main", "nav", "p", "quote", "section"),
    *("summary", "tbody", "tfoot", "thead"),
    *HEADINGS,
    *GROUPS,
    *LINES,
}
BREAKS = {"br", "lb"}
DEEP = ("h1", "h2", "h3", "h4", "h5", "h6", "head", "ul", "ol", "dl", "list", "table", "pre")
SPACES = re.compile(r"[ \t\r\n\f]+")
SPACE_RUN = re.compile(r" {2,}")
EDGES = re.compile(r" *\n *")


def rendered(root: "Element") -> tuple[str, list[Heading]]:
    """The text of the tree and the headings in it."""
    from lxml import etree

    page = Page()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start" and _is_verbatim(element):
            page.end_block()
            page.put("".join(element.itertext()).strip("\r\n"))
            walk.skip_subtree()
        elif event == "start":
            page.start(element)
            page.add(element.text)
        else:
            page.end(element)
            page.add(element.tail if element is not root else None)
    page.end_block()
    return "".join(page.text), page.headings


class Page:
    """The text so far: finished blocks, and the pieces of the one being read."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.length = 0
        self.headings: list[Heading] = []
        self.pieces: list[str] = []
        self.prefix = ""
        self.groups = 0  # lists and tables that are open
        self.cells = 0
        self.in_group = False  # the last block stands in a group that is still open

    def add(self, text: str | None) -> None:
        """Add running text, in which any white space is one space."""
        if text:
            self.pieces.append(SPACES.sub(" ", text))

    def start(self, element: "Element") -> None:
        """Begin what the element begins: a cell, a block, a group of blocks, or nothing."""
        tag = element.tag
        if tag in BREAKS:
            self.pieces.append("\n")
        elif _is_flat_cell(element):
            self.pieces.append(" | " if element.getprevious() is not None else "")
            self.cells += 1
        elif self.cells and tag in PARAGRAPHS:
            self.pieces.append(" ")
        elif tag in PARAGRAPHS or tag in CELLS:
            self.end_block()
            self.groups += tag in GROUPS
            self.prefix = LINES.get(tag, self.prefix)

    def end(self, element: "Element") -> None:
        """Finish what `start` began."""
        tag = element.tag
        if _is_flat_cell(element):
            self.cells -= 1
        elif not self.cells and (tag in PARAGRAPHS or tag in CELLS):
            self.end_block(HEADINGS.get(element.get("rend", "") if tag == "head" else tag, 0))
            self.groups -= tag in GROUPS
            self.in_group = self.in_group and self.groups > 0
            self.prefix = "" if tag in LINES else self.prefix

    def end_block(self, level: int = 0) -> None:
        """Finish the block being read; a `level` makes it a heading."""
        block = EDGES.sub("\n", SPACE_RUN.sub(" ", "".join(self.pieces))).strip(" \n")
        block = " ".join(block.split()) if level else block
        self.pieces = []
        if block.strip("| "):
            self.put(block, level)

    def put(self, block: str, level: int = 0) -> None:
        """Write a finished block under the ones before it."""
        gap = "" if not self.text else "\n" if self.in_group else "\n\n"
        if level:
            self.headings.append(Heading(self.length + len(gap), level, block))
        self.text += [gap, self.prefix, block]
        self.length += len(gap) + len(self.prefix) + len(block)
        self.prefix, self.in_group = "", self.groups > 0


def _is_verbatim(element: "Element") -> bool:
    return element.tag == "pre" or (element.tag == "code" and any("\n" in text for text in element.itertext()))


def _is_flat_cell(element: "Element") -> bool:
    """Whether it is a cell of data, not one that lays out a page."""
    return element.tag in CELLS and next(element.iter(*DEEP), None) is None
