"""The metadata of an item as they can be stored; what cannot be is left out, by name."""

from typing import Any

from searcher.errors import BadValue
from searcher.migration.foreign import Item
from searcher.migration.named import Name, Shell
from searcher.plain import storable

__all__ = ["cleaned"]

DEEPEST = 50  # of values within values
MOST = 100_000  # values of one item: a few bytes of a pickle can stand for more than any memory holds


def cleaned(item: Item) -> Item:
    """The item with plain metadata. left_out: the keys whose values cannot be stored: NaN, bytes, what is too deep."""
    kept: dict[str, Any] = {}
    left_out = []
    budget = [MOST]
    for key, value in item.metadata.items():
        try:
            kept |= storable({key: _plain(value, budget, DEEPEST)})
        except ValueError:  # a whole number of thousands of digits raises it too
            left_out.append(f"{key!s:.40}")
    return item._replace(metadata=kept, left_out=tuple(left_out))


def _plain(value: Any, budget: list[int], depth: int) -> Any:
    """The value without what a pickle wraps around it. BadValue for one that is too large or too deep."""
    budget[0] -= 1
    if budget[0] < 0 or depth < 0:
        raise BadValue("a value too large to be metadata")
    if isinstance(value, Name):
        raise BadValue(f"the name {value}")
    if isinstance(value, Shell):
        return _plain(value.value(), budget, depth - 1)
    if isinstance(value, dict):
        return {key: _plain(each, budget, depth - 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, budget, depth - 1) for each in value]
    return value
