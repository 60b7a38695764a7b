"""Values as they come, of Python, numpy or pandas, made into what can be stored and compared."""

import json
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from operator import methodcaller
from pathlib import PurePath
from typing import Any
from uuid import UUID

from searcher.errors import BadValue

__all__ = ["as_json", "plain", "scalar"]


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
    if value.adjusted() < 19 and value == value.to_integral_value() and -(2**63) <= (whole := int(value)) < 2**63:
        return whole
    near = float(value)
    return near if Decimal(repr(near)) == value else str(value)


PLAIN = {str, int, float, bool, type(None)}
FINER = {f"datetime64[{unit}]" for unit in ("ns", "ps", "fs", "as")}  # than microseconds
SCALARS: dict[type, Callable[[Any], Any]] = {
    str: str, date: _of_date, time: methodcaller("isoformat"), UUID: str, PurePath: str,
    Decimal: _of_decimal, Integral: int, Real: float,
}  # fmt: skip


def as_json(value: Any) -> str:
    """The value as it is stored. BadValue for one that JSON cannot hold."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as fault:
        raise BadValue(f"{value!r:.80} cannot be stored as JSON: {fault}") from None
