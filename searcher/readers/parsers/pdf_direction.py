"""Signs in the order in which they are drawn, from left to right → in the order in which they are read.

The Unicode Bidirectional Algorithm (UAX #9) says how a text is drawn; here its rules are followed backwards. Where two
texts are drawn alike, it is the one that needs no hidden marks.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

__all__ = ["ENDS", "NEW_SIGN", "RIGHT", "Sign", "in_reading_order", "kinds_of", "runs_left", "with_brackets"]

RIGHT = {"R", "AL"}
DIGITS = {"EN", "AN"}
SPACED = {"WS", "S", "B"}
PAIRS = {sign: pair for pair in ("()", "[]", "{}", "«»", "‹›") for sign in pair}
ENDS = set(".,;:!?،؛؟…")  # which follow a closing bracket without a space
MAJORITY = 2.0  # so many times the words of the other direction make that of a line, whatever the page has


class Sign(NamedTuple):
    """What one glyph means, mostly one character; its origin and the edges of its box, in points."""

    text: str
    x: float
    y: float
    left: float
    right: float
    bottom: float
    top: float

    @property
    def kind(self) -> str:
        """The bidirectional class of its first character."""
        return unicodedata.bidirectional(self.text[0])

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom


NEW_SIGN = partial(tuple.__new__, Sign)  # as Sign._make, without a function of Python in between


def kinds_of(line: Iterable[Sign]) -> list[str]:
    """The bidirectional classes of its signs."""
    return list(map(unicodedata.bidirectional, [sign.text[0] for sign in line]))


def runs_left(kinds: Mapping[str, int]) -> bool:
    """Whether most letters are from right to left. kinds: how many signs are of each bidirectional class."""
    return sum(map(kinds.__getitem__, RIGHT)) > kinds["L"]


def in_reading_order(drawn: Sequence[Sign], page: Mapping[str, int]) -> list[Sign]:
    """A line from left to right as it is read. page: how many signs there are of each bidirectional class."""
    kinds = kinds_of(drawn)
    strong = page if RIGHT.isdisjoint(kinds) else Counter(kinds)
    arabic = strong["AL"] >= strong["R"]
    if _runs_to_the_left(kinds, page):
        return _turned(drawn, kinds, arabic)
    read = list(drawn)
    for start, end in _quoted(kinds):
        read[start:end] = _turned(drawn[start:end], kinds[start:end], arabic)
    return read


def _runs_to_the_left(kinds: Sequence[str], page: Mapping[str, int]) -> bool:
    """Whether most words do; where both are about as many, and for cells of a table, most letters of the page."""
    words = [list(word) for is_space, word in groupby(kinds, key=SPACED.__contains__) if not is_space]
    firsts = [next((kind for kind in word if kind == "L" or kind in RIGHT), "") for word in words]
    left, right = firsts.count("L"), sum(kind in RIGHT for kind in firsts)
    if "S" not in kinds and left != right and max(left, right) >= MAJORITY * min(left, right):
        return right > left
    return runs_left(page)


def _quoted(kinds: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where words that run to the left stand in a line that runs to the right, in each cell by themselves."""
    strong = [at for at, kind in enumerate(kinds) if kind in ("L", "S") or kind in RIGHT]
    for is_right, group in groupby(strong, key=lambda at: kinds[at] in RIGHT):
        places = list(group)
        if is_right:
            yield places[0], places[-1] + 1


def _turned(drawn: Sequence[Sign], kinds: Sequence[str], arabic: bool) -> list[Sign]:
    """What runs to the left as it is read; what runs to the right in it, such as numbers, stays as it is."""
    kept = _kept(drawn, kinds, arabic)
    read: list[Sign] = []
    for is_kept, run in groupby(reversed(range(len(drawn))), key=kept.__getitem__):
        places = list(run)
        read += [drawn[at] for at in (reversed(places) if is_kept else places)]
    return read


def _kept(drawn: Sequence[Sign], own: Sequence[str], arabic: bool) -> list[bool]:
    """Of each sign, whether it is part of a run to the right. arabic: whether the text before is Arabic."""
    kinds = list(own)
    before = "AL" if arabic else "R"
    for at in reversed(range(len(own))):
        before = own[at] if own[at] in RIGHT else before
        if own[at] == "EN" and before == "AL":
            kinds[at] = "AN"  # rule W2: numbers after Arabic letters are as Arabic ones
    kept = [kind in DIGITS or kind == "L" for kind in kinds]
    behind = None  # the last letter that runs to the right, or number after one
    for at, kind in enumerate(own):
        if kind == "L" or (kind == "EN" and behind is not None):
            kinds[at] = kind
            if behind is not None:
                kept[behind:at] = [True] * (at - behind)
            behind = at
        elif kind in RIGHT or kind in ("AN", "S"):
            behind = None
    _keep_numbers(kinds, kept)
    _keep_brackets(drawn, own, kept)
    return kept


def _keep_numbers(kinds: Sequence[str], kept: list[bool]) -> None:
    """Keep what belongs to numbers: rules W4 and W5, separators within and signs such as % beside them."""
    if DIGITS.isdisjoint(kinds):
        return
    for at in range(1, len(kinds) - 1):
        left, kind, right = kinds[at - 1 : at + 2]
        if left == right and ((kind == "CS" and left in DIGITS) or (kind == "ES" and left == "EN")):
            kept[at] = True
    for kind, run in groupby(range(len(kinds)), key=kinds.__getitem__):
        if kind == "ET":
            places = list(run)
            around = kinds[max(places[0] - 1, 0)], kinds[min(places[-1] + 1, len(kinds) - 1)]
            if "EN" in around:
                kept[places[0] : places[-1] + 1] = [True] * len(places)


def _keep_brackets(drawn: Sequence[Sign], own: Sequence[str], kept: list[bool]) -> None:
    """Keep the bracket beside words that run to the right where its fellow stands within them (rule N0)."""
    if PAIRS.keys().isdisjoint(sign.text for sign in drawn):
        return
    runs = [list(run) for is_kept, run in groupby(range(len(kept)), key=list(kept).__getitem__) if is_kept]
    for run in runs:
        if "L" not in (own[at] for at in run):
            continue
        for pair in set(PAIRS.values()):
            unmatched = sum((sign == pair[0]) - (sign == pair[1]) for sign in (drawn[at].text for at in run))
            beside = run[-1] + 1 if unmatched > 0 else run[0] - 1
            if unmatched and 0 <= beside < len(drawn) and drawn[beside].text in pair:
                kept[beside] = True


# -- brackets


def with_brackets(line: Sequence[Sign]) -> list[Sign]:
    """A line as it is read, each bracket as it is written: which one is drawn says not, in what runs to the left."""
    made = list(line)
    still_open: list[str] = []
    for at, sign in enumerate(line):
        if pair := PAIRS.get(sign.text):
            before, after = made[at - 1] if at else None, line[at + 1] if at + 1 < len(line) else None
            opens = _opens(before, after, pair in still_open)
            made[at] = sign._replace(text=pair[not opens])
            if opens:
                still_open.append(pair)
            elif pair in still_open:
                still_open.remove(pair)
    return made


def _opens(before: Sign | None, after: Sign | None, is_open: bool) -> bool:
    apart_before = before is None or before.kind in SPACED or before.text == PAIRS.get(before.text, " ")[0]
    apart_after = after is None or after.kind in SPACED or after.text in ENDS
    return apart_before if apart_before != apart_after else not is_open
