"""A page of a PDF that is a picture of a page: which are, and what OCR reads in them."""

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument, PdfImage, PdfPage

from searcher.readers.parsers.ocr import DPI, MOST_PIXELS, NOTHING_READ, recognized, reduction
from searcher.readers.parsers.ocr_steps import page_by_ocr
from searcher.readers.parsers.pdf_glyphs import BROKEN_FONT
from searcher.readers.parsers.pdf_page import NO_TEXT, Page
from searcher.readers.parsers.pdf_setting import cleaned

__all__ = ["by_ocr"]

STAMP = 200  # characters that a scanning program may have put on its pages: its name, a number
MOST_OF_PAGE = 0.6  # that a picture covers
INCH = 72  # points


def by_ocr(document: PdfDocument, number: int, read: Page, key: str, turned: int) -> Page:
    """What OCR reads on a page that is a scan, else the page as it was read; so too where OCR finds nothing, or fails.

    key: stands for the page. turned: by so many degrees it is shown, where its rotation was taken away.
    """
    if not _may_be_scan(read):
        return read
    page = document[number]
    try:
        return _by_ocr(page, read, key, turned) if read.fault or _picture(page) else read
    finally:
        page.close()


def _may_be_scan(read: Page) -> bool:
    """Whether nothing that makes sense was read on a page, or little: it is one where a picture covers most of it."""
    if read.fault:
        return read.fault in (NO_TEXT, BROKEN_FONT)
    return sum(len(line.text) for line in read.lines) < STAMP


def _by_ocr(page: PdfPage, read: Page, key: str, turned: int) -> Page:
    seen = cleaned(page_by_ocr(key, lambda: _seen(page, turned)))
    if seen.lines or (read.lines and seen.fault == NOTHING_READ):  # a photograph with what stands under it
        return seen if seen.lines else read
    return read._replace(fault=seen.fault)


def _seen(page: PdfPage, turned: int) -> Page:
    width, height = page.get_size()
    picture = _picture(page)
    dots = INCH * min(picture.get_px_size()) / min(_size(picture)) if picture else DPI
    dots = max(1.0, min(dots, INCH * (MOST_PIXELS / (width * height)) ** 0.5))
    shrunk = reduction(round(width * dots / INCH), round(height * dots / INCH), dots)
    bitmap = page.render(scale=shrunk * dots / INCH, rotation=turned)
    try:
        return recognized(bitmap.to_numpy(), shrunk * dots)
    finally:
        bitmap.close()


def _picture(page: PdfPage) -> PdfImage | None:
    """The picture that covers most of a page, None where there is no such."""
    width, height = page.get_size()
    for found in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
        across, up = _size(found)
        if min(across, width) * min(up, height) > MOST_OF_PAGE * width * height:
            return found
    return None


def _size(picture: PdfImage) -> tuple[float, float]:
    """Width and height on the page, in points."""
    left, bottom, right, top = picture.get_bounds()
    return right - left, top - bottom
