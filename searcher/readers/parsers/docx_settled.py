"""A tree of Word made as it looks: without codes of fields and deleted cells, paragraphs that became one joined."""

from typing import NamedTuple

from searcher.readers.parsers.eq_field import drawn
from searcher.readers.parsers.zipped import Element, attribute
from searcher.readers.symbols import has_signs, shown

__all__ = ["settle"]

CODE = "instrText"  # the tag of a field's code, which is not shown
SHOWN = {"t", "tab", "br", "cr", "sym", "ptab", "noBreakHyphen", "footnoteReference", "endnoteReference"}
MARK_GONE = ("pPr/rPr/del", "pPr/rPr/moveFrom")
GONE_CELL = "tcPr/cellDel"


def settle(root: Element) -> None:
    """Turn what stands within the codes of fields into code, letters of fonts of signs into those, drop deleted cells,
    join what lost the mark between it.
    """
    _hide_codes(root)
    _show_signs(root)
    for cell in root.findall(f".//{GONE_CELL}/../.."):
        cell.getparent().remove(cell)
    for paragraph in list(root.iter("p")):
        if any(paragraph.find(mark) is not None for mark in MARK_GONE):
            _join(paragraph)


class Field(NamedTuple):
    """One that is open: how much was shown where its code began, None after that; what the code says, and how much was
    shown where that ended.
    """

    begun: int | None
    code: list[str]
    ended: int = -1


def _hide_codes(root: Element) -> None:
    """A field is its code, a separator and what it shows; a code may hold fields, of which then nothing is shown. What
    is drawn by its code alone shows that.

    Of a field that has no end in the tree nothing is hidden.
    """
    open_: list[Field] = []
    shown: list[Element] = []  # that may yet turn out to be code
    for element in list(root.iter("fldChar", CODE, *SHOWN)) if root.find(".//fldChar") is not None else ():
        kind = attribute(element, "fldCharType")
        if element.tag == CODE:
            if open_ and open_[-1].begun is not None:
                open_[-1].code.append(element.text or "")
        elif element.tag != "fldChar":
            shown.append(element)
        elif kind == "begin":
            open_.append(Field(len(shown), []))
        elif open_ and kind in ("separate", "end"):
            field = open_.pop()
            if field.begun is not None:
                for hidden in shown[field.begun :]:
                    hidden.tag = CODE
                del shown[field.begun :]
            if kind == "separate":
                open_.append(Field(None, field.code, len(shown)))
            elif (field.begun is not None or field.ended == len(shown)) and (line := drawn("".join(field.code))):
                element.tag, element.text = "t", line
                shown.append(element)


def _show_signs(root: Element) -> None:
    for fonts in root.iter("rFonts"):
        font, run = attribute(fonts, "ascii"), fonts.getparent().getparent()
        for text in run.findall("t") if has_signs(font) and run is not None else ():
            text.text = shown(text.text or "", font)
    for text in root.iter("t"):
        if text.text and not text.text.isascii():
            text.text = shown(text.text)


def _join(paragraph: Element) -> None:
    """Put what a paragraph holds before what the next one does, whose properties hold for both."""
    following = paragraph.getnext()
    while following is not None and following.tag not in ("p", "tbl", "sdt", "sectPr"):
        following = following.getnext()
    if following is None or following.tag != "p":
        return
    at = 0 if following.find("pPr") is None else 1
    for child in [child for child in paragraph if child.tag != "pPr"]:
        following.insert(at, child)
        at += 1
    paragraph.getparent().remove(paragraph)
