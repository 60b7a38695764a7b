"""Where a passage stands in its document, as people say it: the line on which it begins and the heading above it."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from searcher.records import Chunk, Document
from searcher.text import leads

__all__ = ["places_of"]


def places_of(document: Document, chunks: Iterable[Chunk]) -> Iterator[tuple[int, str | None]]:
    """Line, counted from the document's first one, and heading path of each chunk."""
    text = document.text
    starts = [begin for begin, _ in leads.headings(text, document.sections)]  # with the line over a title
    line, counted = document.first_line, 0
    for chunk in chunks:
        if chunk.start >= counted:
            line += text.count("\n", counted, chunk.start)
        else:  # overlap goes back
            line -= text.count("\n", chunk.start, counted)
        counted = chunk.start
        at = bisect_right(starts, chunk.start)
        yield line, document.sections[at - 1][1] if at else None
