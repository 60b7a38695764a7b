"""Web pages: the main text and its headings, without the menus and notices around it."""

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from searcher.errors import UnreadableFile
from searcher.readers.blocks import rendered
from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, sections
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["read_html"]

SHORT_PAGE = 1000  # characters; so short a page is content throughout, or too little to tell its parts apart
LEAST_SHARE = 0.1  # main text that is a smaller part of the page was not recognised
MOST_ELEMENTS = 20_000  # a larger page is content for the most part, and trafilatura takes the square of some pages
MANY_ELEMENTS = 2_000  # of so many justext, which is asked where trafilatura found little, takes the square
DEEPEST = 256  # nobody's page is nested so deep, and justext walks to the root from each paragraph
TOO_DEEP = f"boolean({'/*' * (DEEPEST + 1)})"
INVISIBLE = ("script", "style", "noscript", "template", "svg", "iframe", "object", "select")
ASIDE = ("head", "nav")
LAYOUT = ("table", "h1", "h2", "h3", "h4", "h5", "h6", "pre")  # a cell that holds one of these lays out the page
LONGEST_CELL = 500
# Marks that are no text, "[edit]", "[1]" and "¶", by their class; and second spellings of a word that are not shown.
MARKS = ("mw-editsection", "reference", "headerlink")
DROPPED = "|".join(
    [f"//*[contains(concat(' ', normalize-space(@class), ' '), ' {mark} ')]" for mark in MARKS]
    + ["//span[contains(translate(@style, ' ', ''), 'display:none')]"]
)
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
REFERENCE = re.compile("&#(?:[xX]0*([0-9a-fA-F]{1,4})|0*([0-9]{1,5}))(?![0-9a-fA-F]);?")


def read_html(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The page as one document; its language, author, description and date where it declares them."""
    root = _parsed(decoded(raw, markup=True), raw.source)
    if root is None:
        yield Document(raw.source, "")
        return
    metadata = _declared(root)
    page_title = _text(root.find("head/title"))
    text, headings = _content(root)
    yield Document(raw.source, text, _title(page_title, headings), metadata=metadata, sections=sections(headings))


def _parsed(page: str, source: str) -> "Element | None":
    from lxml import etree, html

    # The text is handed over as UTF-8, so that no declaration in it has a say any more.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        root = html.document_fromstring(REFERENCE.sub(_sound, NOT_XML.sub(" ", page)).encode(), parser=parser)
    except etree.ParserError:  # nothing in it
        return None
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):  # it would stop reading there
        raise UnreadableFile(source, "its elements are nested over 2,000 deep")
    etree.strip_elements(root, *INVISIBLE, with_tail=False)
    marks: Any = root.xpath(DROPPED)
    for element in marks:
        element.drop_tree()
    for block in root.iter("pre"):  # only code within keeps trafilatura from taking it for a quotation
        text = "".join(map(str, block.itertext()))
        del block[:]
        block.text = None
        etree.SubElement(block, "code").text = text
    _flatten_cells(root)
    return root


def _sound(reference: re.Match[str]) -> str:
    """A reference to a character, or a space for one that lxml would find and not take back."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return " " if code <= sys.maxunicode and NOT_XML.match(chr(code)) else reference[0]


def _flatten_cells(root: "Element") -> None:
    """Make plain text of each cell of data: trafilatura drops the lists and many of the links in a cell."""
    for cell in root.iter("td", "th"):
        if len(_text(cell)) > LONGEST_CELL or not len(cell) or next(cell.iter(*LAYOUT), None) is not None:
            continue
        for element in cell.iter("li", "br", "p", "div"):
            if element.tag == "li" and element.getprevious() is not None:
                element.text = "; " + (element.text or "")
            element.tail = " " + (element.tail or "")
        text = _text(cell).replace(" ; ", "; ")
        del cell[:]
        cell.text = text


def _content(root: "Element") -> tuple[str, list[Heading]]:
    """The main text, or all that is visible where there is too little of it or too much."""
    from lxml import etree

    count = sum(1 for _ in root.iter())
    main = None if count > MOST_ELEMENTS or root.xpath(TOO_DEEP) else _main(root, fast=count > MANY_ELEMENTS)
    etree.strip_elements(root, *ASIDE, with_tail=False)
    visible = rendered(root)
    if main is None or len(visible[0]) < SHORT_PAGE or len(main[0]) < LEAST_SHARE * len(visible[0]):
        return visible
    return main


def _main(root: "Element", fast: bool) -> tuple[str, list[Heading]] | None:
    """The main text as trafilatura finds it, laid out by us: its own text has no blank lines between paragraphs.

    fast: without its second and third opinions.
    """
    import logging

    import trafilatura

    # Without a handler of its own its warnings would reach the terminal by way of Python's last resort.
    log = logging.getLogger("trafilatura")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    found = trafilatura.bare_extraction(root, fast=fast, include_comments=False, include_formatting=False)
    return None if found is None else rendered(found.body)


def _declared(root: "Element") -> dict[str, Any]:
    """What the page says of itself; nothing is guessed from its text."""
    metadata = {"language": root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""}
    named = {
        str(meta.get("name") or meta.get("property")).lower(): meta.get("content") or "" for meta in root.iter("meta")
    }
    metadata["author"] = named.get("author", "")
    metadata["description"] = named.get("description", "")
    metadata["date"] = named.get("article:published_time") or named.get("date", "")
    return {name: value.strip() for name, value in metadata.items() if value.strip()}


def _title(page_title: str, headings: list[Heading]) -> str | None:
    """The page's title, or the heading that it repeats: "Consciousness" for "Consciousness - Wikipedia"."""
    first = next((heading.title for heading in headings if heading.level == 1), "")
    return first if first and first in page_title else page_title or first or None


def _text(element: "Element | None") -> str:
    return " ".join("".join(map(str, element.itertext())).split()) if element is not None else ""
