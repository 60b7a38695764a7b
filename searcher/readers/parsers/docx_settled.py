"""A tree of Word made as it looks: without codes of fields and deleted cells, paragraphs that became one joined."""

from searcher.readers.parsers.zipped import Element, attribute

__all__ = ["settle"]

CODE = "instrText"  # the tag of a field's code, which is not shown
SHOWN = {"t", "tab", "br", "cr", "sym", "ptab", "noBreakHyphen", "footnoteReference", "endnoteReference"}
MARK_GONE = ("pPr/rPr/del", "pPr/rPr/moveFrom")
GONE_CELL = "tcPr/cellDel"


def settle(root: Element) -> None:
    """Turn what stands within the codes of fields into code, drop deleted cells, join what lost the mark between it."""
    _hide_codes(root)
    for cell in root.findall(f".//{GONE_CELL}/../.."):
        cell.getparent().remove(cell)
    for paragraph in list(root.iter("p")):
        if any(paragraph.find(mark) is not None for mark in MARK_GONE):
            _join(paragraph)


def _hide_codes(root: Element) -> None:
    """A field is its code, a separator and what it shows; a code may hold fields, of which then nothing is shown.

    Of a field that has no end in the tree nothing is hidden.
    """
    open_: list[int | None] = []  # fields: how much was shown where the code began, None after it
    shown: list[Element] = []  # that may yet turn out to be code
    for element in list(root.iter("fldChar", *SHOWN)) if root.find(".//fldChar") is not None else ():
        kind = attribute(element, "fldCharType")
        if element.tag != "fldChar":
            shown.append(element)
        elif kind == "begin":
            open_.append(len(shown))
        elif open_ and kind in ("separate", "end"):
            if (begun := open_.pop()) is not None:
                for hidden in shown[begun:]:
                    hidden.tag = CODE
                del shown[begun:]
            if kind == "separate":
                open_.append(None)


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
