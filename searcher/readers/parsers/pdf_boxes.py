"""Text boxes of a PDF: many programs draw them before or after the text of a page; they are read where they stand."""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, compress, count, pairwise
from operator import ge, sub
from typing import NamedTuple

from searcher.readers.parsers.pdf_headings import ENDED
from searcher.readers.parsers.pdf_page import Line

__all__ = ["with_boxes_in_place"]

HOLE = 1.0  # of the height of a line, from which on what is free between two lines is a place for others
SAME = 0.15  # the same, by which lines of one text differ
OVER = 0.25  # the same, by which the box of a line may reach over one that it does not touch


def with_boxes_in_place(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page, those of a text box between the two lines of the text that leave room for it.

    It has to have all of that room for itself: where something stands beside it, they are columns, or cells of a table.
    """
    bottoms, end_tops = [line.bottom for line in lines], [line.end_top for line in lines]
    rises = [0, *compress(count(1), map(ge, bottoms[1:], end_tops))]
    if len(rises) == 1:  # so most pages end here
        return list(lines)
    tops, end_bottoms = [line.top for line in lines], [line.end_bottom for line in lines]
    gaps = enumerate(map(sub, end_bottoms, tops[1:]), 1)
    falls = [at for at, gap in gaps if gap > HOLE * lines[at].size]
    starts = sorted({*rises, *falls})
    heights = sorted([tops[at] for at in starts])
    if not any(bisect(heights, tops[at]) < bisect(heights, end_bottoms[at - 1]) for at in falls):
        return list(lines)  # nothing begins in a hole
    runs = [_Run.of(lines[start:end]) for start, end in pairwise([*starts, len(lines)])]
    holes = [at for at, start in enumerate(starts[1:]) if start not in rises and runs[at].goes_on_in(runs[at + 1])]
    moved: dict[int, list[int]] = defaultdict(list)  # by the run behind which they come
    for number, run in enumerate(runs) if holes else ():
        fitting = [at for at in holes if number not in (at, at + 1) and run.fits(runs[at], runs[at + 1])]
        if len(fitting) == 1 and run.is_alone(runs):
            moved[fitting[0]].append(number)
    gone = set(chain.from_iterable(moved.values()))
    if not gone or not gone.isdisjoint(at for above in moved for at in (above, above + 1)):
        return list(lines)  # what would move beside each other is no text with boxes
    made: list[Line] = []
    for number, run in enumerate(runs):
        if number in gone:
            continue
        boxes = [runs[at] for at in sorted(moved.get(number - 1, ()), key=lambda at: -runs[at].top)]
        end = _sentence_end(made[-1], run.lines) if boxes else 0
        made += [*run.lines[:end], *chain.from_iterable(box.lines for box in boxes), *run.lines[end:]]
    return made


def _sentence_end(above: Line, below: Sequence[Line]) -> int:
    """How many lines belong to the sentence in whose midst a box stands: it is read first, where it ends a line."""
    if ENDED.search(above.text[-3:]) or not below[0].text[:1].islower():
        return 0
    return next((at for at, line in enumerate(below, 1) if ENDED.search(line.text[-3:])), 0)


class _Run(NamedTuple):
    """Lines that follow each other downwards without a hole between them, and their edges."""

    lines: Sequence[Line]
    left: float
    right: float
    bottom: float
    top: float

    @classmethod
    def of(cls, lines: Sequence[Line]) -> "_Run":
        _, lefts, rights, _, tops, end_lefts, end_rights, end_bottoms, *_ = zip(*lines, strict=True)
        return cls(lines, min(*lefts, *end_lefts), max(*rights, *end_rights), min(end_bottoms), max(tops))

    @property
    def over(self) -> float:
        return OVER * self.lines[0].size

    def fits(self, above: "_Run", below: "_Run") -> bool:
        """Whether it stands under the one, over the other and over its width; both are one text, and more than it."""
        if above.bottom < self.top - self.over or below.top > self.bottom + self.over:
            return False
        if any(min(self.right, run.right) <= max(self.left, run.left) for run in (above, below)):
            return False
        return self.characters <= above.characters + below.characters

    @property
    def characters(self) -> int:
        return sum(len(line.text) for line in self.lines)

    def goes_on_in(self, other: "_Run") -> bool:
        """Whether both are set alike: as high, and from the same margin."""
        one, next_one = self.lines[-1], other.lines[0]
        return abs(one.size - next_one.size) < SAME * one.size and abs(self.left - other.left) < one.size

    def is_alone(self, runs: Iterable["_Run"]) -> bool:
        """Whether none of the others stands beside it."""
        apart = (
            run.bottom >= self.top - self.over or run.top <= self.bottom + self.over for run in runs if run is not self
        )
        return all(apart)
