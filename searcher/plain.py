"""Values as they come, of Python, numpy or pandas, made into what can be stored and compared; and numbers as people say
them.
"""

import json
import math
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from numbers import Integral, Real
from operator import methodcaller
from pathlib import PurePath
from typing import Any, Literal
from uuid import UUID

from searcher.errors import BadValue

__all__ = ["INT64", "ColumnType", "amended", "as_json", "counted", "is_there", "plain", "scalar", "storable"]

ColumnType = Literal["text", "number", "boolean", "date"]  # what the values of a table's column are made into
INT64 = range(-(2**63), 2**63)
TOO_DEEP = "a value is nested too deeply"
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)  # json.dumps makes a new one for each value


def plain(value: Any) -> Any:
    """A value without what an Enum or numpy wraps around it: an array is a list, a scalar a number, text or bool.

    >>> import numpy as np
    >>> plain(np.bool_(True)), plain(np.array([1.5, 2.0]))
    (True, [1.5, 2.0])
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        if str(value.dtype) in FINER:  # numpy would make whole numbers of them
            value = value.astype("datetime64[us]")
        return value.tolist()
    return value


def scalar(value: Any) -> Any:
    """What a single value of metadata is stored as, and compared as by a filter; others come back as `plain` has them.

    Dates and times are ISO text, UUIDs and paths text. A Decimal is a number where that has all its digits, else text.

    >>> scalar(date(2026, 1, 31)), scalar(Decimal("19.99")), scalar(Decimal("0.12345678901234567890"))
    ('2026-01-31', 19.99, '0.12345678901234567890')
    """
    if type(value) in PLAIN or type(value := plain(value)) in PLAIN:
        return value
    return next((made(value) for kind, made in SCALARS.items() if isinstance(value, kind)), value)


def _of_date(value: date) -> str | None:
    return value.isoformat() if value == value else None  # pandas' NaT is a datetime that is none


def _of_decimal(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return float("nan") if value.is_nan() else float(value)
    if value.adjusted() < 19 and value == value.to_integral_value() and (whole := int(value)) in INT64:
        return whole
    near = float(value)
    return near if Decimal(repr(near)) == value else str(value)


PLAIN = {str, int, float, bool, type(None)}
FINER = {f"datetime64[{unit}]" for unit in ("ns", "ps", "fs", "as")}  # than microseconds
SCALARS: dict[type, Callable[[Any], Any]] = {
    str: str, date: _of_date, time: methodcaller("isoformat"), UUID: str, PurePath: str,
    Decimal: _of_decimal, Integral: int, Real: float,
}  # fmt: skip


def storable(value: Any) -> Any:
    """The value as JSON and SQLite can hold it: what `scalar` makes of a single one, sets as lists, integers beyond
    64 bits as text, text without NUL characters.

    Raises BadValue: NaN, infinity, a lone surrogate, what is nested too deeply, or a type that means nothing to a
    filter.
    """
    try:
        return _stored(value)
    except RecursionError:
        raise BadValue(TOO_DEEP) from None


@singledispatch
def _stored(value: Any) -> Any:
    if (bare := scalar(value)) is not value:
        return _stored(bare)
    raise BadValue(f"a value of type {type(value).__name__} cannot be stored")


@_stored.register(bool)
@_stored.register(type(None))
def _unchanged(value: bool | None) -> bool | None:
    return value


@_stored.register(Integral)
def _whole(value: Integral) -> int | str:
    return int(value) if int(value) in INT64 else str(int(value))


@_stored.register(Real)
def _finite(value: Real) -> float:
    if not math.isfinite(value):
        raise BadValue(f"{float(value)} is not a number that can be stored")
    return float(value)


@_stored.register(str)
def _encodable(value: str) -> str:
    value = plain(value)  # a text may be an Enum's too
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"a lone surrogate at character {error.start + 1}") from None
    return str(value).replace("\0", "")  # where SQLite's JSON would end the string


@_stored.register(Mapping)
def _keyed(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {_encodable(str(plain(key))): _stored(item) for key, item in value.items()}


@_stored.register(list)
@_stored.register(tuple)
def _listed(value: list[Any] | tuple[Any, ...]) -> list[Any]:
    return [_stored(item) for item in value]


@_stored.register(set)
@_stored.register(frozenset)
def _ordered(value: set[Any] | frozenset[Any]) -> list[Any]:
    return sorted(map(_stored, value), key=repr)  # the order of a set differs from run to run


def amended(metadata: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with changes: a key whose change is None is taken out, all others stay, those that hold None too.

    >>> amended({"a": 1, "b": None, "c": 2}, {"a": None, "c": 3})
    {'b': None, 'c': 3}
    """
    gone = {key for key, value in changes.items() if value is None}
    return {key: value for key, value in {**metadata, **changes}.items() if key not in gone}


def as_json(value: Any) -> str:
    """The value as it is stored. BadValue for one that JSON cannot hold."""
    try:
        return ENCODER.encode(value)
    except (TypeError, ValueError) as fault:
        raise BadValue(f"{value!r:.80} cannot be stored as JSON: {fault}") from None
    except RecursionError:
        raise BadValue(TOO_DEEP) from None


def is_there(value: object) -> bool:
    """Whether an option or a part is given: anything but None and False; 0 is.

    >>> is_there(0), is_there(False), is_there(None)
    (True, False, False)
    """
    return value is not None and value is not False


def counted(number: int, noun: str) -> str:
    """So many of them.

    >>> counted(1, "document"), counted(1200, "document")
    ('1 document', '1,200 documents')
    """
    return f"{number:,} {noun}" + "s" * (number != 1)
