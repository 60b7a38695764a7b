"""Lines that PDFium runs together over a drop capital, which is as high as both and stands on the lower one."""

from collections.abc import Sequence
from itertools import pairwise

from searcher.readers.parsers.pdf_asked import Asked

__all__ = ["parted"]

FALLEN = 0.5  # of the height of a letter, by which the next one of its line is no higher or lower
LARGER = 1.8  # so many times as high as another, a letter is of no line with it


def parted(asked: Asked, text: str, span: tuple[int, int]) -> list[tuple[int, int]]:
    """The parts of a line from the first to the last of which the text falls: spans of the text, spaces left out."""
    places = [at for at in range(*span) if not text[at].isspace()]
    _, _, bottoms, tops = asked.boxes(places)
    _, lines = asked.origins(places)
    heights = [top - bottom for bottom, top in zip(bottoms, tops, strict=True)]
    if max(heights) < LARGER * heights[0]:
        return [span]
    cuts = [at for at in range(1, len(places)) if _falls(lines[at - 1 : at + 1], heights[at - 1 : at + 1])]
    return [(places[start], places[end - 1] + 1) for start, end in pairwise([0, *cuts, len(places)])]


def _falls(lines: Sequence[float], heights: Sequence[float]) -> bool:
    least, most = sorted(heights)
    return abs(lines[1] - lines[0]) > FALLEN * least or most >= LARGER * least > 0
