"""Letters that are set apart, as titles are: which spaces in a line are none."""

import statistics
from collections.abc import Collection, Sequence
from itertools import groupby, pairwise

__all__ = ["LETTERS_APART", "spaces_within_words"]

# A space between two letters, each of which stands alone, or the last of which ends its line.
LETTERS_APART = r" (?=[^\W\d_](?!\w))(?<=[^\W\d_] )(?:(?<=[\W_]. )|(?=.(?:\r|\Z)))"
LEAST, MOST = 0.08, 0.5  # of the height of a line, by which letters that are set apart are so
MORE = 0.15  # of the height of a line, by which words are further apart than their letters
FEWEST = 5  # signs in a row
LETTERS = 0.6  # share of the signs

Edges = tuple[float, float, float, float]


def spaces_within_words(line: str, boxes: Sequence[Edges], made: Collection[int]) -> list[int]:
    """Places of spaces in a line that are but a part of letter spacing.

    boxes: left, right, bottom and top of each character. made: places of spaces that nobody drew.
    """
    signs = [at for at, sign in enumerate(line) if not sign.isspace()]
    height = max((boxes[at][3] - boxes[at][2] for at in signs), default=0.0)
    apart = [(boxes[right][0] - boxes[left][1]) / height if height else 0.0 for left, right in pairwise(signs)]
    # Who draws the spaces of a line draws all; where none are drawn, letters alone may be words, as in "a b c".
    draws = any(sign == " " and at not in made for at, sign in enumerate(line))
    found: list[int] = []
    for is_apart, run in groupby(range(len(apart)), key=lambda at: apart[at] >= LEAST):
        gaps = list(run)
        if is_apart and len(gaps) + 1 >= FEWEST:
            between = {at: line[signs[at] + 1 : signs[at + 1]] for at in gaps}
            usual = statistics.quantiles([apart[at] for at in gaps], n=4)[0]
            letters = sum(line[signs[at]].isalpha() for at in [*gaps, gaps[-1] + 1])
            is_sure = draws or len(gaps) == len(apart) or not all(between.values())
            if is_sure and usual <= MOST and letters >= LETTERS * (len(gaps) + 1):
                narrow = [signs[at] + 1 for at in gaps if between[at] == " " and apart[at] <= usual + MORE]
                found += [space for space in narrow if space in made]
    return found
