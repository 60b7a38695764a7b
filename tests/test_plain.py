"""Values as callers have them: what metadata and payloads may hold, and what is refused."""

import math
from datetime import date, datetime
from typing import Any

import pytest

from searcher.errors import BadValue
from searcher.plain import as_json, storable


def test_values_are_made_storable() -> None:
    value = {1: {3, 1}, "when": datetime(2024, 1, 31, 12), "day": date(2024, 1, 31), "big": 2**70, "pair": (1, True)}
    assert storable(value) == {
        "1": [1, 3],
        "when": "2024-01-31T12:00:00",
        "day": "2024-01-31",
        "big": str(2**70),
        "pair": [1, True],
    }


@pytest.mark.parametrize("value", [math.nan, [math.inf], "\udc00", {"a": object()}, b"bytes"])
def test_what_cannot_be_stored_is_refused(value: Any) -> None:
    with pytest.raises(BadValue):
        storable(value)


def nested(depth: int, kind: type) -> Any:
    """A value within so many lists, or dicts."""
    value: Any = "the bank"
    for _ in range(depth):
        value = [value] if kind is list else {"in": value}
    return value


@pytest.mark.parametrize("kind", [list, dict])
def test_what_is_nested_is_stored_as_it_is_or_refused_in_words(kind: type) -> None:
    assert storable(nested(100, kind)) == nested(100, kind)
    for made in (storable, as_json):
        with pytest.raises(BadValue, match="a value is nested too deeply"):
            made(nested(100_000, kind))


def test_a_value_that_holds_itself_is_refused() -> None:
    metadata: dict[str, Any] = {}
    metadata["self"] = metadata
    with pytest.raises(BadValue, match="nested too deeply"):
        storable(metadata)
    with pytest.raises(BadValue, match="cannot be stored as JSON: Circular reference"):
        as_json(metadata)
