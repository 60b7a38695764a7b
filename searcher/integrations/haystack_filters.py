"""Haystack's filters → our tree."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from searcher.errors import BadValue
from searcher.filters import And, Compare, Filter, In, IsNull, Moment, Not, Or, parse
from searcher.integrations.doors import needed

with needed(__name__, "haystack-ai", "haystack"):
    from haystack.errors import FilterError

__all__ = ["Filters", "bare", "needed_tree", "tree_of"]

Filters = dict[str, Any] | None
Key = tuple[str, ...]
NOTHING: Filter = Or(())
UNFILTERED = ("content", "blob", "score", "embedding", "sparse_embedding")  # fields of a document that are no metadata
DAY = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]|$)")  # what Haystack takes for a moment where it asks for equality


def bare(field: str) -> str:
    """The name of a field without the `meta.` that may stand before it."""
    return field.removeprefix("meta.")


def tree_of(filters: Filters) -> Filter | None:
    """The tree of Haystack's filters, None for none. A key that no document has is missing, not an error.

    Equality of what ISO 8601 calls a moment, and every order of such, is that of the moments. Where a document holds a
    list, a comparison holds if it does for any element. Raises Haystack's FilterError.
    """
    if not filters:
        return None
    try:
        return parse(_condition(filters), unknown="nothing")
    except BadValue as fault:
        raise FilterError(str(fault)) from fault


def needed_tree(filters: Filters) -> Filter:
    """As `tree_of`; FilterError for none, which would be every document."""
    tree = tree_of(filters)
    if tree is None:
        raise FilterError("the filters are empty; delete_all_documents removes every document")
    return tree


def _condition(condition: Any) -> Filter:
    if not isinstance(condition, Mapping):
        raise FilterError(f"a filter is a dict, not {condition!r:.60}")
    if "field" not in condition:
        operator, parts = _of(condition, "operator"), _of(condition, "conditions")
        if not isinstance(parts, list | tuple):
            raise FilterError(f"the conditions are {parts!r:.60}, not a list of filters")
        return _known(LOGIC, operator)(tuple(map(_condition, parts)))
    compare = _known(COMPARISONS, _of(condition, "operator"))
    return compare(_path(condition["field"]), _of(condition, "value"))


def _of(condition: Mapping[str, Any], key: str) -> Any:
    if key not in condition:
        raise FilterError(f"{key!r} key missing in {dict(condition)!r:.200}")
    return condition[key]


def _known(table: Mapping[str, Any], operator: Any) -> Any:
    if not isinstance(operator, str) or operator not in table:
        raise FilterError(f"unknown operator {operator!r}; good: {', '.join(table)}")
    return table[operator]


def _path(field: Any) -> Key:
    """The key that a field names: `id`, or one of metadata, with or without `meta.` before it."""
    if not isinstance(field, str) or field.split(".")[0] in UNFILTERED:
        raise FilterError(f"documents are filtered by id and by meta.…, not by {field!r:.60}")
    return ("id",) if field == "id" else ("metadata", *bare(field).split("."))


def _equal(path: Key, value: Any) -> Filter:
    if value is None:
        return IsNull(path)
    same = Compare(path, "=", value)
    moment = _moment(value) if isinstance(value, datetime) or (isinstance(value, str) and DAY.match(value)) else None
    return same if moment is None else Or((same, Moment(path, "=", moment)))


def _in(path: Key, values: Any) -> Filter:
    if not isinstance(values, list):
        raise FilterError(f"'in' and 'not in' take a list, not {values!r:.60}")
    single = In(path, tuple(value for value in values if value is not None))
    others = (_equal(path, value) for value in values)
    return Or((single, *(other for other in others if not isinstance(other, Compare))))


def _ordered(operator: str) -> Callable[[Key, Any], Filter]:
    def compared(path: Key, value: Any) -> Filter:
        if value is None:
            return NOTHING
        if isinstance(value, int | float) and not isinstance(value, bool):
            return Compare(path, operator, value)
        if (moment := _moment(value)) is None:
            raise FilterError(f"{operator!r} takes a number or a moment in ISO 8601, not {value!r:.60}")
        return Moment(path, operator, moment)

    return compared


def _moment(value: Any) -> datetime | None:
    try:
        return value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


LOGIC: dict[str, Callable[[tuple[Filter, ...]], Filter]] = {"AND": And, "OR": Or, "NOT": lambda parts: Not(And(parts))}
COMPARISONS: dict[str, Callable[[Key, Any], Filter]] = {
    "==": _equal, "!=": lambda path, value: Not(_equal(path, value)),
    "in": _in, "not in": lambda path, values: Not(_in(path, values)),
    **{operator: _ordered(operator) for operator in (">", ">=", "<", "<=")},
}  # fmt: skip
