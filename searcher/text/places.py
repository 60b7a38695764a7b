"""Where a passage stands in its document, as people say it: the line on which it begins and the heading above it."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from searcher.records import Chunk, Document
from searcher.text import leads

__all__ = ["line_at", "places_of"]


def places_of(document: Document, chunks: Iterable[Chunk]) -> Iterator[tuple[int, str | None]]:
    """Line, counted from the document's first one, and heading path of each chunk."""
    text = document.text
    starts = [begin for begin, _ in leads.headings(text, document.sections)]  # with the line over a title
    has_lines = any("line" in place for _, place in document.places)
    line, counted = document.first_line, 0
    for chunk in chunks:
        if has_lines:
            line = line_at(document, chunk.start)
        elif chunk.start >= counted:
            line += text.count("\n", counted, chunk.start)
        else:  # overlap goes back
            line -= text.count("\n", chunk.start, counted)
        counted = chunk.start
        at = bisect_right(starts, chunk.start)
        yield line, (document.sections[at - 1][1] or None) if at else None


def line_at(document: Document, offset: int) -> int:
    """The line of the file at an offset of the document's text: as its places say, else its line ends counted."""
    for start, place in reversed(document.places[: bisect_right(document.places, offset, key=lambda each: each[0])]):
        if "line" in place:
            return int(place["line"]) + document.text.count("\n", start, offset)
    return document.first_line + document.text.count("\n", 0, offset)
