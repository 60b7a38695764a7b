"""What kind of sign each character is, and how odd it is for one kind to stand beside another.

A closing quote belongs after a letter and an opening one before it, a fraction beside digits, a line of a drawn box
beside another: where a text is decoded by the wrong code page, its letters turn into signs that stand anywhere.
"""

import unicodedata
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Kind", "Sign", "pair_costs", "sign", "within_costs"]


class Kind(IntEnum):
    """Signs that stand in the same places."""

    SPACE = 0
    LETTER = 1
    IDEOGRAPH = 2  # kana, hangul and full-width signs too
    DIGIT = 3
    ASCII = 4  # the other signs of ASCII
    OPEN = 5
    QUOTE = 6  # opens in some languages and closes in others
    CLOSE = 7
    APOSTROPHE = 8
    JOINER = 9  # within words
    DASH = 10
    UNIT = 11  # beside numbers
    MARK = 12
    LINE = 13  # of drawn boxes
    NO_BREAK = 14
    BROKEN = 15  # controls, unassigned, private, replaced


class Sign(NamedTuple):
    """A character. cost: nats of it anywhere. script: of a letter, as Unicode names it; lower: its small form."""

    character: str
    kind: Kind
    cost: float
    script: str
    lower: str
    is_upper: bool


# The signs beyond ASCII that texts have, and about how many nats rare they are.
COSTS: dict[Kind, dict[str, float]] = {
    Kind.OPEN: {"„": 6, "¿": 6.5, "‘¡": 7, "‹‚": 8.5},
    Kind.QUOTE: {"“”«»": 5.5},
    Kind.CLOSE: {"…": 6, "›": 8.5},
    Kind.APOSTROPHE: {"’": 5.5, "´": 10.5},
    Kind.JOINER: {"·": 6, "‐‑": 8, "\xad": 8.5},
    Kind.DASH: {"–—": 5.5, "―": 8, "■►▪●○": 8.5},
    Kind.UNIT: {"°€£": 6.5, "±×½²º": 7.5, "ª¼¾¥³": 8, "÷¢‰µ¹": 8.5, "¤": 11.5},
    Kind.MARK: {"•": 6.5, "©§": 7, "®™№": 7.5, "→≤≥": 8.5, "¶†": 9, "‡¦¬": 10.5},
    Kind.LINE: {"─│═║": 6.5, "┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬": 8.5},
    Kind.NO_BREAK: {"\xa0": 6},
}
KNOWN = {c: (kind, float(cost)) for kind, groups in COSTS.items() for group, cost in groups.items() for c in group}
UNKNOWN_SIGN, OTHER_LINE, BROKEN = 10.0, 8.0, 14.0
IDEOGRAPHS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC", "BOPOMOFO")
WIDE_SIGNS = range(0x3000, 0x3020)

# Nats that it costs for the second to follow the first.
BESIDE: dict[Kind, dict[Kind, float]] = {
    Kind.SPACE: {Kind.CLOSE: 3, Kind.APOSTROPHE: 2, Kind.JOINER: 3, Kind.UNIT: 1, Kind.NO_BREAK: 3},
    Kind.LETTER: {Kind.OPEN: 4, Kind.UNIT: 3, Kind.MARK: 3, Kind.LINE: 3, Kind.DASH: 1, Kind.DIGIT: 1,
                  Kind.IDEOGRAPH: 1.5},
    Kind.IDEOGRAPH: {Kind.LETTER: 1.5},
    Kind.DIGIT: {Kind.LETTER: 1, Kind.OPEN: 3, Kind.JOINER: 3, Kind.MARK: 2, Kind.LINE: 3},
    Kind.ASCII: {Kind.UNIT: 1, Kind.LINE: 2},
    Kind.OPEN: {Kind.SPACE: 4, Kind.CLOSE: 3, Kind.OPEN: 2, Kind.ASCII: 2, Kind.UNIT: 2, Kind.QUOTE: 2, Kind.MARK: 2},
    Kind.QUOTE: {Kind.UNIT: 2, Kind.MARK: 2, Kind.QUOTE: 1, Kind.CLOSE: 2},
    Kind.CLOSE: {Kind.LETTER: 2, Kind.DIGIT: 3, Kind.OPEN: 3},
    Kind.APOSTROPHE: {Kind.APOSTROPHE: 4, Kind.OPEN: 3, Kind.UNIT: 3, Kind.MARK: 3},
    Kind.JOINER: {Kind.SPACE: 3, Kind.DIGIT: 3},
    Kind.UNIT: {Kind.LETTER: 2, Kind.UNIT: 2, Kind.MARK: 2, Kind.OPEN: 3},
    Kind.MARK: {Kind.LETTER: 2, Kind.UNIT: 2, Kind.MARK: 2, Kind.OPEN: 3},
    Kind.LINE: {Kind.LETTER: 3, Kind.DIGIT: 3, Kind.ASCII: 2},
    Kind.NO_BREAK: {Kind.SPACE: 3},
}  # fmt: skip
# … and for it to stand between two letters, beside that.
WITHIN: dict[Kind, float] = {
    Kind.OPEN: 3, Kind.QUOTE: 7, Kind.CLOSE: 4, Kind.DASH: 4, Kind.UNIT: 2, Kind.MARK: 2, Kind.LINE: 3,
    Kind.NO_BREAK: 2, Kind.BROKEN: 2,
}  # fmt: skip


@cache
def pair_costs() -> "np.ndarray":
    """(kinds, kinds) float32: what it costs for the second kind to follow the first."""
    import numpy as np

    costs = np.zeros((len(Kind), len(Kind)), dtype=np.float32)
    for first, following in BESIDE.items():
        for second, cost in following.items():
            costs[first, second] = cost
    return costs


@cache
def within_costs() -> "np.ndarray":
    """(kinds,) float32: what it costs to stand between two letters."""
    import numpy as np

    return np.array([WITHIN.get(kind, 0) for kind in Kind], dtype=np.float32)


@cache
def sign(character: str) -> Sign:
    """What is known of a character."""
    kind, cost = _kind(character)
    lower = character.lower()[0]
    script = ""
    if kind is Kind.LETTER:
        script = "LATIN" if character.isascii() else unicodedata.name(character, "").split(" ")[0]
        # The marks of Vietnamese; those of other scripts have its name.
        script = "LATIN" if script == "COMBINING" else script
    return Sign(character, kind, cost, script, lower, lower != character)


def _kind(character: str) -> tuple[Kind, float]:
    if character in KNOWN:
        return KNOWN[character]
    category = unicodedata.category(character)
    if character.isascii():
        kinds = {"L": Kind.LETTER, "N": Kind.DIGIT, "Z": Kind.SPACE}
        if character in "\t\n\f\r\x1b\b":
            return Kind.SPACE, 0.0
        return (Kind.BROKEN, BROKEN) if category == "Cc" else (kinds.get(category[0], Kind.ASCII), 0.0)
    if category[0] == "C" or character == "\ufffd":
        return Kind.BROKEN, BROKEN
    if unicodedata.name(character, "").startswith(IDEOGRAPHS) or ord(character) in WIDE_SIGNS:
        return Kind.IDEOGRAPH, 0.0
    if category[0] in "LM":
        return Kind.LETTER, 0.0
    if "\u2500" <= character <= "\u259f":
        return Kind.LINE, OTHER_LINE
    return (Kind.SPACE, 2.0) if category[0] == "Z" else (Kind.MARK, UNKNOWN_SIGN)
