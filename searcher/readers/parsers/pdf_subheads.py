"""Headings of a PDF that are bold and no larger than the text: lines above a text, apart from what is above them.

A wrong heading is worse than none: a table's head, a caption, a term before its text, an item of a list, a label beside
what it names and a bold sentence are none.
"""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from searcher.readers.parsers.pdf_bold import NUMBERED
from searcher.readers.parsers.pdf_headings import BULLET, ENDED, OTHER_SIZE, PROSE, Setting, may_be_heading
from searcher.readers.parsers.pdf_page import Line

__all__ = ["subheads"]

SMALLER = 0.95  # of the height of the text; what is smaller is no heading
MOST_LINES = 2  # of a heading; what has more is a text
ABOVE = 0.35  # of the height of a line, by which it is further from what is above it than lines of a paragraph are
BELOW = 2.5  # of the height, by which text stands below it at most
BACK = 2.0  # of the height; what is so far back up is the next column
OVER = 0.5  # of the height, by which boxes of lines under each other may reach over each other
INDENTED = 2.0  # of the height, from which on a text belongs to the term above it, unless there is room between them
LIKE_OTHERS = 0.75  # of the width of the lines with the same margin, from which on a line goes on in the next
SAME_MARGIN = 3.0  # of the height, by which the first line of a paragraph differs from the others
SENTENCE = 45  # characters of a line, of which no cell of a table has as many
BESIDE = 0.3  # of the height of a line, by which what is beside it is as high
CAPTION = re.compile(
    r"(?:fig(?:ures?|\.)?|tab(?:les?|\.|elle|leau)?|abb(?:ildung|\.)?|figura|listing|algorithm|scheme|chart|image|photo"
    r"|plate|box|рис\.?|таблица|图|表|図)\s*[\dIVXA-Z]", re.IGNORECASE,
)  # fmt: skip
ITEM = re.compile(r"(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{2,5})[.)] |\(\w{1,3}\) |" + BULLET.pattern)
CODE = re.compile(r"_|\S\(.*\)$|[-–]$")  # a name in a program, a function and what it is called with; what is cut
ENDED_HEADING = re.compile(r"[?!][\"'”’»)]*$")  # a sentence is none, unless it asks
LONGEST_ENDED = 60  # characters
COMMA = re.compile(r",(?: |$)")
BRACKETS = (("(", ")"), ("[", "]"), ("<", ">"))


def subheads(lines: Sequence[Line], large: Sequence[int | None], setting: Setting) -> dict[range, int]:
    """The lines of each such heading of a page, and its level, which is below those of large headings.

    large: the levels of large headings, None of other lines.
    """
    bold = [at for at, line in enumerate(lines) if line.is_bold] if setting.has_bold else []
    if not bold:
        return {}
    page, found = _Page(lines, large, bold, setting), dict[range, int]()
    for run in reversed(page.runs()):  # what a heading leads to may be another one
        if page.is_heading(run, {other.start for other in found}):
            found[run] = 1 + max(1, len(setting.levels)) + (_depth(lines[run.start].text) or 0)
    return found


def _depth(text: str) -> int | None:
    """Of how many numbers that of a heading has more than one: 0 for 2., 1 for 2.1; None without a number."""
    number = NUMBERED.match(text)
    return number[1].count(".") if number else None


def _says(text: str, line: Line) -> bool:
    """Whether the text of such lines is that of a heading."""
    if text[:1].islower() or not may_be_heading(line.reading(text)) or CAPTION.match(text) or CODE.search(text):
        return False
    if any(text.count(opened) != text.count(closed) for opened, closed in BRACKETS):
        return False
    return not ENDED.search(text) or bool(ENDED_HEADING.search(text)) or text.isupper() or _is_numbered(text)


def _is_numbered(text: str) -> bool:
    """Whether it has a number, and is not longer than what has a number and a full stop may be."""
    number = NUMBERED.match(text)
    return number is not None and not number[0].rstrip().isdigit() and len(text) <= LONGEST_ENDED


def _reach(line: Line) -> tuple[float, float]:
    """The left and the right edge of a line that runs either way."""
    return min(line.left, line.end_right), max(line.left, line.end_right)


class _Page(NamedTuple):
    lines: Sequence[Line]
    large: Sequence[int | None]
    bold: Sequence[int]
    setting: Setting

    def runs(self) -> list[range]:
        """Bold lines that follow each other as those of a paragraph do."""
        runs: list[range] = []
        for at in self.bold:
            if self.large[at] or self.lines[at].size < SMALLER * self.setting.body:
                continue
            if runs and runs[-1].stop == at and not self._is_apart(at) and self._is_as_large(at - 1, at):
                runs[-1] = range(runs[-1].start, at + 1)
            else:
                runs.append(range(at, at + 1))
        return runs

    def is_heading(self, run: range, headings: Container[int]) -> bool:
        """Whether a run is one. headings: where those below it start."""
        if len(run) > MOST_LINES or run.stop == len(self.lines):
            return False
        text = " ".join([self.lines[at].text for at in run])
        return (
            self._stands_above(run)
            and self._begins_part(run)
            and _says(text, self.lines[run.start])
            and self._leads_to_text(run, headings)
            and not self._has_fellow(run)
        )

    def _gap(self, at: int) -> float:
        """How far a line is below the one before."""
        return self.lines[at - 1].end_bottom - self.lines[at].top

    def _is_apart(self, at: int) -> bool:
        return self._gap(at) > self.setting.apart + ABOVE * self.lines[at].size

    def _is_as_large(self, one: int, other: int) -> bool:
        size = self.lines[one].size
        return abs(size - self.lines[other].size) < OTHER_SIZE * size

    def _is_first(self, at: int) -> bool:
        """Whether a line is the first of a page or of a column, or the first under a large one."""
        return at == 0 or self._gap(at) < -BACK * self.lines[at].size or self.large[at - 1] is not None

    def _begins_part(self, run: range) -> bool:
        """Whether it is apart from what is above it, and that is not the one before it in a list."""
        at = run.start
        if self._is_first(at):
            return True
        if not self._is_apart(at):
            return False
        above = self.lines[at - 1]
        if not (above.is_bold and self._is_as_large(at - 1, at)):
            return True
        depth, before = _depth(self.lines[at].text), _depth(above.text)
        return depth is None or before is None or before < depth

    def _stands_above(self, run: range) -> bool:
        """Whether the line behind it stands below it, and is not further from it than what is above it."""
        last, below = self.lines[run.stop - 1], self.lines[run.stop]
        gap = self._gap(run.stop)
        if not -OVER * last.size < gap <= BELOW * last.size:
            return False
        (left, right), (below_left, below_right) = _reach(last), _reach(below)
        if min(right, below_right) <= max(left, below_left):
            return False
        return self._is_first(run.start) or gap <= self._gap(run.start) + ABOVE * last.size

    def _leads_to_text(self, run: range, headings: Container[int]) -> bool:
        """Whether what stands below it is a text, or a heading of a part of it."""
        first, below = self.lines[run.start], self.lines[run.stop]
        depth = _depth(first.text)
        if run.stop in headings:
            next_depth = _depth(below.text)
            return depth is not None and next_depth is not None and next_depth > depth
        if self.large[run.stop] is not None or (below.is_bold and self._is_as_large(run.start, run.stop)):
            return False
        is_apart, is_item = self._is_apart(run.stop), ITEM.match(below.text)
        if below.text[:1].islower() and not is_apart:  # the paragraph that it begins
            return False
        if depth is None and not (is_item or is_apart) and self._is_indented(run):
            return False
        return bool(depth or is_item or self._is_prose(run.stop))

    def _is_indented(self, run: range) -> bool:
        """Whether all of the text below begins further right, and its middle is not under that of the heading."""
        first, after = self.lines[run.start], self.lines[run.stop : run.stop + 2]
        (left, right), (below_left, below_right) = _reach(first), _reach(after[0])
        most = INDENTED * first.size
        if below_left - left <= most or abs(below_left + below_right - left - right) < most:
            return False
        is_alone = len(after) == 1 or after[1].is_bold or self._is_apart(run.stop + 1)
        return is_alone or _reach(after[1])[0] > below_left - first.size

    def _is_prose(self, at: int) -> bool:
        """Whether a line is of a text: long, or a sentence."""
        line = self.lines[at]
        if ENDED.search(line.text) or COMMA.search(line.text) or len(line.text) >= SENTENCE:
            return True
        width = abs(line.end_right - line.left)  # either way
        widths = sorted(
            abs(other.end_right - line.left)
            for other in self.lines
            if abs(other.left - line.left) < SAME_MARGIN * line.size
        )
        return width >= PROSE * line.size and width >= LIKE_OTHERS * widths[len(widths) * 9 // 10]

    def _has_fellow(self, run: range) -> bool:
        """Whether another bold line stands beside it, as in the head of a table."""
        first = self.lines[run.start]
        others = (self.lines[at] for at in self.bold if at not in run)
        return any(
            min(other.top, first.top) - max(other.bottom, first.bottom) > BESIDE * first.size for other in others
        )
