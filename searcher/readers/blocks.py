"""A tree of elements to blocks, and blocks to text: paragraphs apart by blank lines, a row or a list item to a line.

It reads HTML and the simpler tree that trafilatura makes of HTML: one table of tags serves both.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from searcher.places import Place
from searcher.readers.headings import LONGEST_TITLE, Heading
from searcher.readers.numerals import numeral, whole

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["HEADINGS", "PARAGRAPHS", "Block", "blocks", "laid_out", "readable"]

HEADINGS = {f"h{level}": level for level in range(1, 7)}
GROUPS = {"ul", "ol", "dl", "dir", "menu", "list", "table"}  # what stands within one is set line by line
BULLET = "- "
LINES = {"li": BULLET, "item": BULLET, "dt": "", "dd": "", "tr": "", "row": ""}
CELLS = {"td", "th", "cell"}
PARAGRAPHS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "details", "dialog", "div", "fieldset"),
    *(
        "figcaption",
        "figure",
        "footer",
        "form",
        "head",
        "header",
        "hgroup",
        "hr",
        "legend",
        "main",
        "nav",
        "p",
        "quote",
    ),
    *("search", "section", "summary", "tbody", "tfoot", "thead"),
    *HEADINGS,
    *GROUPS,
    *LINES,
}
BREAKS = {"br", "lb"}
DEEP = ("h1", "h2", "h3", "h4", "h5", "h6", "head", "ul", "ol", "dl", "list", "table", "pre")
SPACES = re.compile(r"[ \t\r\n\f]+")
SPACE_RUN = re.compile(r" {2,}")
EDGES = re.compile(r" *\n *")
LEAST_NUMBER = -(10**6)  # of a list

OUTER = {"html", "body", "main", "article"}  # text that stands in them bare may be anywhere below their beginning


class Block(NamedTuple):
    """A paragraph, a heading, a list item, a row, or code.

    level: of a heading, else 0. prefix: what marks it as a list item. group: number of the outermost list or table that
    it stands in, 0 for none. owner: the innermost element that makes blocks. linked: characters of it that are links.
    """

    text: str
    level: int
    prefix: str
    group: int
    owner: "Element"
    linked: int


def laid_out(page: Iterable[Block]) -> tuple[str, list[Heading], list[tuple[int, Place]]]:
    """The text of blocks under each other, the headings in it, and on which lines of the file the blocks stand."""
    text: list[str] = []
    headings: list[Heading] = []
    lines: list[tuple[int, Place]] = []
    length = above = 0
    for block in page:
        gap = "" if not text else "\n" if block.group and block.group == above else "\n\n"
        if block.level:
            headings.append(Heading(length + len(gap), block.level, block.text))
        line = _line_of(block.owner)
        if line is not None and (not lines or line >= lines[-1][1]["line"]):
            lines.append((length + len(gap), {"line": line}))
        text += [gap, block.prefix, block.text]
        length += len(gap) + len(block.prefix) + len(block.text)
        above = block.group
    return "".join(text), headings, lines


def _line_of(element: "Element") -> int | None:
    """The line of the file on which the text of an element begins; None where it may be anywhere below."""
    line: Any = element.sourceline
    if line is None or element.tag in OUTER:
        return None
    code = "".join(map(str, element.itertext())) if _is_verbatim(element) else ""
    return int(line) + code[: len(code) - len(code.lstrip("\r\n"))].count("\n")


def blocks(root: "Element") -> list[Block]:
    """The blocks of a tree in order."""
    from lxml import etree

    page = Page(root)
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "start" and _is_verbatim(element):
            page.end_block()
            page.owners.append(element)
            page.put(_typed(element).strip("\r\n"))
            page.owners.pop()
            walk.skip_subtree()
        elif event == "start":
            page.start(element)
            page.add(element.text)
        else:
            page.end(element)
            page.add(element.tail if element is not root else None)
    page.end_block()
    return page.blocks


def _typed(code: "Element") -> str:
    """The text of code with its spaces, a break in it as the end of a line."""
    from lxml import etree

    pieces: list[str] = []
    for event, element in etree.iterwalk(code, events=("start", "end")):
        if event == "start":
            pieces += ["\n" if element.tag in BREAKS else "", element.text or ""]
        elif element is not code:
            pieces.append(element.tail or "")
    return "".join(pieces)


class Page:
    """The blocks so far, and the pieces of the one being read."""

    def __init__(self, root: "Element") -> None:
        self.blocks: list[Block] = []
        self.pieces: list[str] = []
        self.prefix = ""
        self.owners = [root]
        self.groups = 0  # lists and tables that are open
        self.group = 0  # the number of the outermost of them, or of the one before
        self.counts: list[int | None] = []  # the number of the next item in each list that is open, None without one
        self.flat = 0  # cells and headings that are open, of which all is one line
        self.links = 0  # links that are open
        self.linked = 0

    def add(self, text: str | None) -> None:
        """Add running text, in which any white space is one space."""
        if text:
            self.pieces.append(SPACES.sub(" ", text))
            self.linked += len(self.pieces[-1].strip()) if self.links else 0

    def start(self, element: "Element") -> None:
        """Begin what the element begins: a cell, a block, a group of blocks, or nothing."""
        tag = element.tag
        if tag in BREAKS:
            self.pieces.append("\n")
        elif tag == "a":
            self.links += self._leads_away(element)
        elif _is_flat_cell(element):
            self.pieces.append(" | " if element.getprevious() is not None else "")
            self.flat += 1
        elif self.flat and tag in PARAGRAPHS:
            self.pieces.append(" ")
        elif tag in PARAGRAPHS or tag in CELLS:
            self.end_block()
            self.owners.append(element)
            self.flat += _is_title(element)
            if tag in GROUPS:
                self.group += not self.groups
                self.groups += 1
                self.counts.append(whole(element.get("start"), _first(element), LEAST_NUMBER) if tag == "ol" else None)
            self.prefix = self._counted(element) if tag == "li" else LINES.get(tag, self.prefix)

    def _counted(self, item: "Element") -> str:
        """What stands before an item of a list, which is counted in one with numbers."""
        own = whole(item.get("value"), self.counts[-1] if self.counts else None, LEAST_NUMBER)
        if own is None or not self.counts or self.counts[-1] is None:
            return BULLET
        parent = item.getparent()
        self.counts[-1] = own + (-1 if parent is not None and parent.get("reversed") is not None else 1)
        kind = "" if parent is None else parent.get("type") or ""
        return f"{numeral(kind, own)}. "

    def _leads_away(self, link: "Element") -> bool:
        """Whether it is a link, and not a heading's to itself."""
        target = link.get("href")
        return target is not None and not (target.startswith("#") and self.owners[-1].tag in HEADINGS)

    def end(self, element: "Element") -> None:
        """Finish what `start` began."""
        tag = element.tag
        if tag == "a":
            self.links -= self._leads_away(element)
        elif _is_flat_cell(element):
            self.flat -= 1
        elif element is self.owners[-1] and element is not self.owners[0]:
            self.flat -= _is_title(element)
            self.end_block(HEADINGS.get(element.get("rend", "") if tag == "head" else tag, 0))
            self.owners.pop()
            if tag in GROUPS:
                self.groups -= 1
                self.counts.pop()
            self.prefix = "" if tag in LINES else self.prefix

    def end_block(self, level: int = 0) -> None:
        """Finish the block being read; a `level` makes it a heading."""
        block = EDGES.sub("\n", SPACE_RUN.sub(" ", "".join(self.pieces))).strip(" \n")
        block = " ".join(block.split()) if level else block
        self.pieces = []
        if block.strip("| \u00a0"):
            self.put(block, level)
        self.linked = 0

    def put(self, text: str, level: int = 0) -> None:
        """Add a finished block."""
        if text:
            group = self.group if self.groups else 0
            self.blocks.append(Block(readable(text), level, self.prefix, group, self.owners[-1], self.linked))
            self.prefix = ""


def readable(text: str) -> str:
    """The text without soft hyphens, which part a word only for the eye, and with its accents in one form (NFC); a
    hyphen that holds words together on a line is one.
    """
    return unicodedata.normalize("NFC", text.replace("\u00ad", "").replace("\u2011", "-"))


def _first(numbered: "Element") -> int:
    """The number of the first item of a list that does not say it: that of the last one where it counts down."""
    return 1 if numbered.get("reversed") is None else sum(1 for _ in numbered.iterchildren("li"))


def _is_verbatim(element: "Element") -> bool:
    return element.tag == "pre" or (element.tag == "code" and any("\n" in text for text in element.itertext()))


def _is_title(element: "Element") -> bool:
    """Whether it is a heading that is one line, whatever it is made of; one that never ends holds half a page."""
    if element.tag not in HEADINGS or next(element.iterdescendants(*DEEP), None) is not None:
        return False
    length = 0
    for text in element.itertext():
        length += len(text)
        if length > LONGEST_TITLE:
            return False
    return True


def _is_flat_cell(element: "Element") -> bool:
    """Whether it is a cell of data, not one that lays out a page."""
    return element.tag in CELLS and next(element.iter(*DEEP), None) is None
