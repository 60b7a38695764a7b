"""Footnotes of a PDF: their numbers apart from their words, and those of a column after the whole page's text."""

import re
from collections.abc import Sequence

from searcher.readers.parsers.pdf_page import HYPHEN, Line

__all__ = ["with_notes_below"]

NUMBERED = re.compile(r"(\d{1,3}|[*†‡§¶]{1,3})(?=[^\W\d_])")  # a note, of which no space parts the number
NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¶]{1,3})\s?(?=[^\W\d_]|[\"“‘«(\[])")
CUT_BY_NOTE = re.compile(rf"{HYPHEN}(?=\d{{1,3}} ?[^\W\d_a-z])")  # a word that goes on in the next column
RAISED = 0.85  # of the height of a line; a number is smaller that is raised
SMALL = 0.93  # of the height of the text; notes are smaller


def with_notes_below(lines: Sequence[Line], body: float) -> list[Line]:
    """The lines of a page in the order in which they are read. body: the height of the text, in points.

    Notes at the foot of a column, after which a next one begins, come after that one's text: they are no part of the
    sentence that goes over to it.
    """
    apart = [piece for line in lines for piece in (_pieces(line, body) if HYPHEN in line.text else (line,))]
    begun = [at for at, line in enumerate(apart) if NOTE.match(line.text)]
    for at in begun:
        if found := NUMBERED.match(apart[at].text):
            apart[at] = _numbered(apart[at], found, body)
    kept: list[Line] = []
    notes: list[Line] = []
    end = 0
    for at in begun:
        if at >= end and (below := _end_of_notes(apart, at, body)) > at:
            kept += apart[end:at]
            notes += apart[at:below]
            end = below
    if not notes:
        return apart
    kept += apart[end:]
    foot = _foot(kept, notes, body)
    return [*kept[:foot], *notes, *kept[foot:]]


def _foot(lines: Sequence[Line], notes: Sequence[Line], body: float) -> int:
    """Where the text of a page ends: before the notes of its last column, and before what stands below all notes."""
    lowest, end = min(note.end_bottom for note in notes), len(lines)
    while end and lines[end - 1].top <= lowest:  # such as the number of the page
        end -= 1
    start = end
    while start and _is_small(lines[start - 1], body):
        start -= 1
    return next((at for at in range(start, end) if NOTE.match(lines[at].text)), end)


def _end_of_notes(lines: Sequence[Line], start: int, body: float) -> int:
    """The end of the notes of which one begins there, and that end a column; `start` where they do not."""
    if not _is_small(lines[start], body):
        return start
    end = start + 1
    while end < len(lines) and _is_small(lines[end], body) and lines[end].top <= lines[end - 1].end_top:
        end += 1
    return end if end < len(lines) and lines[end].bottom > lines[start].top else start


def _is_small(line: Line, body: float) -> bool:
    return line.size < SMALL * body


def _pieces(line: Line, body: float) -> list[Line]:
    """The line, or its word that is cut at the end of a column and the note that PDFium took for its other half."""
    found = CUT_BY_NOTE.search(line.text)
    if not found or line.last.height >= SMALL * min(line.size, body) or line.end_top > line.bottom:
        return [line]
    cut, note = line.text[: found.start()], NUMBERED.sub(r"\1 ", line.text[found.end() :])
    return [
        Line.of(f"{cut}-", line.first, line.first, line.size),
        Line.of(note, line.last, line.last, line.last.height),
    ]


def _numbered(line: Line, found: re.Match[str], body: float) -> Line:
    """The line with a space after the number of a note that is found in it, and the height of its words.

    Some fonts have raised numbers of their own, as high as others: in small lines, before a capital.
    """
    is_raised = line.first.height < RAISED * line.last.height and line.top > line.end_top
    begun = line.text[found.end() : found.end() + 2]
    if not is_raised and not (_is_small(line, body) and begun[:1].isupper() and begun[1:].islower()):
        return line
    return Line.of(f"{found[1]} {line.text[found.end() :]}", line.first, line.last, line.last.height)
