"""Pages of lines set as one text: each a place, headings by their sizes, paragraphs that go over to the next page."""

from collections.abc import Iterable, Iterator, Sequence

from searcher.readers.parsers.drafting import Draft
from searcher.readers.parsers.pdf_boxes import with_boxes_in_place
from searcher.readers.parsers.pdf_cleaning import without_repeats
from searcher.readers.parsers.pdf_footnotes import with_notes_below
from searcher.readers.parsers.pdf_headings import ENDED, Setting
from searcher.readers.parsers.pdf_initials import with_initials
from searcher.readers.parsers.pdf_layout import blocks, body_size, in_rows, with_marks
from searcher.readers.parsers.pdf_outline import Span
from searcher.readers.parsers.pdf_page import HYPHEN, Line, Page
from searcher.readers.parsers.pdf_plain import plain
from searcher.readers.parsers.pdf_words import speller, without_cuts
from searcher.records import Note

__all__ = ["cleaned", "notes", "set_in_pages"]

MOST_RANGES = 10


def cleaned(page: Page) -> Page:
    """A page that OCR read, without what only typesetting needs."""
    return page._replace(lines=[line.reading(text) for line in page.lines if (text := plain(line.text).strip())])


def set_in_pages(draft: Draft, pages: Sequence[Page], labels: Sequence[str]) -> list[Span | None]:
    """Put all pages into a draft; where each of them stands. labels: as they are printed, "" for those without one."""
    kept = without_repeats([page.lines for page in pages])
    body = {seen: body_size(_those(kept, pages, seen)) for seen in (False, True)}
    bodies = [body[page.seen] for page in pages]
    lined = [
        without_cuts(with_notes_below(in_rows(with_marks(with_boxes_in_place(lines))), size))
        for lines, size in zip(with_initials(kept, bodies), bodies, strict=True)
    ]
    settings = {seen: Setting.of(_those(lined, pages, seen), body[seen]) for seen in (False, True)}
    spelled = speller([line.text for lines in lined for line in lines])
    spans = []
    for number, (page, lines, label) in enumerate(zip(pages, lined, labels, strict=True), 1):
        begins = lines[0].text[:1] if lines else ""
        goes_on = begins.islower() and not ENDED.search(draft.end[-3:])  # a sentence, over the end of the page
        draft.at(cut=not goes_on, page=number, label=label if label not in ("", str(number)) else None)
        whole = [line.reading(spelled(line.text)) if HYPHEN in line.text else line for line in lines]
        spans.append(_set(draft, whole, settings[page.seen]))
    return spans


def _those(lined: Sequence[list[Line]], pages: Sequence[Page], seen: bool) -> list[list[Line]]:
    """The lines of the pages that OCR has seen, or of the others."""
    return [lines for lines, page in zip(lined, pages, strict=True) if page.seen is seen]


def _set(draft: Draft, lines: Sequence[Line], setting: Setting) -> Span | None:
    """Put the lines of a page into the draft."""
    if not lines:
        return None
    starts: list[int] = []
    heights: list[float] = []
    for block, gap, level in blocks(lines, setting):
        start = draft.length + (len(gap) if draft.length else 0)
        draft.put("\n".join([line.text for line in block]), gap, level)
        for line in block[:1] if level else block:  # a heading is one, however many lines it has
            starts.append(start)
            heights.append(line.top)
            start += len(line.text) + 1
    return Span(starts[0], draft.length, starts, heights)


# -- what is told of pages


def notes(source: str, pages: Sequence[Page], faults: Iterable[str], what: str = "page") -> Iterator[Note]:
    """A Note for each fault that pages have, the known ones in this order, with the numbers of the pages."""
    for fault in dict.fromkeys([*faults, *(page.fault for page in pages)]):
        if numbers := [number for number, page in enumerate(pages, 1) if fault and page.fault == fault]:
            yield Note(source, f"{_listed(numbers, what)} of {len(pages):,}: {fault}")


def _listed(numbers: Sequence[int], what: str = "page") -> str:
    """Numbers of pages, those that follow each other as a range.

    >>> _listed([1, 2, 3, 7]), _listed([4], "picture")
    ('pages 1-3, 7', 'picture 4')
    """
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    named = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    more = f" and {len(ranges) - MOST_RANGES:,} more ranges" if len(ranges) > MOST_RANGES else ""
    return f"{what if len(numbers) == 1 else f'{what}s'} {', '.join(named[:MOST_RANGES])}{more}"
