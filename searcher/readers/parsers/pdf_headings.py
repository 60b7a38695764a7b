"""How the pages of a PDF are set, and which of their lines are headings by their size."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, islice, pairwise
from typing import NamedTuple

from searcher.readers.parsers.pdf_page import Line

__all__ = ["BULLET", "ENDED", "OTHER_SIZE", "PROSE", "Setting", "large_headings", "may_be_heading"]

LARGER = 1.12  # of the height of the text, from which on a line is a heading
LONGEST_HEADING = 150
BULLET = re.compile(r"[•▪▫◦‣●○■□◆◇➢➔✓✔·–-] ")  # of a list, which is no heading, however large its bullets are
NO_WORD = re.compile(r"[@=\\{}|∑∏∫√]|\.{4}")  # that is in no heading: formulas and addresses are large, too
ENDED = re.compile(r"[.!?:…。！？]['\"”’»)\]]{0,2}$")
MOST_LEVELS = 4
MOST_HEADINGS = 0.25  # of the lines of a file, or of the characters; where more are large, or bold, that is no sign

MOST_APART = 2.0  # heights of a line that lines of a paragraph are apart, as in a manuscript
OTHER_SIZE = 0.1  # of the height of a line, by which those of a paragraph differ less
ENOUGH = 500  # lines that tell how far they are apart
PROSE = 12.0  # heights of a line that a line of a paragraph is wide


class Setting(NamedTuple):
    """How the pages of a file are set.

    body: the height of their text, in points. levels: those of large headings, the largest first. apart: how far lines
    of a paragraph are apart. has_bold: whether a bold line may be a heading.
    """

    body: float
    levels: Sequence[float]
    apart: float
    has_bold: bool

    @classmethod
    def of(cls, pages: Sequence[Sequence[Line]], body: float) -> "Setting":
        """That of these pages."""
        bold = sum([len(line.text) for page in pages for line in page if line.is_bold])
        has_bold = bold > 0 and bold <= MOST_HEADINGS * sum([len(line.text) for page in pages for line in page])
        return cls(body, _sizes(pages, body), _apart(pages, body) if has_bold else 0.0, has_bold)


def _sizes(pages: Sequence[Sequence[Line]], body: float) -> Sequence[float]:
    """The heights of lines that are headings; none where too many lines are large."""
    least = LARGER * body
    large = [line for page in pages for line in page if line.size > least and may_be_heading(line)]
    if len(large) > MOST_HEADINGS * sum(map(len, pages)):
        return []
    return sorted({round(line.size) for line in large}, reverse=True)[:MOST_LEVELS]


def _apart(pages: Iterable[Sequence[Line]], body: float) -> float:
    """The distance of a quarter of the lines that may be of one paragraph: paragraphs may all be short."""
    least, most, margin = body - OTHER_SIZE * body, body + OTHER_SIZE * body, body / 2
    gaps = sorted(
        gap
        for above, below in islice(chain.from_iterable(map(pairwise, pages)), ENOUGH)
        if least < above.size < most
        and least < below.size < most
        and not below.is_bold
        and (-margin < above.left - below.left < margin or -margin < above.right - below.right < margin)
        and abs(above.end_right - above.left) > PROSE * body
        and -body < (gap := above.end_bottom - below.top) < MOST_APART * body
    )
    return gaps[len(gaps) // 4] if gaps else 0.0


def may_be_heading(line: Line) -> bool:
    """Whether a line that is set off from the text says what a heading may say."""
    climbs = line.end_bottom - line.bottom > line.size  # as what is stamped across a page
    if climbs or not 2 < len(line.text) <= LONGEST_HEADING:
        return False
    says = len(set(filter(str.isalpha, line.text))) > 2 and not NO_WORD.search(line.text)
    return says and not BULLET.match(line.text)


# -- by size


def large_headings(lines: Sequence[Line], setting: Setting) -> list[int | None]:
    """Of each line the level that it has as a large heading: 0 where none is as large, None for what is no such."""
    least = LARGER * setting.body
    if max([line.size for line in lines]) <= least:  # as on most pages
        return [None] * len(lines)
    levels = {size: level for level, size in enumerate(setting.levels, 1)}
    return [levels.get(round(line.size), 0) if line.size > least and may_be_heading(line) else None for line in lines]
