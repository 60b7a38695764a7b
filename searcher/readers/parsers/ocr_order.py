"""In which order the lines of a page are read that nobody wrote down in one: columns, and rows from the top.

A page is taken apart where a gap runs down between two columns of prose, and each column in its turn, as in recursive
X-Y cuts (Nagy and Seth, 1984). What reaches over the gap, such as a title, parts what stands above from what is below.
Cells of a table are no prose, and stay in their rows.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from searcher.readers.parsers.pdf_page import Line

__all__ = ["in_reading_order"]

LEAST_GAP = 0.5  # of the height of a line, between two columns
LEAST_LINES = 3  # of a column, which stand beside such of the other one
PROSE = 18  # characters of the line in which a character of a column stands, in the mean; cells of a table have fewer
BLANK = 0.8  # of the height of a line, above what may be a table
SAME_ROW = 0.5  # of the height of the smaller of two lines, by which they overlap


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """The lines, a column after the other, those of a row from the left."""
    gap = _gap(lines)
    if gap is None:
        return _in_rows(lines)
    across = list(_across(lines, gap))
    rest = [line for line in sorted(lines, key=_falling) if not any(line in part for part in across)]
    ordered: list[Line] = []
    for part in [*across, []]:
        count = sum(not part or _falling(line) < _falling(part[0]) for line in rest)
        here, rest = rest[:count], rest[count:]
        for side in (-1, 1):
            ordered += in_reading_order([line for line in here if _side(line, gap) == side])
        ordered += part
    return ordered


def _across(lines: Sequence[Line], gap: float) -> Iterator[list[Line]]:
    """What parts the columns, from the top: lines that reach over the gap, tables with cells on either side of it."""
    for block in _blocks(lines):
        sides = [np.array([len(line.text) for line in block if _side(line, gap) == side]) for side in (-1, 1)]
        if min(map(len, sides)) and not all(map(_is_prose, sides)):
            yield _in_rows(block)
        else:
            yield from ([line] for line in block if _side(line, gap) == 0)


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines from the top, parted where nothing stands on the whole width for the height of a line."""
    block: list[Line] = []
    for line in sorted(lines, key=_falling):
        if block and min(above.first.bottom for above in block) - line.first.top > BLANK * line.first.height:
            yield block
            block = []
        block.append(line)
    yield block


def _gap(lines: Sequence[Line]) -> float | None:
    """Where, from the left, a gap parts two columns, the one that the fewest lines reach over; None for one column."""
    if len(lines) < 2 * LEAST_LINES:
        return None
    told = [(line.first.left, line.last.right, line.first.bottom, line.first.top, len(line.text)) for line in lines]
    lefts, rights, bottoms, tops, lengths = np.array(told).T
    heights = tops - bottoms
    overlaps = np.minimum.outer(tops, tops) - np.maximum.outer(bottoms, bottoms)
    beside = overlaps > SAME_ROW * np.minimum.outer(heights, heights)
    ends = np.unique(rights)
    starts = np.sort(lefts)
    nexts = np.searchsorted(starts, ends, side="right")
    ends, nexts = ends[nexts < len(starts)], nexts[nexts < len(starts)]
    middles = (ends + starts[nexts]) / 2
    across = ((lefts < middles[:, None]) & (rights > middles[:, None])).sum(axis=1)
    for at in middles[np.argsort(across, kind="stable")]:
        left, right = rights <= at, lefts >= at
        near, others = left & beside[:, right].any(axis=1), right & beside[:, left].any(axis=1)
        if min(near.sum(), others.sum()) < LEAST_LINES:
            continue
        wide = lefts[others].min() - rights[near].max() >= LEAST_GAP * np.median(heights[near])
        if wide and _is_prose(lengths[near]) and _is_prose(lengths[others]):
            return float(at)
    return None


def _is_prose(lengths: np.ndarray) -> bool:
    """Whether lines of so many characters are sentences rather than cells."""
    return float((lengths**2).sum()) >= PROSE * float(lengths.sum())


def _in_rows(lines: Sequence[Line]) -> list[Line]:
    rows: list[list[Line]] = []
    for line in sorted(lines, key=_falling):
        if rows and _are_beside(rows[-1][0], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.first.left)]


def _side(line: Line, at: float) -> int:
    """-1 for a line that ends left of a place, 1 for one that begins right of it, 0 for one that reaches over it."""
    return -1 if line.last.right <= at else 1 if line.first.left >= at else 0


def _are_beside(one: Line, other: Line) -> bool:
    overlap = min(one.first.top, other.first.top) - max(one.first.bottom, other.first.bottom)
    return overlap > SAME_ROW * min(one.first.height, other.first.height)


def _falling(line: Line) -> float:
    """Rises from the top of the page to its end."""
    return -(line.first.top + line.first.bottom) / 2
