"""The outline of a PDF (its bookmarks) as headings of its text."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple

from pypdfium2 import PdfBookmark, PdfDocument

from searcher.readers.headings import Heading
from searcher.readers.parsers.drafting import one_line

__all__ = ["Span", "outlined"]

NUMBER = re.compile(r"^\d+")  # of a section, which often only one of the two has
LETTERS = re.compile(r"\w+")
MOST_BOOKMARKS = 20_000


class Span(NamedTuple):
    """Where a page stands in the text: `text[start:end]`; where each of its lines begins, and its height on the page,
    in points from below.
    """

    start: int
    end: int
    lines: Sequence[int]
    heights: Sequence[float]


def outlined(document: PdfDocument, text: str, spans: Sequence[Span | None]) -> list[Heading]:
    """A heading for each bookmark that leads to a page with text, where its title stands there, else where it leads."""
    found = [
        Heading(start, bookmark.level + 1, title)
        for bookmark in islice(document.get_toc(), MOST_BOOKMARKS)
        if (title := one_line(bookmark.get_title())) and (start := _start(bookmark, title, text, spans)) is not None
    ]
    return sorted(found, key=lambda heading: heading.start)


def _start(bookmark: PdfBookmark, title: str, text: str, spans: Sequence[Span | None]) -> int | None:
    """Where a bookmark leads."""
    destination = bookmark.get_dest()
    number = destination.get_index() if destination else None
    if destination is None or number is None or number >= len(spans) or (span := spans[number]) is None:
        return None
    _, position = destination.get_view()
    height = position[1] if len(position) > 1 else None
    if (place := next(_places(_bare(title), text, span), None)) is not None:
        return place
    placed = zip(span.lines, span.heights, strict=True)
    return next((start for start, above in placed if height is not None and above <= height), span.start)


def _places(wanted: str, text: str, span: Span) -> Iterator[int]:
    """Where lines begin that read like the title, white space and case aside; those that are but the title first."""
    begun, unnumbered = [], NUMBER.sub("", wanted)
    for start, end in pairwise([*span.lines, span.end]):
        first = text[start : start + 1].casefold()[:1]
        if first.isalpha() and first not in (wanted[:1], unnumbered[:1]):  # as most: a page has a hundred lines
            continue
        line = _bare(text[start:end])
        if line == wanted or (wanted and line.endswith(unnumbered) and NUMBER.sub("", line) == unnumbered):
            yield start
        elif wanted and (line.startswith(wanted) or (wanted.startswith(line) and len(line) > len(wanted) / 3)):
            begun.append(start)
    yield from begun


def _bare(text: str) -> str:
    return "".join(LETTERS.findall(text.casefold())).replace("_", "")
