"""Which blocks of a web page are its text: what trafilatura finds of it, and what belongs to that.

trafilatura knows well where the text of a page is, and drops much of what gives it its form: headings, lists, rows, the
line under the title. So its result only says which blocks are text, each block as it stands in the page; those that it
dropped are then taken or left by where they stand. What readers wrote under a text is kept.
"""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from searcher.readers.blocks import HEADINGS, Block, blocks
from searcher.readers.furniture import is_comment, is_furniture, is_margin

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["main_text"]

GRAM = 4  # so many words in a row of a block have to be in what was found …
SAME = 0.7  # … at this share of its places
NEAR = 5  # blocks; what has fewer words stands in many places, and counts so near to a longer one that was found
TOO_LITTLE = 0.5  # what holds less of the page's text was not recognised
ELSEWHERE = 0.3  # of what was found is less on the page: it was taken from data in a script, …
SCRIPTED = 250  # … if it has so many characters
BESIDE = 0.5  # what holds so much that was found is no margin, whatever it is called
LITTLE = 0.2  # unless that is so little of all that was found
WRAPPER = 0.3  # nor what holds so much of the page, unless half as much was found elsewhere
MOST = 0.97  # of what was found stands in the innermost element that is the text
SHORT = 500  # characters of a text that may be one part of several
LINKED = 0.5  # a block of more links than this is a menu, unless it is of the text's own kind
LEAST_LEAD = 50  # characters of a line between title and text; shorter are names and dates
LONGEST_LEAD = 12  # blocks between title and text
LEAST_COMMENT = 40  # characters of a comment that is no paragraph; shorter are buttons
# What people write; groups of other elements come from a theme.
PLAIN = {"p", "ul", "ol", "dl", "table", "pre", "code", "blockquote", "figure"}
WRITTEN = {None, "simple", "arabic"}  # classes of what is written: none, and those that docutils gives to each list
PARTS = {"article", "main", "section"}
# A word, or a character of a script that does not part words.
WORD = re.compile(r"[぀-ヿ㐀-鿿豈-﫿]|[^\W_぀-ヿ㐀-鿿豈-﫿]+")


def main_text(root: "Element", found: "Element | None") -> list[Block]:
    """The blocks of a page that are its text, in order; found: the tree that trafilatura made of it, if it made one."""
    page = blocks(root)
    theirs = blocks(found) if found is not None else []
    marked = Marked(root, page, _same(page, theirs))
    size = sum(len(block.text) for block in theirs)
    if size >= SCRIPTED and marked.anywhere < ELSEWHERE * size and marked.all[root] < TOO_LITTLE * size:
        return theirs
    return list(marked.text()) or page


class Marked:
    """The blocks of a page without its furniture, each marked as found or not; and what lies below each element.

    all, free, found: characters of its blocks, of those in no link, of those found. anywhere: of those found, in the
    furniture too. comments: the elements of what readers wrote.
    """

    def __init__(self, root: "Element", page: Sequence[Block], marks: Sequence[bool]) -> None:
        self.root = root
        self.elements = list(root.iter())
        self.comments: set[Element] = set()
        self.owned: dict[Element, set[Element]] = {}
        self._weigh(page, marks)
        self.anywhere = self.found[root]
        aside = self._aside()
        kept = [number for number, block in enumerate(page) if block.owner not in aside]
        self.page, self.marks = [page[number] for number in kept], [marks[number] for number in kept]
        self._weigh(self.page, self.marks)

    def _weigh(self, page: Sequence[Block], marks: Sequence[bool]) -> None:
        self.all, self.free, self.found = (dict.fromkeys(self.elements, 0) for _ in range(3))
        for block, own in zip(page, marks, strict=True):
            self.all[block.owner] += len(block.text)
            self.free[block.owner] += max(0, len(block.text) - block.linked)
            self.found[block.owner] += len(block.text) * own
        for element in reversed(self.elements[1:]):
            parent = element.getparent()
            assert parent is not None
            for sums in (self.all, self.free, self.found):
                sums[parent] += sums[element]

    def _aside(self) -> set["Element"]:
        """Elements in furniture; those of comments are noted by the way."""
        aside: set[Element] = set()
        parts: set[Element | None] = set()
        for element in self.elements[1:]:
            parent = element.getparent()
            part = parent in parts
            if part or element.tag in PARTS:
                parts.add(element)
            if parent in aside or is_furniture(element) or self._is_beside(element, part):
                aside.add(element)
            elif is_comment(element, parent in self.comments):
                self.comments.add(element)
        return aside

    def _is_beside(self, element: "Element", part: bool) -> bool:
        """Whether it is a margin, and not what the page is made for."""
        own, found = self.free[element], self.found[element]
        if not is_margin(element, part, own) or found > max(BESIDE * self.all[element], LITTLE * self.found[self.root]):
            return False
        return own < WRAPPER * self.free[self.root] or own < 2 * (self.found[self.root] - found)

    def text(self) -> Iterator[Block]:
        """What is text: all but the furniture where little was found, else what was found and what belongs to it."""
        mains = [element for element in self.elements if _is_main(element) and self.all[element]]
        if len(mains) == 1 and self.found[mains[0]] < TOO_LITTLE * self.found[self.root]:
            yield from (block for block in self.page if mains[0] in block.owner.iterancestors())
            return
        free = sum(max(0, len(b.text) - b.linked) for b in self.page if b.owner not in self.comments)
        if self.found[self.root] <= TOO_LITTLE * free:
            yield from self.page
            return
        inner = self._innermost()
        taken = [own or self._belongs(block, inner) for block, own in zip(self.page, self.marks, strict=True)]
        lead = self._lead(taken.index(True))
        for number, block in enumerate(self.page):
            if taken[number] or number in lead or self._is_comment(block):
                yield block

    def _innermost(self) -> "Element":
        """The innermost element that holds most of what was found, with others of its kind beside it."""
        most = MOST * self.found[self.root]
        inner: Element | None = self.root
        deepest = self.root
        while inner is not None:
            deepest = inner
            inner = next((below for below in inner if self.found.get(below, 0) >= most), None)
        whole = deepest
        while (parent := deepest.getparent()) is not None:
            if self._is_one_of_many(deepest, parent):
                whole = parent
            elif self.all[parent] > self.all[deepest]:
                break
            deepest = parent
        return whole

    def _is_one_of_many(self, element: "Element", parent: "Element") -> bool:
        """Whether a part of the text has others beside it: of its kind, or as bare as what people write."""
        kind = (element.tag, element.get("class"))
        named = element.tag in PARTS or kind[1] is not None
        short = self.all[element] < SHORT
        for other in parent:
            if other is element or not self.all.get(other) or self._is_menu(other):
                continue
            if named and (other.tag, other.get("class")) == kind:
                return True
            bare = not (other.get("class") or other.get("id"))
            if short or (bare and next(other.iter(*HEADINGS), None) is not None):
                return True
        return False

    def _is_menu(self, element: "Element") -> bool:
        return self.free[element] <= (1 - LINKED) * self.all[element]

    def _lead(self, first: int) -> set[int]:
        """The title above the first block of the text, and what stands between, without names and dates."""
        title = next((n for n in range(first, max(-1, first - LONGEST_LEAD), -1) if self.page[n].level == 1), first)
        lead = {n for n in range(title, first) if self.page[n].level or len(self.page[n].text) >= LEAST_LEAD}
        return {n for n in lead if not _is_linked(self.page[n])}

    def _is_comment(self, block: Block) -> bool:
        written = block.owner.tag == "p" or len(block.text) >= LEAST_COMMENT
        return block.owner in self.comments and written and not _is_linked(block)

    def _belongs(self, block: Block, inner: "Element") -> bool:
        """Whether a block that was not found belongs to what was, by what it stands beside within `inner`."""
        unit, above = None, block.owner
        while above is not inner and not self.found[above]:
            parent = above.getparent()
            if parent is None:
                return False
            unit, above = above, parent
        if above is not inner and inner not in above.iterancestors():
            return False
        if unit is None or HEADINGS.keys() & {unit.tag, above.tag} or unit in self._own(above):
            return True
        while unit.tag == "div" and len(unit) == 1 and not (unit.text or "").strip():
            unit = unit[0]
        written = unit.tag in PLAIN and (unit.get("class") or unit.get("id")) in WRITTEN
        return written or not self._is_menu(unit)

    def _own(self, parent: "Element") -> set["Element"]:
        """Elements of a kind that something was found in, and what stands under a heading of such a kind."""
        if parent not in self.owned:
            kinds = {_kind(below) for below in parent if self.found.get(below)}
            own, under = set(), False
            for below in parent:
                if below.tag in HEADINGS and below.tag != "h1":
                    under = _kind(below) in kinds
                if _kind(below) in kinds or (under and below.tag != "aside"):
                    own.add(below)
            self.owned[parent] = own
        return self.owned[parent]


def _is_main(element: "Element") -> bool:
    return element.tag == "main" or element.get("role") == "main"


def _kind(element: "Element") -> tuple[str, str | None]:
    """What elements that a theme makes alike have in common."""
    return str(element.tag), element.get("class") or (element.get("id") if element.tag == "div" else None)


def _is_linked(block: Block) -> bool:
    return block.linked > LINKED * len(block.text)


def _same(page: Sequence[Block], theirs: Sequence[Block]) -> list[bool]:
    """Which blocks of a page are in what was found, as their words tell. Linear in the length of both."""
    wholes, words = set(), [""]
    for block in theirs:
        own = WORD.findall(block.text)
        wholes.add(tuple(own))
        words += [*own, ""]
    grams = set(_grams(words))
    said = [WORD.findall(block.text) for block in page]
    long = [len(own) >= GRAM and (tuple(own) in wholes or _is_in(own, grams)) for own in said]
    return [
        found or (len(own) < GRAM and tuple(own) in wholes and any(long[max(0, at - NEAR) : at + NEAR + 1]))
        for at, (own, found) in enumerate(zip(said, long, strict=True))
    ]


def _is_in(own: list[str], grams: set[tuple[str, ...]]) -> bool:
    mine = list(_grams(own))
    return sum(gram in grams for gram in mine) >= SAME * len(mine)


def _grams(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(GRAM)), strict=False)
