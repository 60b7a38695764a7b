"""Numbers that variables of the environment say, each with what is good in its message."""

import os
import re
from typing import TypeVar

from searcher.errors import BadValue

__all__ = ["number_of", "whole_number_of"]

WHOLE = re.compile(r"\d{1,9}", re.ASCII)  # of thousands of digits Python makes no number
SHOWN = 80  # characters of a wrong value
Default = TypeVar("Default", int, None)


def whole_number_of(name: str, otherwise: Default, least: int = 0) -> int | Default:
    """The whole number that a variable says, `otherwise` where it says nothing. BadValue for anything else."""
    given = os.environ.get(name, "").strip()
    if given and (not WHOLE.fullmatch(given) or int(given) < least):
        raise BadValue(f"{name} is {_quoted(given)}; good: a whole number from {least} to 999,999,999")
    return int(given) if given else otherwise


def number_of(name: str, otherwise: float, least: float, most: float, unit: str) -> float:
    """The same with decimals, from `least` to `most`. unit: of a message."""
    given = os.environ.get(name, "").strip()
    try:
        value = float(given or otherwise)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise BadValue(f"{name} is {_quoted(given)}; good: a number of {unit} from {least:g} to {most:g}")
    return value


def _quoted(given: str) -> str:
    return repr(given if len(given) <= SHOWN else given[:SHOWN] + "…")
