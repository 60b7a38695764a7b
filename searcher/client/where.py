"""Filters as the text in which they go to a server."""

from collections.abc import Callable, Mapping
from typing import Any

from searcher.errors import BadValue
from searcher.filters import And, Compare, Filter, In, IsNull, Or, parse, written

__all__ = ["as_text"]


def as_text(where: Any) -> str | None:
    """A filter as text: one that is text as it is, a dict of equalities written out. BadValue for anything else.

    >>> as_text({"lang": "it's", "author": {"id": [1, None]}, "draft": None, "sound": True})
    "lang = 'it''s' and (author.id in (1) or author.id is null) and draft is null and sound = true"
    """
    if where is None or isinstance(where, str):
        return where
    if not isinstance(where, Mapping):
        raise BadValue(f"where is {where!r:.60}; a client takes a text such as \"lang = 'en'\", or a dict")
    return _written(parse(where))


def _written(tree: Filter) -> str:
    return WRITTEN[type(tree)](tree)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _several(word: str) -> Callable[[Any], str]:
    return lambda tree: word.join(
        f"({_written(part)})" if isinstance(part, Or) else _written(part) for part in tree.parts
    )


# What a dict can ask for.
WRITTEN: dict[type, Callable[[Any], str]] = {
    And: _several(" and "), Or: _several(" or "),
    Compare: lambda test: f"{written(test.path)} {test.operator} {_value(test.value)}",
    In: lambda test: f"{written(test.path)} in ({', '.join(map(_value, test.values))})",
    IsNull: lambda test: f"{written(test.path)} is null",
}  # fmt: skip
