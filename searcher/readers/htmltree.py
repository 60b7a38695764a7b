"""The text of an HTML page to a tree: sound whatever is in it, and without what is not shown."""

import html
import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from searcher.errors import UnreadableFile
from searcher.readers.blocks import PARAGRAPHS
from searcher.readers.furniture import INVISIBLE
from searcher.readers.linear import spelled
from searcher.readers.marks import drop_marks, line_of
from searcher.readers.numerals import whole
from searcher.readers.symbols import has_signs, shown

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

__all__ = ["clean", "drop_hidden", "flatten_cells", "gather_readings", "parsed", "spell_formulas", "unwrapped"]

LAYOUT = ("table", "h1", "h2", "h3", "h4", "h5", "h6", "pre")  # a cell that holds one of these lays out the page
LONGEST_CELL = 500
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
REFERENCE = re.compile("&#(?:[xX]0*([0-9a-fA-F]{1,4})|0*([0-9]{1,5}))(?![0-9a-fA-F]);?")
CDATA = re.compile(r"<!\[CDATA\[((?:(?!\]\]>).)*)\]\]>", re.DOTALL)
ENDS = re.compile(r"</(?:body|html)\s*>|</?noframes\b[^>]*>", re.IGNORECASE)
# What is drawn again for the eye where it is read out elsewhere.
HIDDEN = "//*[@aria-hidden='true'][self::span or self::i or self::a]"
UNSHOWN = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)\b", re.IGNORECASE)
BLOCK = re.compile(r"(?:^|;)\s*display\s*:\s*(?:block|flex|grid|table|list-item)\b(?!-)", re.IGNORECASE)
INLINE = ("a", "b", "code", "em", "font", "i", "label", "small", "span", "strong", "u")
FAMILY = re.compile(r"(?:^|;)\s*font(?:-family\s*:\s*([^;,]+)|\s*:)", re.IGNORECASE)
PAGE = {"html", "body", "main", "article"}  # which a script shows when it is there
# A button that opens a part of the text is the title of that part.
BUTTONS = "//button[not(@aria-expanded)][not(ancestor::*[self::h1 or self::h2 or self::h3 or self::h4 or self::dt])]"
TEX_EDGES = re.compile(r"\A\s*% <!\[CDATA\[|%\s*\]\]>\s*\Z")  # as kramdown writes them
DISPLAY = re.compile(r"\s*\{\\displaystyle (.*)\}\s*", re.DOTALL)  # MediaWiki puts it around every formula


def parsed(page: str, source: str) -> "Element | None":
    """The tree of a page, None if there is nothing in it. Raises UnreadableFile for elements nested over 2,000 deep."""
    from lxml import etree
    from lxml import html as lxml_html

    # The text is handed over as UTF-8, so that no declaration in it has a say any more.
    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    # What follows the end of a page belongs to it, as in a browser; lxml would make a second tree of it.
    page = ENDS.sub("", NOT_XML.sub(" ", page.lstrip("\ufeff")))
    try:
        root = lxml_html.document_fromstring(REFERENCE.sub(_sound, page).encode(), parser=parser)
    except etree.ParserError:  # nothing in it
        return None
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):  # it would stop reading there
        raise UnreadableFile(source, "its elements are nested over 2,000 deep")
    for cell in root.iter("td", "th"):
        parent = cell.getparent()
        if parent is None or parent.tag != "tr":
            cell.tag = "div"  # outside a row a browser knows no cell
    fill_shadows(root)
    return root


def _sound(reference: re.Match[str]) -> str:
    """A reference to a character, or a space for one that lxml would find and not take back."""
    code = int(reference[1], 16) if reference[1] else int(reference[2])
    return " " if code <= sys.maxunicode and NOT_XML.match(chr(code)) else reference[0]


def clean(root: "Element", scripted: bool = True) -> None:
    """Take away what is not shown or is no text, and make cells of data plain.

    scripted: scripts of the page may show what is hidden at first, where it has a name by which they find it.
    """
    from lxml import etree

    show_frames(root)
    show_scripts(root)
    etree.strip_elements(root, *INVISIBLE, with_tail=False)
    spell_formulas(root)
    for element in root.xpath(f"{HIDDEN}|{BUTTONS}"):  # type: ignore[union-attr]
        element.drop_tree()  # type: ignore[union-attr]
    drop_hidden(root, scripted)
    part_blocks(root)
    show_signs(root)
    gather_readings(root)
    drop_marks(root)
    spread_cells(root)
    flatten_cells(root)


def show_frames(root: "Element") -> None:
    """Set what a page writes into a frame in it before that; not what is in a frame of that in its turn."""
    for frame in [each for each in root.iter("iframe") if each.get("srcdoc")]:
        inner = None
        with suppress(UnreadableFile):
            inner = parsed(frame.get("srcdoc") or "", "")
        body = inner.find("body") if inner is not None else None
        if body is not None:
            body.tag = "div"
            for element in body.iter():
                element.sourceline = frame.sourceline
            frame.addprevious(body)


def show_scripts(root: "Element") -> None:
    """Put the TeX that a page leaves to MathJax in the place of its script, unless it is drawn there already."""
    for script in [each for each in root.iter("script") if (each.get("type") or "").startswith("math/tex")]:
        before = script.getprevious()
        drawn = before is not None and not (before.tail or "").strip() and "MathJax" in (before.get("class") or "")
        if not (drawn and line_of(before)):
            script.tag, script.text = "span", TEX_EDGES.sub("", script.text or "")


def unwrapped(page: str) -> str:
    """A page of XHTML with what stands in CDATA as HTML has it."""
    closed = page.rfind("]]>") + 3  # each of the openings behind it would be followed to the end of the page
    return CDATA.sub(lambda found: html.escape(found[1], quote=False), page[:closed]) + page[closed:]


def fill_shadows(root: "Element") -> None:
    """Put into each element that is shown by a tree of its own (a declared shadow root) that tree; in its slots stands
    what the element holds, and what has no slot is not shown.
    """
    for shadow in [each for each in root.iter("template") if each.get("shadowrootmode")]:
        host = shadow.getparent()
        if host is None or host.find("div[@shadowrootmode]") is not None:
            continue  # only the first is one
        slots = {slot.get("name") or "": slot for slot in reversed(list(shadow.iter("slot")))}
        held = [("", host.text, None), *((str(each.get("slot") or ""), each.tail, each) for each in host)]
        shadow.tag, host.text, shadow.tail = "div", None, None
        filled = set()
        for name, said, element in held:
            for slot, text, moved in ((slots.get(name), None, element), (slots.get(""), said, None)):
                if moved is not None and moved is not shadow:
                    moved.tail = None
                    host.remove(moved)
                if slot is None or moved is shadow or (moved is None and not (text or "").strip()):
                    continue
                if slot not in filled:  # what stands in it is for want of anything else
                    filled.add(slot)
                    slot.text = None
                    del slot[:]
                if moved is not None:
                    slot.append(moved)
                elif len(slot):
                    slot[-1].tail = text
                else:
                    slot.text = f"{slot.text or ''}{text}"


def part_blocks(root: "Element") -> None:
    """Set what only a style makes a block in one, so that its words do not touch those beside it."""
    from lxml import etree

    for element in [each for each in root.iter(*INLINE) if BLOCK.search(each.get("style") or "")]:
        block = etree.Element("div")
        block.sourceline = element.sourceline
        element.addprevious(block)
        block.tail, element.tail = element.tail, None
        block.append(element)


def show_signs(root: "Element") -> None:
    """Put letters in fonts of signs as what they show: Outlook writes a smile as a J in Wingdings, an arrow as an à."""
    for element in root.iter():
        font = _font(element)
        waiting = [element] if has_signs(font) else []
        while waiting:
            each = waiting.pop()
            each.text = shown(each.text, font) if each.text else each.text
            for child in each:
                child.tail = shown(child.tail, font) if child.tail else child.tail
                waiting += [child] if _font(child) is None else []


def _font(element: "Element") -> str | None:
    """The first font that an element itself says it is in; "" where it says but a size with it."""
    face, style = element.get("face"), element.get("style") or ""
    found = FAMILY.search(style) if "font" in style else None
    if face is None and found is None:
        return None
    return (found[1] or "" if found else str(face).partition(",")[0]).strip("\"' ")


def drop_hidden(root: "Element", scripted: bool = False) -> None:
    """Take away what is never seen."""
    for element in [element for element in root.iterdescendants() if _is_hidden(element, scripted)]:
        if element.getparent() is not None:
            element.drop_tree()  # type: ignore[attr-defined]


def gather_readings(root: "Element") -> None:
    """Set what says how characters are read behind all of them, so that none parts a word: 漢字(かんじ)."""
    for ruby in root.iter("ruby"):
        said = "".join(line_of(each) for each in ruby.iter("rt"))
        for each in list(ruby.iter("rp", "rt")):
            each.drop_tree()  # type: ignore[attr-defined]
        if said:
            ruby.tail = f"({said}){ruby.tail or ''}"


def _is_hidden(element: "Element", scripted: bool) -> bool:
    """Whether it is never seen: second spellings of a word, notes of authors, what mails show in a list of them."""
    if element.get("hidden") == "until-found" or (scripted and element.get("role") == "tabpanel"):
        return False
    if element.get("hidden") is None and not UNSHOWN.search(element.get("style") or ""):
        return False
    if element.tag in PAGE or next(element.iter("math"), None) is not None:
        return False
    return element.tag == "span" or not (scripted and (element.get("id") or element.get("class")))


def spread_cells(root: "Element") -> None:
    """Give each row that a cell from above reaches into an empty one in its place, so that the others stand under
    their heads.
    """
    from lxml import etree

    groups = {
        row.getparent()
        for cell in root.iter("td", "th")
        if cell.get("rowspan") and (row := cell.getparent()) is not None
    }
    for group in groups:
        # Column → rows into which a cell still reaches, columns that it takes.
        reaching: dict[int, tuple[int, int]] = {}
        for row in () if group is None else group.iterchildren("tr"):
            column, below = 0, dict[int, tuple[int, int]]()
            for cell in row.iterchildren("td", "th"):
                while column in reaching:
                    rows, columns = reaching.pop(column)
                    cell.addprevious(etree.Element("td"))
                    below[column] = rows - 1, columns
                    column += columns
                below[column] = whole(cell.get("rowspan"), 1, 1) - 1, whole(cell.get("colspan"), 1, 1)
                column += below[column][1]
            below |= {column: (rows - 1, columns) for column, (rows, columns) in reaching.items()}
            reaching = {column: reach for column, reach in below.items() if reach[0]}


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
        items = 0
        for element in cell.iterdescendants(*PARAGRAPHS, "br"):
            items += element.tag == "li"
            apart = "; " if element.tag == "li" and items > 1 else " "
            element.text = apart + (element.text or "")
            element.tail = " " + (element.tail or "")
        text = line_of(cell).replace(" ; ", "; ")
        del cell[:]
        cell.text = text
