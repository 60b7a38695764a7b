"""Letters that are set apart, as titles are: which spaces in a line are none."""

import re
import statistics
from collections.abc import Iterable, Sequence
from itertools import pairwise
from operator import sub

from searcher.readers.parsers.pdf_asked import IS_MADE, Asked

__all__ = ["LETTERS_APART", "spaces_within_words"]

# A space between two letters, each of which stands alone, or the last of which ends its line.
LETTERS_APART = r" (?=[^\W\d_](?!\w))(?<=[^\W\d_] )(?:(?<=[\W_]. )|(?=.(?:\r|\Z)))"
LEAST, MOST = 0.08, 0.5  # of the height of a line, by which letters that are set apart are so
MORE = 0.15  # of the height of a line, by which words are further apart than their letters
FEWEST = 5  # signs in a row
REACH = 2 * FEWEST  # characters on either side of a space among which a run is that it belongs to
RUN = re.compile(rb"\x01{%d,}" % (FEWEST - 1))  # of gaps, each of which is wide enough
LETTERS = 0.6  # share of the signs


def spaces_within_words(text: str, line: range, space: int, asked: Asked) -> list[int]:
    """The spaces in a line that nobody drew and that are but a part of letter spacing.

    line: its places in the text. space: one of them; none where the signs near it are not apart.
    """
    near = range(max(line.start, space - REACH), min(line.stop, space + REACH))
    if not _runs(_apart(_signs(text, near), asked)):  # most are before a word of one letter that ends its line
        return []
    signs = _signs(text, line)
    apart = _apart(signs, asked)
    found: list[int] = []
    for first, end in _runs(apart):
        gaps, run = apart[first:end], signs[first : end + 1]
        usual = statistics.quantiles(gaps, n=4)[0]
        if usual <= MOST and sum(text[at].isalpha() for at in run) >= LETTERS * len(run):
            spaces = [at for at in line if text[at] == " "]
            made = asked.those(IS_MADE, spaces)
            # Who draws the spaces of a line draws all; where none are drawn, letters alone may be words, as in "a b c".
            next_to = {after - at for at, after in pairwise(run)}
            if len(made) < len(spaces) or len(gaps) == len(apart) or 1 in next_to:
                pairs = zip(pairwise(run), gaps, strict=True)
                narrow = {at + 1 for (at, after), gap in pairs if after - at == 2 and gap <= usual + MORE}
                found += narrow.intersection(made)
    return found


def _signs(text: str, line: range) -> list[int]:
    return [at for at in line if not text[at].isspace()]


def _apart(signs: Sequence[int], asked: Asked) -> list[float]:
    """How far each of the signs is from the next, in heights of the highest."""
    left, right, bottom, top = asked.boxes(signs)
    height = max(map(sub, top, bottom), default=0.0)
    return [gap / height if height else 0.0 for gap in map(sub, left[1:], right)]


def _runs(apart: Iterable[float]) -> list[tuple[int, int]]:
    """Where gaps follow each other, each of which is wide enough."""
    return list(map(re.Match.span, RUN.finditer(bytes(map(LEAST.__le__, apart)))))
