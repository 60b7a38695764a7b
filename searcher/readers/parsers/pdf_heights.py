"""Heights of lines whose fonts do not say how high they are: PDFium then gives what is drawn of each letter.

So a line that begins with "g" would be higher than one that begins with "a": a heading, or another paragraph.
"""

from collections.abc import Sequence
from operator import sub

from searcher.readers.parsers.pdf_asked import Asked, Columns

__all__ = ["ABOVE", "BELOW", "with_heights"]

OTHER = 0.02  # of a height, by which that of another letter of one font differs only where it is of what is drawn
ON_LINE = 0.03  # of a height, by which what is drawn may stand under the line
SAMPLE = 10  # letters that tell
ENOUGH = 0.25  # of the letters; those of fonts that say how high they are reach below the line, all of them
ABOVE, BELOW = 0.9, 0.2  # of the size of a font, what most have above and below their line


def with_heights(asked: Asked, places: Sequence[int], edges: Columns) -> Columns:
    """The boxes of the first and the last characters of lines, in turn, as if their fonts said how high they are."""
    lefts, rights, bottoms, tops = edges
    sample = range(0, len(places), 1 + len(places) // SAMPLE)
    _, lines = asked.origins([places[at] for at in sample])
    pairs = zip(sample, lines, strict=True)
    stand = sum(abs(bottoms[at] - line) <= ON_LINE * (tops[at] - bottoms[at]) for at, line in pairs)
    if stand < ENOUGH * len(sample):
        return edges
    heights = list(map(sub, tops, bottoms))
    if not any(abs(one - other) > OTHER * one for one, other in zip(heights[::2], heights[1::2], strict=True)):
        return edges
    _, lines = asked.origins(places)
    sizes = asked.font_sizes(places)
    boxes = [
        (line - BELOW * size, line + ABOVE * size) if size else box
        for *box, line, size in zip(bottoms, tops, lines, sizes, strict=True)
    ]
    return lefts, rights, [bottom for bottom, _ in boxes], [top for _, top in boxes]
