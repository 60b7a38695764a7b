"""PDF: the text of its pages as a person reads it, the outline as sections, each page and its printed label a place."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pypdfium2 import PdfDocument, PdfiumError

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.pdf_cleaning import plain, without_repeats
from searcher.readers.parsers.pdf_glyphs import BROKEN_FONT, GUESSED_FONT
from searcher.readers.parsers.pdf_layout import ENDED, blocks, body_size, heading_sizes, in_rows
from searcher.readers.parsers.pdf_outline import Span, outlined
from searcher.readers.parsers.pdf_page import HYPHEN, NO_TEXT, Line, Page, read_page
from searcher.readers.parsers.pdf_words import speller, without_cuts
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
PROGRAM = re.compile(r"^Microsoft (?:Office )?(?:Word|PowerPoint|Excel) - ")
DATE = re.compile(r"D:(\d{4})(?:(\d\d)(\d\d)?)?")
MOST_RANGES = 10


def read_pdf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document; a Note for pages without text, and for those whose fonts say not what their signs mean.

    Raises UnreadableFile for a file that is encrypted, damaged, or cut short.
    """
    document = _opened(raw)
    try:
        pages = [_page(document, number) for number in range(len(document))]
        yield _whole(raw.source, document, pages)
    finally:
        document.close()
    for reason in (NO_TEXT, BROKEN_PAGE, GUESSED_FONT, BROKEN_FONT):
        if numbers := [number for number, page in enumerate(pages, 1) if page.fault == reason]:
            yield Note(raw.source, f"{_listed(numbers)} of {len(pages):,}: {reason}")


def _opened(raw: Raw) -> PdfDocument:
    try:
        return PdfDocument(raw.stream if raw.size > MEMORY_BYTES else raw.stream.read())
    except PdfiumError as fault:
        raise UnreadableFile(raw.source, FAULTS.get(fault.err_code or 0, "no PDF that can be read")) from None


def _page(document: PdfDocument, number: int) -> Page:
    try:
        page = document[number]
    except PdfiumError:
        return Page([], BROKEN_PAGE)
    try:
        lines, fault = read_page(page)
    except PdfiumError:
        return Page([], BROKEN_PAGE)
    finally:
        page.close()
    text = "\n".join(line.text for line in lines)
    cleaned = plain(text)
    if cleaned == text:
        return Page(lines, fault)
    pairs = zip(lines, cleaned.split("\n"), strict=True)
    return Page([line if line.text == text else line._replace(text=text) for line, text in pairs if text], fault)


def _whole(source: str, document: PdfDocument, pages: Sequence[Page]) -> Document:
    kept = without_repeats([page.lines for page in pages])
    lined = [without_cuts(in_rows(lines)) for lines in kept]
    spelled = speller(line.text for lines in lined for line in lines)
    draft, spans = Draft(source), []
    body = body_size(lined)
    levels = heading_sizes(lined, body)
    for number, lines in enumerate(lined):
        label = one_line(document.get_page_label(number))
        begins = lines[0].text[:1] if lines else ""
        goes_on = begins.islower() and not ENDED.search(draft.end[-3:])  # a sentence, over the end of the page
        place = {"page": number + 1, "label": label if label not in ("", str(number + 1)) else None}
        draft.at(cut=not goes_on, **place)
        spans.append(
            _set(
                draft,
                [line._replace(text=spelled(line.text)) if HYPHEN in line.text else line for line in lines],
                body,
                levels,
            )
        )
    if found := outlined(document, draft.text, spans):
        draft.headings = found
    title = _title(document)
    return draft.document(title, _declared(document))


def _set(draft: Draft, lines: Sequence[Line], body: float, levels: Sequence[float]) -> Span | None:
    """Put the lines of a page into the draft; lines of a heading that follow each other are one."""
    if not lines:
        return None
    starts: list[tuple[int, float]] = []
    group: list[str] = []
    made = blocks(lines, body, levels)
    for number, block in enumerate(made):
        after = made[number + 1] if number + 1 < len(made) else None
        group.append(block.line.text)
        if block.level and after and after.level == block.level and after.gap == "\n":
            continue
        first = made[number + 1 - len(group)]
        before = draft.length
        draft.put("\n".join(group), first.gap, block.level)
        starts.append((before + (len(first.gap) if before else 0), first.line.first.top))
        group = []
    return Span(starts[0][0], draft.length, starts)


# -- what the file says of itself


def _title(document: PdfDocument) -> str | None:
    """Its title, where that is one."""
    title = PROGRAM.sub("", one_line(document.get_metadata_value("Title")))
    return None if NO_TITLE.fullmatch(title) else title


def _declared(document: PdfDocument) -> dict[str, Any]:
    made = DATE.match(document.get_metadata_value("CreationDate"))
    return {
        "author": one_line(document.get_metadata_value("Author")),
        "description": one_line(document.get_metadata_value("Subject")),
        "keywords": one_line(document.get_metadata_value("Keywords")),
        "date": "-".join(filter(None, made.groups())) if made else "",
    }


def _listed(numbers: Sequence[int]) -> str:
    """Page numbers, those that follow each other as a range.

    >>> _listed([1, 2, 3, 7]), _listed([4])
    ('pages 1-3, 7', 'page 4')
    """
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    named = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    more = f" and {len(ranges) - MOST_RANGES:,} more ranges" if len(ranges) > MOST_RANGES else ""
    return f"{'page' if len(numbers) == 1 else 'pages'} {', '.join(named[:MOST_RANGES])}{more}"
