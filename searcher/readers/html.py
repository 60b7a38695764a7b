"""Web pages: the main text and its headings, without the menus and notices around it."""

from collections.abc import Iterator
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from searcher.readers.blocks import Block, laid_out, readable
from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, sections
from searcher.readers.htmltree import clean, parsed, unwrapped
from searcher.readers.maintext import main_text
from searcher.readers.marks import line_of
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["read_html", "read_xhtml"]

MOST_ELEMENTS = 20_000  # a larger page is content for the most part, and trafilatura takes the square of some pages
MANY_ELEMENTS = 2_000  # of so many justext, which is asked where trafilatura found little, takes the square
DEEPEST = 256  # nobody's page is nested so deep, and justext walks to the root from each paragraph
TOO_DEEP = f"boolean({'/*' * (DEEPEST + 1)})"


def read_html(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The page as one document; its language, author, description and date where it declares them."""
    yield from _read(raw, decoded(raw, markup=True))


def read_xhtml(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same for XHTML, where CDATA is text."""
    yield from _read(raw, unwrapped(decoded(raw, markup=True)))


def _read(raw: Raw, page: str) -> Iterator[Item]:
    root = parsed(page, raw.source)
    if root is None:
        yield Document(raw.source, "")
        return
    metadata = _declared(root)
    page_title = readable(line_of(root.find("head/title")))
    text, headings, lines = laid_out(_content(root))
    title = _title(page_title, headings)
    yield Document(raw.source, text, title, metadata=metadata, sections=sections(headings), places=tuple(lines))


def _content(root: "Element") -> list[Block]:
    """The blocks of the page that are its text."""
    count = sum(1 for _ in root.iter())
    found = None if count > MOST_ELEMENTS or root.xpath(TOO_DEEP) else _found(root, fast=count > MANY_ELEMENTS)
    clean(root)
    return main_text(root, found)


def _found(root: "Element", fast: bool) -> "Element | None":
    """What trafilatura makes of the page; fast: without its second and third opinions."""
    import logging

    import trafilatura

    # Without a handler of its own its warnings would reach the terminal by way of Python's last resort.
    log = logging.getLogger("trafilatura")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    found = trafilatura.bare_extraction(deepcopy(root), fast=fast, include_comments=False, include_formatting=False)
    return None if found is None else found.body


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
