"""What the places of lines on a page say: which make a row, where a paragraph ends, which are headings."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from searcher.readers.parsers.pdf_cells import row_edges
from searcher.readers.parsers.pdf_headings import ENDED, Setting, large_headings
from searcher.readers.parsers.pdf_page import Line
from searcher.readers.parsers.pdf_subheads import subheads

__all__ = ["blocks", "body_size", "in_rows", "with_marks"]

SAME_ROW = 0.6  # of the height of the smaller one, by which two pieces of a row overlap
NO_SPACE = 0.15  # of the height of a line: pieces so near belong to one word, such as an exponent
WIDER = 0.35  # of the height of a line, by which a gap between paragraphs is wider than that between lines
WIDER_HEADING = 1.0  # so far apart lines of one heading may be, besides
OTHER_SIZE = 0.15
MARK = re.compile(r"(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{2,5})[.)]|[•▪▫◦‣●○■□◆◇➢➔✓✔·–]")  # all that is before an item
LONGEST_MARK = 6
MARK_APART = 3.0  # of the height of a line, by which a mark may stand before its item
ALIGNED = 1.0  # the same, by which lines of one heading may begin or have their middle apart


class Block(NamedTuple):
    """The lines of a heading, or some of a paragraph, as they are set under each other.

    gap: what separates it from the one before. level: of a heading, 0 for text.
    """

    lines: list[Line]
    gap: str
    level: int


def with_marks(lines: Sequence[Line]) -> list[Line]:
    """The lines with what marks the items of lists before each item, where the file has it elsewhere."""
    marks = [at for at, line in enumerate(lines) if len(line.text) <= LONGEST_MARK and MARK.fullmatch(line.text)]
    if not marks:
        return list(lines)
    before: dict[int, int] = {}
    for at in marks:
        if at + 1 < len(lines) and _is_marked(lines[at], lines[at + 1]):
            continue
        items = (other for other, line in enumerate(lines) if other not in before and _is_marked(lines[at], line))
        nearest = min(items, key=lambda other: lines[other].left, default=None)
        if nearest is not None:
            before[nearest] = at
    if not before:
        return list(lines)
    moved = set(before.values())
    placed = ([before[at], at] if at in before else [at] for at in range(len(lines)) if at not in moved)
    return [lines[at] for pair in placed for at in pair]


def _is_marked(mark: Line, item: Line) -> bool:
    """Whether an item begins where a mark ends."""
    apart = item.left - mark.end_right
    return mark is not item and apart < MARK_APART * mark.size and _is_beside(mark, item)


def in_rows(lines: Iterable[Line]) -> list[Line]:
    """Pieces that follow each other on one height as one line: cells of a table, a word and its exponent."""
    rows: list[Line] = []
    for line in lines:
        if rows and _is_beside(rows[-1], line):
            before = rows[-1]
            height = max(before.end_top - before.end_bottom, line.top - line.bottom)
            near = line.left - before.end_right < NO_SPACE * height and not MARK.fullmatch(before.text)
            rows[-1] = before.joined(line, f"{before.text}{'' if near else ' '}{line.text}")
        else:
            rows.append(line)
    return rows


def _is_beside(one: Line, other: Line) -> bool:
    """Whether a line goes on to the right of where one ends."""
    height, reach = one.end_top - one.end_bottom, one.end_right - other.left
    if reach > NO_SPACE * height:  # as of most that follow each other: told before the lower of both is looked for
        return False
    least = min(height, other.top - other.bottom)
    if reach > NO_SPACE * least:
        return False
    return min(one.end_top, other.top) - max(one.end_bottom, other.bottom) > SAME_ROW * least and least > 0


def body_size(pages: Iterable[Sequence[Line]]) -> float:
    """The height that most characters have, in points."""
    exact: dict[float, int] = defaultdict(int)
    for line in chain.from_iterable(pages):
        exact[line.size] += len(line.text)
    sizes: Counter[float] = Counter()
    for size, characters in exact.items():
        sizes[round(2 * size) / 2] += characters
    return sizes.most_common(1)[0][0] if sizes else 0.0


def blocks(lines: Sequence[Line], setting: Setting) -> list[Block]:
    """The lines of a page with what separates them; those that only a line end separates are one block."""
    gaps = [above.end_bottom - below.top for above, below in pairwise(lines)]
    usual = statistics.median_low([gap for gap in gaps if gap > -setting.body] or [0.0])
    large = large_headings(lines, setting)
    bold = subheads(lines, large, setting)
    bold_levels = {at: level for run, level in bold.items() for at in run}
    edges = {edge for run in bold for edge in (run.start, run.stop)}
    cells, rows = row_edges(lines, gaps)
    made = [Block([lines[0]], "\n\n", large[0] or bold_levels.get(0, 0))]
    for number, (above, line) in enumerate(pairwise(lines), 1):
        level = large[number] or bold_levels.get(number, 0)
        if number in edges:
            gap = "\n\n"
        elif number in bold_levels:
            gap = "\n"
        elif number in cells or number in rows:
            gap = "\n" if number in cells else "\n\n"
        else:
            headings = large[number] is not None and large[number - 1] is not None
            most = max(usual, WIDER_HEADING * line.size) if headings else usual
            gap = _gap(above, line, gaps[number - 1], most)
            if level and gap == "\n" and made[-1].level == level and not _is_aligned(above, line):
                gap = "\n\n"
        if gap == "\n" and made[-1].level == level:
            made[-1].lines.append(line)
        else:
            made.append(Block([line], gap, level))
    return made


def _is_aligned(above: Line, below: Line) -> bool:
    """Whether both begin, end or have their middle at the same distance from the margin."""
    if any(abs(line.bottom - line.end_bottom) > line.size for line in (above, below)):
        return True  # of several lines
    one, other = ((line.left, line.end_right) for line in (above, below))
    most = ALIGNED * max(above.size, below.size)
    return any(
        abs(here - there) <= most for here, there in zip((*one, sum(one) / 2), (*other, sum(other) / 2), strict=True)
    )


def _gap(above: Line, below: Line, gap: float, usual: float) -> str:
    size, before = below.size, above.end_top - above.end_bottom
    if gap < -2 * size and gap < -2 * above.size:  # back up: the next column, or what is set beside the text
        return "\n\n" if ENDED.search(above.text[-3:]) or not below.text[:1].islower() else "\n"
    other = abs(before - size) > OTHER_SIZE * max(before, size)
    return "\n\n" if other or gap > usual + WIDER * size else "\n"
