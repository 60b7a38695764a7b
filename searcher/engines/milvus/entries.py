"""Values of a passage → a JSON object that expressions of Milvus can ask, whatever is in them; keys and values as text.

Milvus compares JSON its own way: true equals 1, of a list only whole elements are known, numbers above 2^53 are
rounded, a missing key is true, false or neither by version. So what is under a path is entered by kind: which there
are, all different values as a list, the least and the greatest. Everything is a string whose order by code point is
the order of the values, and nothing is asked of a key that may be missing before it was asked whether it is there.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from searcher.filters import (
    BOOLEAN,
    LIST,
    NUMBER,
    OBJECT,
    ROW_KEYS,
    TEXT,
    Path,
    Value,
    in_metadata,
    is_empty,
    kind_of,
    moment_of,
    values_of,
)
from searcher.places import PLACE_PARTS

__all__ = ["ANY", "EVERY_ROW", "FILLED", "LETTERS", "MOMENT", "NO_MOMENT", "PRESENT", "entered", "key_of", "sortable",
           "sortable_moment"]  # fmt: skip

PRESENT = "has"  # the key of the list that says what there is: a path's key and one of these letters
LETTERS = {TEXT: "t", NUMBER: "n", BOOLEAN: "b", LIST: "l", OBJECT: "o"}
MOMENT, NO_MOMENT, ANY, FILLED = "m", "u", "x", "f"  # text that is one, or none; anything; anything not empty
EVERY_ROW = "*"  # is in every such list
COMPARED = (TEXT, NUMBER, BOOLEAN)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of a number: its sign, the exponent of two, and the 64 bits from its first on.
BIAS, WIDE = 2000, 1 << 64
BELOW_ALL, NEGATIVE, ZERO, POSITIVE, ABOVE_ALL = "01234"


def key_of(path: Path) -> str:
    """The key of what a filter names so: letters and digits, whatever the path holds.

    Parts of a row and of a place come before metadata of the same name, where there are any.
    """
    ours = len(path) == 1 and (path[0] in ROW_KEYS or path[0] in PLACE_PARTS)
    return _digest("c" if ours else "m", path if ours else in_metadata(path))


def _digest(domain: str, path: Path) -> str:
    return domain + hashlib.blake2b(json.dumps(path).encode(), digest_size=12).hexdigest()


def entered(columns: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a passage for filters. columns: what a key of one part means before it means one of metadata.

    Under a path's key and the letter of a kind all values, rising; with 0 behind it the least, with 1 the greatest.
    """
    present, values = {EVERY_ROW}, dict[str, set[str]]()
    for key, kind, value in _found(columns, metadata):
        present |= {key + LETTERS[kind], key + ANY}
        if not is_empty(kind, value):
            present.add(key + FILLED)
        if kind in COMPARED:
            values.setdefault(key + LETTERS[kind], set()).add(sortable(value))
        if kind == TEXT and isinstance(value, str):
            moment = moment_of(value)
            present.add(key + (NO_MOMENT if moment is None else MOMENT))
            if moment is not None:
                values.setdefault(key + MOMENT, set()).add(sortable_moment(moment))
    entry: dict[str, Any] = {PRESENT: sorted(present)}
    for key, some in values.items():
        rising = sorted(some)
        entry |= {key: rising, key + "0": rising[0], key + "1": rising[-1]}
    return entry


def _found(columns: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[tuple[str, str, Value]]:
    """Key, kind and value of all that a filter may name."""
    for path, kind, value in values_of(metadata):
        yield _digest("m", path), kind, value
        if len(path) == 1 and path[0] not in columns and (own := key_of(path)) != _digest("m", path):
            yield own, kind, value
    for name, value in columns.items():
        if value is not None:
            yield key_of((name,)), *kind_of(value)


def sortable(value: Value) -> str:
    """A text whose order is that of the values of its kind.

    >>> sortable(-1) < sortable(-0.5) < sortable(0) < sortable(2**53) < sortable(2**53 + 1)
    True
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(int(value))
    if value in (float("inf"), float("-inf")):
        return ABOVE_ALL if value > 0 else BELOW_ALL
    over, under = abs(value).as_integer_ratio()  # exactly, and under is a power of two
    if not over:
        return ZERO
    exponent, first = over.bit_length() - under.bit_length() + BIAS, (over << 64) >> over.bit_length()
    if value > 0:
        return f"{POSITIVE}{exponent:04x}{first:016x}"
    return f"{NEGATIVE}{0xFFFF - exponent:04x}{WIDE - 1 - first:016x}"


def sortable_moment(moment: datetime) -> str:
    """The same of a moment with its zone, to the microsecond."""
    return sortable((moment - EPOCH) // timedelta(microseconds=1))
