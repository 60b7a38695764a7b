"""Numbers in the files of strangers: as their attributes say them, and as lists spell them, in Roman numerals say."""

import re
from collections.abc import Callable
from typing import TypeVar

__all__ = ["numeral", "whole"]

WHOLE = re.compile(r"-?[0-9]{1,9}")  # with more digits it counts nothing that a file has
Other = TypeVar("Other")

ROMAN = [(1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x")]
ROMAN += [(9, "ix"), (5, "v"), (4, "iv"), (1, "i")]


def whole(said: str | None, otherwise: Other, least: int = 0) -> int | Other:
    """The whole number that an attribute says; what to take where it says none, or less than the least.

    >>> whole("3", 1), whole("-3", 1), whole("three", 1), whole(None, None)
    (3, 1, 1, None)
    """
    return number if said and WHOLE.fullmatch(said) and (number := int(said)) >= least else otherwise


def numeral(kind: str, number: int) -> str:
    """The number as a list of a kind spells it, which may be called as in Office or as in HTML and OpenDocument.

    >>> numeral("upperRoman", 4), numeral("a", 28), numeral("decimal", 3)
    ('IV', 'bb', '3')
    """
    return NUMERALS.get(kind, str)(number)


def _letters(number: int) -> str:
    """The number as Word spells it with letters: a to z, aa to zz, aaa …"""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number < 10_000 else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 10_000:
        return str(number)
    spelled = ""
    for value, sign in ROMAN:
        spelled += sign * (number // value)
        number %= value
    return spelled


NUMERALS: dict[str, Callable[[int], str]] = {
    "lowerLetter": _letters, "upperLetter": lambda number: _letters(number).upper(), "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(), "decimalZero": "{:02}".format, "ordinal": "{}.".format,
}  # fmt: skip
SHORT = {"01, 02, 03, ...": "decimalZero", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
NUMERALS |= {short: NUMERALS[name] for short, name in SHORT.items()}
