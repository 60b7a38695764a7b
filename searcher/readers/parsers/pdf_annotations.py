"""What stands on the pages of a PDF beside their own text: what is filled in in forms, and what readers remarked."""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument

from searcher.readers.parsers.drafting import one_line
from searcher.readers.parsers.pdf_layout import body_size
from searcher.readers.parsers.pdf_page import Box, Line, Page
from searcher.readers.parsers.pdf_plain import plain

__all__ = ["Form", "form_of", "with_annotations"]

Form = Any  # a handle of PDFium, of which the values of fields are asked

UNSEEN = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
REMARKS = {
    pdfium.FPDF_ANNOT_TEXT, pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_LINE, pdfium.FPDF_ANNOT_SQUARE,
    pdfium.FPDF_ANNOT_CIRCLE, pdfium.FPDF_ANNOT_POLYGON, pdfium.FPDF_ANNOT_POLYLINE, pdfium.FPDF_ANNOT_HIGHLIGHT,
    pdfium.FPDF_ANNOT_UNDERLINE, pdfium.FPDF_ANNOT_SQUIGGLY, pdfium.FPDF_ANNOT_STRIKEOUT, pdfium.FPDF_ANNOT_STAMP,
    pdfium.FPDF_ANNOT_CARET, pdfium.FPDF_ANNOT_INK,
}  # fmt: skip
ON_PAGE = {pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT}  # which are read where they stand, the others below
READ = REMARKS | ON_PAGE
BOXES = {pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON}
VALUES = {pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX}
USUAL_SIZE = 10.0  # points, on a page without lines
HALF = 0.5  # of the height of a line, by which what stands beside it is as high


class Annotation(NamedTuple):
    """What one says, where on the page it stands, and whether it is read there."""

    text: str
    box: Box
    on_page: bool


@contextmanager
def form_of(document: PdfDocument) -> Iterator[Form | None]:
    """The form of a document, None for one without."""
    if document.get_formtype() == pdfium.FORMTYPE_NONE:
        yield None
        return
    settings = pdfium.FPDF_FORMFILLINFO(version=2)
    form = pdfium.FPDFDOC_InitFormFillEnvironment(document, settings)
    try:
        yield form or None
    finally:
        if form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(form)


def with_annotations(page: Any, read: Page, form: Form | None) -> Page:
    """The page with each value beside the line that names it, and the remarks below its text."""
    count = pdfium.FPDFPage_GetAnnotCount(page)
    if count <= 0:
        return read
    found = list(_annotations(page, count, form))
    if not found:
        return read
    lines, size = list(read.lines), body_size([read.lines]) or USUAL_SIZE
    for text, box, _ in (one for one in found if one.on_page):
        _put(lines, text, box, size)
    lines += [Line.of(text, box, box, size) for text, box, on_page in found if not on_page]
    return read._replace(lines=lines)


def _annotations(page: Any, count: int, form: Form | None) -> Iterator[Annotation]:
    for number in _no_links(page, count):
        raw = pdfium.FPDFPage_GetAnnot(page, number)
        try:
            kind = pdfium.FPDFAnnot_GetSubtype(raw)
            seen = kind in READ and not pdfium.FPDFAnnot_GetFlags(raw) & UNSEEN
            text, edges = _text(raw, kind, form) if seen else "", pdfium.FS_RECTF()
            if text and pdfium.FPDFAnnot_GetRect(raw, edges):
                box = Box(edges.left, edges.right, edges.bottom, edges.top)
                yield Annotation(text, box, kind in ON_PAGE)
        finally:
            pdfium.FPDFPage_CloseAnnot(raw)


def _no_links(page: Any, count: int) -> list[int]:
    """The numbers of the annotations that are no links. Most are: PDFium goes through those in a tenth of the time."""
    links, end, link = set(), ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, end, link):
        links.add(end.value - 1)
    return [number for number in range(count) if number not in links]


def _text(raw: Any, kind: int, form: Form | None) -> str:
    if kind == pdfium.FPDF_ANNOT_WIDGET and form:
        return _value(raw, form)
    return _string(pdfium.FPDFAnnot_GetStringValue, raw, b"Contents") if kind in REMARKS else ""


def _value(raw: Any, form: Form) -> str:
    """What is filled in in a field; nothing of a password."""
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, raw)
    if kind in BOXES:
        shown = _string(pdfium.FPDFAnnot_GetStringValue, raw, b"AS")  # the state of which it has the look
        return "☐" if shown in ("", "Off") else "☑"
    secret = pdfium.FPDFAnnot_GetFormFieldFlags(form, raw) & pdfium.FPDF_FORMFLAG_TEXT_PASSWORD
    if kind not in VALUES or (kind == pdfium.FPDF_FORMFIELD_TEXTFIELD and secret):
        return ""
    return _string(pdfium.FPDFAnnot_GetFormFieldValue, form, raw)


def _string(function: Callable[..., int], *given: Any) -> str:
    """What a function of PDFium puts into a buffer, as one line."""
    size = function(*given, None, 0)  # in bytes, the end included
    buffer = (ctypes.c_ushort * (size // 2))()
    function(*given, buffer, size)
    return plain(one_line(bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")))


def _put(lines: list[Line], text: str, box: Box, size: float) -> None:
    """Set what stands on the page into its lines: beside one that is as high, else under the one above it."""
    beside = [at for at, line in enumerate(lines) if _is_as_high(line.last, box)]
    before = [at for at in beside if lines[at].last.right <= box.left + size]
    after = [at for at in beside if lines[at].first.left >= box.right - size]
    if before or after:
        near = max(before, key=lambda at: lines[at].last.right) if before else min(after)
        label = lines[near].last if before else lines[near].first
        left, right = (max(box.left, label.right), box.right) if before else (box.left, min(box.right, label.left))
        at, box = near + bool(before), Box(left, right, label.bottom, label.top)
    else:
        at, box = _under(lines, box), Box(box.left, box.right, box.top - size, box.top)
    lines.insert(at, Line.of(text, box, box, size))


def _is_as_high(line: Box, box: Box) -> bool:
    overlap = min(line.top, box.top) - max(line.bottom, box.bottom)
    return overlap > HALF * line.height > 0


def _under(lines: Sequence[Line], box: Box) -> int:
    """The number behind the nearest line above."""
    above = [at for at, line in enumerate(lines) if line.last.bottom >= (box.top + box.bottom) / 2]
    return min(above, key=lambda at: lines[at].last.bottom) + 1 if above else 0
