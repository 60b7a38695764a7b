"""Rows of a table whose cells have several lines: many programs draw one cell after the other, beside the last one."""

from collections import Counter
from collections.abc import Sequence
from itertools import compress

from searcher.readers.parsers.pdf_page import Line

__all__ = ["row_edges"]

UP = 0.5  # of the height of a line, by which one is higher at least that begins a cell
OVER = 0.5  # the same, by which boxes of what is beside each other may reach over each other
MOST_LINES = 15  # of the cells beside one; what is longer is a column of the page
SAME_LEFT = 0.5  # of the height of a line, by which cells of a column begin apart
RETURNS = 1.0  # the same, by which the next row begins left of the last cell of the one before


def row_edges(lines: Sequence[Line], gaps: Sequence[float]) -> tuple[set[int], set[int]]:
    """The lines with which a cell begins that goes on a row, and those with which the next row does, or what follows.

    gaps: how far each line is above the next. What stands beside a text once is no cell: it may be a note in a margin.
    """
    # Most lines are below the one before, which is told fastest.
    begun = [at for at, gap in enumerate(gaps, 1) if gap < 0 and gap < -UP * lines[at].size and _is_beside(lines, at)]
    if len(begun) < 2:
        return set(), set()
    ends = [_end(lines, at) for at in begun]
    lefts = [round(lines[at].left / (SAME_LEFT * lines[at].size)) for at in begun]
    rows, columns = Counter(ends), Counter(lefts)
    of_table = [rows[end] > 1 or columns[left] > 1 for end, left in zip(ends, lefts, strict=True)]
    cells = set(compress(begun, of_table))
    return cells, {*compress(ends, of_table)} - cells


def _is_beside(lines: Sequence[Line], at: int) -> bool:
    """Whether a line stands to the right of all those before it that reach below its top."""
    line = lines[at]
    top, left = line.top - OVER * line.size, line.left + OVER * line.size
    for number in range(at - 1, max(at - 1 - MOST_LINES, -1), -1):
        if lines[number].end_bottom >= top:
            return True
        if max(lines[number].end_right, lines[number].left) > left:
            return False
    return at <= MOST_LINES


def _end(lines: Sequence[Line], at: int) -> int:
    """The first line behind a cell that begins further left than it."""
    left = lines[at].left - RETURNS * lines[at].size
    return next((number for number in range(at + 1, len(lines)) if lines[number].left < left), len(lines))
