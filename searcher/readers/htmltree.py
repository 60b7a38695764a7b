"""The text of an HTML page to a tree: sound whatever is in it, and without what is not shown."""

import re
import sys
from typing import TYPE_CHECKING

from searcher.errors import UnreadableFile
from searcher.readers.furniture import INVISIBLE
from searcher.readers.linear import spelled
from searcher.readers.marks import drop_marks, line_of

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["clean", "flatten_cells", "parsed", "spell_formulas"]

LAYOUT = ("table", "h1", "h2", "h3", "h4", "h5", "h6", "pre")  # a cell that holds one of these lays out the page
LONGEST_CELL = 500
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
REFERENCE = re.compile("&#(?:[xX]0*([0-9a-fA-F]{1,4})|0*([0-9]{1,5}))(?![0-9a-fA-F]);?")
ENDS = re.compile(r"</(?:body|html)\s*>|</?noframes\b[^>]*>", re.IGNORECASE)
# Second spellings of a word, and what is drawn again for the eye where it is read out elsewhere.
HIDDEN = (
    "//span[contains(translate(@style, ' ', ''), 'display:none')][not(.//math)]"
    "|//*[@aria-hidden='true'][self::span or self::i or self::a]"
)
# A button that opens a part of the text is the title of that part.
BUTTONS = "//button[not(@aria-expanded)][not(ancestor::*[self::h1 or self::h2 or self::h3 or self::h4 or self::dt])]"
DISPLAY = re.compile(r"\s*\{\\displaystyle (.*)\}\s*", re.DOTALL)  # MediaWiki puts it around every formula


def parsed(page: str, source: str) -> "Element | None":
    """The tree of a page, None if there is nothing in it. Raises UnreadableFile for elements nested over 2,000 deep."""
    from lxml import etree, html

    # The text is handed over as UTF-8, so that no declaration in it has a say any more.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    # What follows the end of a page belongs to it, as in a browser; lxml would make a second tree of it.
    page = ENDS.sub("", NOT_XML.sub(" ", page.lstrip("\ufeff")))
    try:
        root = html.document_fromstring(REFERENCE.sub(_sound, page).encode(), parser=parser)
    except etree.ParserError:  # nothing in it
        return None
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):  # it would stop reading there
        raise UnreadableFile(source, "its elements are nested over 2,000 deep")
    for cell in root.iter("td", "th"):
        parent = cell.getparent()
        if parent is None or parent.tag != "tr":
            cell.tag = "div"  # outside a row a browser knows no cell
    return root


def _sound(reference: re.Match[str]) -> str:
    """A reference to a character, or a space for one that lxml would find and not take back."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return " " if code <= sys.maxunicode and NOT_XML.match(chr(code)) else reference[0]


def clean(root: "Element") -> None:
    """Take away what is not shown or is no text, and make cells of data plain."""
    from lxml import etree

    etree.strip_elements(root, *INVISIBLE, with_tail=False)
    spell_formulas(root)
    hidden: list[Element] = root.xpath(f"{HIDDEN}|{BUTTONS}")  # type: ignore[assignment]
    for element in hidden:
        element.drop_tree()  # type: ignore[attr-defined]
    drop_marks(root)
    flatten_cells(root)


def spell_formulas(root: "Element") -> None:
    """Put the TeX of each formula in the place of its MathML, or a line of it that gives none: its characters alone say
    little.
    """
    for formula in root.iter("math", "m:math", "mml:math"):
        notes = (each for each in formula.iter() if str(each.tag).rpartition(":")[2] == "annotation")
        tex = next((each for each in notes if "tex" in (each.get("encoding") or "")), None)
        text = DISPLAY.sub(r"\1", tex.text or "") if tex is not None else spelled(formula)
        del formula[:]
        formula.text = text


def flatten_cells(root: "Element") -> None:
    """Make plain text of each cell of data, the items of its lists parted by semicolons."""
    for cell in root.iter("td", "th"):
        if len(line_of(cell)) > LONGEST_CELL or not len(cell) or next(cell.iter(*LAYOUT), None) is not None:
            continue
        for element in cell.iter("li", "br", "p", "div"):
            if element.tag == "li" and element.getprevious() is not None:
                element.text = "; " + (element.text or "")
            element.tail = " " + (element.tail or "")
        text = line_of(cell).replace(" ; ", "; ")
        del cell[:]
        cell.text = text
