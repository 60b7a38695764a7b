"""What a value is to a filter: its kind, all values found under a key, the moment that a text stands for."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from searcher.errors import BadValue
from searcher.plain import scalar

__all__ = [
    "BOOLEAN", "LIST", "NUMBER", "OBJECT", "SINGLE", "TEXT", "UNSTORABLE", "Path", "Value", "comparable", "has_key",
    "in_range", "is_empty", "kind_of", "moment_of", "values_at", "values_of",
]  # fmt: skip

Path: TypeAlias = tuple[str, ...]
Value: TypeAlias = str | int | float | bool

# Like is compared with like. Of a list and an object a filter knows how much they hold; the rest is under their keys.
TEXT, NUMBER, BOOLEAN, LIST, OBJECT = "text", "number", "boolean", "list", "object"
SINGLE = (TEXT, NUMBER, BOOLEAN)  # what is compared
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # SQLite's JSON ends a string at NUL, UTF-8 has no surrogates
GOOD = (
    "good are text without NUL, finite numbers of 64 bits, booleans, dates, Decimal, UUID, Path, Enum, None and"
    " lists of these"
)


def kind_of(value: object) -> tuple[str, Value]:
    """What a value of metadata is compared as, of a list or an object how much it holds."""
    if isinstance(value, bool):
        return BOOLEAN, value
    if isinstance(value, str):
        return TEXT, value
    if isinstance(value, float):
        return NUMBER, value
    if isinstance(value, int):
        return NUMBER, value if in_range(value) else _as_float(value)
    return (LIST, len(value)) if isinstance(value, list) else (OBJECT, len(value) if isinstance(value, dict) else 0)


def is_empty(kind: str, value: Value) -> bool:
    """Whether it is '', [] or {}."""
    return value == "" if kind == TEXT else kind in (LIST, OBJECT) and value == 0


def values_of(metadata: Mapping[str, Any]) -> Iterator[tuple[Path, str, Value]]:
    """Path, kind and value of all that a filter may name in metadata, as read from JSON; null is as if missing.

    A list comes under its path, and so does each of its elements; what comes twice there may come twice here.
    """
    waiting: list[tuple[Path, Any]] = [((key,), value) for key, value in metadata.items()]
    while waiting:
        path, value = waiting.pop()
        if value is not None:
            yield path, *kind_of(value)
        if isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [(path, inner) for inner in value]


def values_at(path: Path, metadata: Mapping[str, Any]) -> list[tuple[str, Value]]:
    """Kind and value of all that `values_of` finds under a path."""
    return [kind_of(each) for each in _at(path, metadata) if each is not None]


def has_key(path: Path, metadata: Mapping[str, Any]) -> bool:
    """Whether there is anything under a path, be it null."""
    return bool(_at(path, metadata))


def _at(path: Path, metadata: Mapping[str, Any]) -> list[Any]:
    found: list[Any] = [metadata]
    for key in path:
        found = list(_spread(each[key] for each in found if isinstance(each, dict) and key in each))
    return found


def _spread(values: Iterator[Any]) -> Iterator[Any]:
    """Each value, and behind a list its elements."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, list):
            waiting += value


def moment_of(text: str) -> datetime | None:
    """The moment that a text in ISO 8601 stands for, None if it is none; to the microsecond.

    Read is what `datetime.fromisoformat` reads. A date is its first moment, and where there is no zone it is UTC.

    >>> moment_of("2026-01-31T10:00+02:00") == moment_of("20260131T080000Z"), moment_of("31.1.2026")
    (True, None)
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def comparable(key: str, value: object) -> Value:
    """What a filter compares with for a value of Python: what that is stored as. BadValue names the key."""
    if type(value) is str and not UNSTORABLE.search(value):  # most of a long list
        return value
    value = scalar(value)
    if isinstance(value, str | int | float):
        if in_range(value) if isinstance(value, int | float) else not UNSTORABLE.search(value):
            return value
        shown = "an int" if isinstance(value, int) else f"{value!r:.60}"  # no digits: Python refuses to print 4,301
        raise BadValue(f"filter key {key!r}: {shown} is out of range; {GOOD}")
    raise BadValue(f"filter key {key!r}: cannot compare with a {type(value).__name__}; {GOOD}")


def in_range(number: float) -> bool:
    """Whether SQLite can hold it."""
    return -(2**63) <= number < 2**63 if isinstance(number, int) else math.isfinite(number)


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
