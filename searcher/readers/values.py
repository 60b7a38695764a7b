"""The types of metadata: which values may be stored, and how the text of a CSV cell becomes one."""

import math
import re
from collections.abc import Mapping
from functools import singledispatch
from numbers import Integral, Real
from typing import Any

from searcher.errors import BadValue
from searcher.plain import plain, scalar

__all__ = ["storable", "typed"]

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
BOOLEANS = {"true": True, "false": False}
INT64 = range(-(2**63), 2**63)
INT64_CHARACTERS = 20


def typed(value: Any) -> Any:
    """The value that the text of a cell stands for; what is not text only has to be storable.

    >>> [typed(cell) for cell in ("1999", "1e-3", "TRUE", "007", "2024-01-31", " ")]
    [1999, 0.001, True, '007', '2024-01-31', None]
    """
    if not isinstance(value, str):
        return storable(value)
    text = value.strip()
    if not text or text.lower() in BOOLEANS:
        return BOOLEANS.get(text.lower())
    number = NUMBER.fullmatch(text)
    if number and number["fraction"] and math.isfinite(float(text)):
        return float(text)
    if number and not number["fraction"] and len(text) <= INT64_CHARACTERS and text != "-0" and int(text) in INT64:
        return int(text)
    return storable(value)


@singledispatch
def storable(value: Any) -> Any:
    """The value as JSON and SQLite can hold it: what `scalar` makes of a single one, sets as lists, integers beyond
    64 bits as text, text without NUL characters.

    Raises:
        BadValue: NaN, infinity, a lone surrogate, or a type that means nothing to a filter.
    """
    if (bare := scalar(value)) is not value:
        return storable(bare)
    raise BadValue(f"a value of type {type(value).__name__} cannot be stored")


@storable.register(bool)
@storable.register(type(None))
def _unchanged(value: bool | None) -> bool | None:
    return value


@storable.register(Integral)
def _whole(value: Integral) -> int | str:
    return int(value) if int(value) in INT64 else str(int(value))


@storable.register(Real)
def _finite(value: Real) -> float:
    if not math.isfinite(value):
        raise BadValue(f"{float(value)} is not a number that can be stored")
    return float(value)


@storable.register(str)
def _encodable(value: str) -> str:
    value = plain(value)  # a text may be an Enum's too
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"a lone surrogate at character {error.start + 1}") from None
    return str(value).replace("\0", "")  # where SQLite's JSON would end the string


@storable.register(Mapping)
def _keyed(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {_encodable(str(plain(key))): storable(item) for key, item in value.items()}


@storable.register(list)
@storable.register(tuple)
def _listed(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [storable(item) for item in value]


@storable.register(set)
@storable.register(frozenset)
def _ordered(value: set[Any] | frozenset[Any]) -> list[Any]:
    return sorted(map(storable, value), key=repr)  # the order of a set differs from run to run
