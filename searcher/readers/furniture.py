"""What of a web page is furniture: menus, notices, boxes; told by tags, roles and names of classes, in any language.

The names are those that themes and systems give to such parts, by whole words: "site-footer", "relatedPosts".
"""

import re
from collections.abc import Callable, Set
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["INVISIBLE", "MARKS", "is_comment", "is_furniture", "is_margin"]

INVISIBLE = (
    *("script", "style", "noscript", "template", "svg", "iframe", "object", "select", "datalist", "textarea", "title"),
    *("audio", "video", "canvas"),  # in which only stands what older programs show
)
CONTROLS = {"button", "dialog", "menu", "nav"}
ROLES = {
    *("navigation", "search", "menu", "menubar", "toolbar", "tablist", "tooltip", "dialog", "alertdialog"),
    *("doc-toc", "doc-pagelist"),
}
MARGIN_ROLES = {"banner", "complementary", "contentinfo"}
NAMES = {
    *("nav", "navi", "navbar", "navbox", "navigation", "subnav", "sidenav", "menu", "breadcrumb", "breadcrumbs"),
    *("sidebar", "footer", "masthead", "pagination", "pager", "paging", "toolbar", "search", "searchform", "sitemap"),
    *("toc", "share", "sharing", "sharedaddy", "social", "sociable", "related", "recommended", "recommendations"),
    *("popular", "cookie", "cookies", "consent", "gdpr", "newsletter", "subscribe", "login", "signup", "respond"),
    *("advert", "advertisement", "advertisements", "ads", "adsense", "sponsor", "sponsored", "promo", "outbrain"),
    *("taboola", "popup", "modal", "overlay", "lightbox", "banner", "teaser", "teasers", "tags", "byline", "rating"),
    *("vote", "noprint"),
}
NOTES = {"footnote", "footnotes", "endnotes", "note", "notes", "admonition", "callout", "warning", "tip", "sidenote"}
COMMENTS = {"comment", "comments", "commentlist"}
TALK = {"form", "respond", "reply"}  # within comments: what invites to write one
HEADINGS = {f"h{level}" for level in range(1, 7)}
TEXT = {"html", "body", "main", "article"} | HEADINGS
SENTENCE = 80  # characters; a remark of the text is no shorter
FEW = 50  # elements looked at below one, so that a page costs no more than its length
SECTION = {"section", "sect", "level"}
HAS = re.compile(r"(?:has|with|without|no)-[\w-]+")  # a class that says so of the page is none of what it names
WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Signs that are no text, by class or role, and how long they are at most: "[edit]", "¶", "[1]", "↩".
MARKS: dict[str | None, int] = {
    "mw-editsection": 80, "mw-cite-backlink": 80, "viewcode-link": 20, "headerlink": 20, "hash-link": 20,
    "header-anchor": 20, "anchorjs-link": 20, "footnote-ref": 8, "footnote-reference": 8, "doc-noteref": 8,
    "footnote-back": 8, "MsoFootnoteReference": 8, "MsoEndnoteReference": 8, "footnote-backref": 8, "doc-backlink": 8,
}  # fmt: skip


def is_furniture(element: "Element") -> bool:
    """Whether it is in no page a part of its text."""
    return element.tag in CONTROLS or element.get("role") in ROLES


def is_margin(element: "Element", part: bool, length: int) -> bool:
    """Whether it looks like something beside the text, which on some pages holds the text all the same.

    part: whether it stands in an article, main or section; length: its characters that are in no link.
    """
    if element.tag in TEXT or (element.get("role") or "").startswith("doc-"):
        return False
    names = _names(element)
    if NAMES & names or element.get("role") in MARGIN_ROLES:
        return True
    return element.tag in MARGINS and not NOTES & names and MARGINS[str(element.tag)](element, part, length)


def is_comment(element: "Element", inside: bool) -> bool:
    """Whether it belongs to what readers wrote; inside: what is so of the element around it."""
    names = _names(element)
    return (inside or bool(COMMENTS & names)) and not TALK & names and element.tag != "form"


def _is_of_the_site(header: "Element", part: bool, length: int) -> bool:
    """Whether a header is the site's, with its menu or without a heading, and not that of an article or a section."""
    tags = {below.tag for below in islice(header.iter(), FEW)}
    return not part and (not tags.isdisjoint(("nav", "form", "ul")) or tags.isdisjoint(("h1", "h2", "h3")))


def _is_beside(aside: "Element", part: bool, length: int) -> bool:
    """Whether an aside is no remark of the text's own."""
    return not part or length < SENTENCE


def _closes_the_page(footer: "Element", part: bool, length: int) -> bool:
    """Whether a footer is not that of a quotation or a picture."""
    parent = footer.getparent()
    return parent is None or parent.tag not in ("blockquote", "figure")


MARGINS: dict[str, Callable[["Element", bool, int], bool]] = {
    "aside": _is_beside,
    "footer": _closes_the_page,
    "form": lambda form, part, length: True,
    "header": _is_of_the_site,
}


def _names(element: "Element") -> Set[str]:
    """The words of its classes and its id, without the id of a section, which is the words of its heading."""
    given, name = element.get("class"), element.get("id")
    words = _words(given) if given else frozenset()
    if name and element.tag != "section" and not SECTION & words:
        words |= _words(name)
    return words


@lru_cache(maxsize=4096)
def _words(names: str) -> frozenset[str]:
    return frozenset(word.lower() for word in WORDS.findall(HAS.sub("", names)))
