"""PDF: the text of its pages as a person reads it, the outline as sections, each page and its printed label a place."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument, PdfiumError

from searcher.errors import UnreadableFile
from searcher.readers.headings import Heading, best_title
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.pdf_annotations import Form, form_of, with_annotations
from searcher.readers.parsers.pdf_glyphs import BROKEN_FONT, GUESSED_FONT
from searcher.readers.parsers.pdf_outline import Span, outlined
from searcher.readers.parsers.pdf_page import NO_TEXT, Page, read_page, rotation
from searcher.readers.parsers.pdf_setting import notes, set_in_pages
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document, Note

__all__ = ["read_pdf"]

# What PDFium says (FPDF_GetLastError in fpdfview.h), as we say it.
FAULTS = {
    2: "it cannot be opened",
    3: "it is damaged or cut short: no PDF that can be read",
    4: "it is encrypted; it opens only with a password",
    5: "its kind of encryption is not supported",
}
BROKEN_PAGE = "damaged"
MEMORY_BYTES = 16 * 2**20  # a larger file is read as it is needed: a book of scans has hundreds of megabytes
# What programs call a document whose writer gave it no title.
NO_TITLE = re.compile(
    r"untitled|\(?anonymous\)?|(?:powerpoint|slide) presentation|document ?\d*"
    r"|.*\.(?:docx?|pptx?|tex|dvi|indd|qxd|xlsx?)",
    re.IGNORECASE,
)
NO_VALUE = re.compile(r"\(?(?:anonymous|unspecified)\)?", re.IGNORECASE)  # what programs put where nobody said anything
PROGRAM = re.compile(r"^Microsoft (?:Office )?(?:Word|PowerPoint|Excel) - ")
DATE = re.compile(r"D:(\d{4})(?:(\d\d)(\d\d)?)?")


def read_pdf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document; a Note for pages without text, for those whose fonts say not what their signs mean, and
    for those that OCR read.

    Raises UnreadableFile for a file that is encrypted, damaged, or cut short.
    """
    document = _opened(raw)
    try:
        # What has an outline says itself what its headings are.
        tells_bold = not pdfium.FPDFBookmark_GetFirstChild(document, None)
        with form_of(document) as form:
            pages = [_page(raw, options, document, number, form, tells_bold) for number in range(len(document))]
        yield _whole(raw.source, document, pages)
        attached = [one_line(document.get_attachment(at).get_name()) for at in range(document.count_attachments())]
    finally:
        document.close()
    if attached:
        yield Note(raw.source, f"files that are attached to it are not read: {', '.join(attached)}")
    yield from notes(raw.source, pages, (NO_TEXT, BROKEN_PAGE, GUESSED_FONT, BROKEN_FONT))


def _opened(raw: Raw) -> PdfDocument:
    try:
        return PdfDocument(raw.stream if raw.size > MEMORY_BYTES else raw.stream.read())
    except PdfiumError as fault:
        raise UnreadableFile(raw.source, FAULTS.get(fault.err_code or 0, "no PDF that can be read")) from None


def _page(
    raw: Raw, options: ReadOptions, document: PdfDocument, number: int, form: Form | None, tells_bold: bool
) -> Page:
    if not (page := pdfium.FPDF_LoadPage(document, number)):
        return Page([], BROKEN_PAGE)
    turned = rotation(page) if options.ocr else 0
    try:
        read = read_page(page, tells_bold)
        if options.ocr:
            from searcher.readers.parsers.pdf_scan import by_ocr  # of an extra

            read = by_ocr(document, number, read, f"{raw.source} page {number}", turned)
        return with_annotations(page, read, form)
    except PdfiumError:
        return Page([], BROKEN_PAGE)
    finally:
        pdfium.FPDF_ClosePage(page)


def _whole(source: str, document: PdfDocument, pages: Sequence[Page]) -> Document:
    draft = Draft(source)
    labels = [one_line(document.get_page_label(number)) for number in range(len(pages))]
    spans = set_in_pages(draft, pages, labels)
    title = _title(document)
    if found := outlined(document, draft.text, spans):
        title = title or _above(found[0], draft.headings, spans)
        draft.headings = found
    title = title or best_title(heading for heading in draft.headings if heading.level == 1)  # of a part none
    return replace(draft.document(title, _declared(document)), title=title)


def _above(first: Heading, headings: Sequence[Heading], spans: Sequence[Span | None]) -> str | None:
    """The largest line of the first page, where that stands above the first entry of the outline."""
    end = min(first.start, spans[0].end if spans and spans[0] else 0)
    return next((heading.title for heading in headings if heading.level == 1 and heading.start < end), None)


# -- what the file says of itself


def _title(document: PdfDocument) -> str | None:
    """Its title, where that is one."""
    title = PROGRAM.sub("", one_line(document.get_metadata_value("Title")))
    return None if NO_TITLE.fullmatch(title) else title


def _declared(document: PdfDocument) -> dict[str, Any]:
    made = DATE.match(document.get_metadata_value("CreationDate"))
    return {
        "author": _said(document, "Author"),
        "description": _said(document, "Subject"),
        "keywords": _said(document, "Keywords"),
        "date": "-".join(filter(None, made.groups())) if made else "",
    }


def _said(document: PdfDocument, name: str) -> str:
    value = one_line(document.get_metadata_value(name))
    return "" if NO_VALUE.fullmatch(value) else value
