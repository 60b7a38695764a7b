"""Signs beside the text of a page that are no words of it: of notes, of links of a place to itself or back."""

import re
from typing import TYPE_CHECKING

from searcher.readers.furniture import MARKS

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["drop_marks", "line_of"]

INLINE = ("a", "span", "sup", "small", "i")
SIGNS = {"#", "¶", "§", "🔗", "↩", "^", "\u200b", "⏎", "↑", "↵"}  # links of a place to itself, or back
CITATION = re.compile(r"\[(?:[^\[\]\s]*\d[^\[\]\s]*|\w)\]")
NOTE = re.compile(r"[(\[]?(?:\d{1,4}|[a-z]|[ivxlc]{1,6}|[*†‡§¶#]{1,4})[)\].:]?", re.IGNORECASE)
BRACKETS = re.compile(r"\[ ?\]|\( ?\)")  # of which nothing is left but that
# Of lines of code, by class; and a column of them beside it, whatever that is called.
LINE_NUMBERS = {
    "hljs-ln-n", "hljs-ln-numbers", "line-number", "line-numbers", "linenumber", "lineno", "linenos", "ln", "lnt",
    "react-syntax-highlighter-line-number",
}  # fmt: skip
COUNT = re.compile(r"[ \t]*\d{1,6}[ \t]*(?:\n\s*\d{1,6}[ \t]*)*\n?")
CODE = ("pre", "code")
MOST_CELLS = 4  # of a row of code
NOTE_KINDS = {"noteref", "doc-noteref"}
PAGES, LONGEST_PAGE = {"pagebreak", "doc-pagebreak"}, 20
LINKED = ("id", "name")  # attributes that a link may lead to
SELECTOR = "\ufe0e"  # after "↩": as text, no picture


def drop_marks(root: "Element", is_book: bool = False) -> None:
    """Take them away. is_book: a raised number that leads to another page is a note's, too.

    The number before a note itself stays: it may be that of a line of a poem.
    """
    for number in [each for each in root.iter("td", "span", "a") if _counts_lines(each)]:
        number.drop_tree()  # type: ignore[attr-defined]
    for page in [each for each in root.iter(*INLINE, "div") if _is_page(each)]:
        del page[:]
        page.text = None  # a chapter may begin there, so it stays
    marks = [element for element in root.iter(*INLINE) if _is_mark(element, is_book)]
    ends = [*marks, *(parent for mark in marks if (parent := mark.getparent()) is not None)]
    called = {f"#{end.get(key)}" for end in ends for key in LINKED if end.get(key)}
    for link in root.iter("a"):
        if link.get("href") in called and NOTE.fullmatch(line_of(link)) and (link.tail or "")[:1].isalnum():
            link.tail = f" {link.tail}"  # the number of a note, apart from its first word
    for mark in marks:
        parent = mark.getparent()
        mark.drop_tree()  # type: ignore[attr-defined]
        if parent is not None and parent.tag in INLINE and BRACKETS.fullmatch(line_of(parent)):
            parent.drop_tree()  # type: ignore[attr-defined]


def _is_mark(element: "Element", is_book: bool) -> bool:
    """Whether it is such a sign: "[edit]", "¶", "[1]"."""
    names = [*(element.get("class") or "").split(), element.get("role")]
    longest = max((MARKS[name] for name in names if name in MARKS), default=0)
    if longest:
        return len(line_of(element)) <= longest
    if element.tag == "a":
        target, said = element.get("href") or "", line_of(element)
        if is_book and NOTE_KINDS & set(f"{element.get('epub:type')} {element.get('type')}".split()):
            return True
        if target.startswith("#") and said.removesuffix(SELECTOR) in SIGNS:
            return True
        if ("#" in target or (is_book and target)) and NOTE.fullmatch(said) and _is_raised(element):
            return True
    return "reference" in names and (element.tag == "sup" or CITATION.fullmatch(line_of(element)) is not None)


def _is_page(element: "Element") -> bool:
    """Whether it is the number of a page of the printed book, which stands wherever that begins, within words too."""
    kinds = f"{element.get('epub:type') or ''} {element.get('role') or ''}".split()
    return not PAGES.isdisjoint(kinds) and len(line_of(element)) <= LONGEST_PAGE


def _counts_lines(element: "Element") -> bool:
    """Whether it is the number of a line of code, or a column of such beside the code."""
    named = not LINE_NUMBERS.isdisjoint((element.get("class") or "").split())
    if element.tag != "td":
        found = named and next(element.iterancestors(*CODE), None) is not None
    elif named or next(element.iter("pre"), None) is not None:
        row = element.getparent()
        others = () if row is None or len(row) > MOST_CELLS else (other for other in row if other is not element)
        found = any(next(other.iter("pre"), None) is not None for other in others)
    else:
        found = False
    return found and COUNT.fullmatch("".join(map(str, element.itertext())).strip("\n")) is not None


def _is_raised(link: "Element") -> bool:
    """Whether all of it is raised: it stands in such an element, or such an element in it."""
    parent, inner = link.getparent(), link.find("sup")
    return (parent is not None and parent.tag == "sup") or (inner is not None and line_of(inner) == line_of(link))


def line_of(element: "Element | None") -> str:
    """All text of an element on one line."""
    return " ".join("".join(map(str, element.itertext())).split()) if element is not None else ""
