"""What is given as a filter, text, a dict or a tree, → a tree that is sound."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, cast, get_args

from searcher.errors import BadValue, FilterError, UnknownName
from searcher.filters.language import EMPTY, MAX_DEPTH, MAX_PATTERN, MAX_TESTS, ORDERS, read
from searcher.filters.tokens import written
from searcher.filters.tree import (
    And,
    Compare,
    Contains,
    Every,
    Filter,
    Holds,
    In,
    IsEmpty,
    IsNull,
    Like,
    Moment,
    Named,
    Not,
    Or,
    Some,
    Test,
    Unchecked,
    parts_of,
)
from searcher.filters.values import UNSTORABLE, Path, comparable, moment_of
from searcher.plain import plain, scalar

__all__ = ["parse"]

MAX_LEVELS = 3 * MAX_DEPTH  # of a tree: more than the deepest text gives
UNKNOWN = ("error", "nothing")
NODES = tuple(set(get_args(Filter)) - {Holds, Named})  # which speak of more than the values of a passage
TESTS = get_args(Test)
# What is no key of metadata in a dict but an operator, as other stores have them, and how text says it.
OPERATORS = {
    **{sign: sign for sign in ORDERS}, "$eq": "=", "$ne": "!=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<=",
    "$in": "in", "$nin": "not in", "$like": "like", "$contains": "contains", "$not_contains": "not contains",
    "$all": "all",
}  # fmt: skip


def parse(where: str | Mapping[Any, Any] | Filter, unknown: Literal["error", "nothing"] = "error") -> Filter:
    """The tree of a filter: given in the language of language.py, as a dict of equalities that all hold, or as a tree.

    In a dict, dots in a key separate its parts, as a dict within does: {"author.id": 1} is {"author": {"id": 1}}; a
    tuple is the parts as they are: {("a.b",): 1}. Several values mean `in` (none at all match nothing), None `is null`:
    {"lang": "en", "author": {"id": [1, 2]}, "draft": None}. A date, Decimal, UUID, Path or Enum compares as what it is
    stored as in metadata.

    unknown: "nothing" if a key that no document has is not an error: it is missing in all of them.

    FilterError: what is wrong with a text, and where; BadValue: a wrong dict or tree, UnknownName its wrong operator.
    """
    if unknown not in UNKNOWN:
        raise UnknownName("way with unknown keys", unknown, UNKNOWN)
    if isinstance(where, str):
        tree = read(where)
    elif isinstance(where, Mapping):
        tree = _of_dict(where)
    else:
        tree = _sound(where, MAX_LEVELS)
        _count(sum(1 for _ in _leaves(tree)))
    return tree if unknown == "error" or isinstance(tree, Unchecked) else Unchecked(tree)


def _count(tests: int) -> None:
    if tests > MAX_TESTS:
        raise BadValue(f"a filter holds at most {MAX_TESTS:,} tests, not {tests:,}")


def _leaves(tree: Filter) -> Iterator[Filter]:
    parts = parts_of(tree)
    if not parts:
        yield tree
    for part in parts:
        yield from _leaves(part)


# -- dicts


def _of_dict(where: Mapping[Any, Any]) -> Filter:
    if not where:
        raise FilterError(EMPTY, "{}", 1)
    parts = tuple(_tests((), where))
    _count(len(parts))
    return parts[0] if len(parts) == 1 else And(parts)


def _tests(outer: Path, where: Mapping[Any, Any]) -> Iterator[Filter]:
    for key, value in ((plain(key), scalar(given)) for key, given in where.items()):
        if isinstance(key, str) and (key in OPERATORS or key.startswith("$")):
            raise BadValue(_as_text(outer, key, value))
        path = (*outer, *(key.split(".") if isinstance(key, str) else _path(key)))
        if not isinstance(value, Mapping):
            yield _equality(_path(path), value)
            continue
        if not value:
            advice = f"as text: {written(path)} is empty"
            raise BadValue(f"filter key {_named(path)!r}: an empty dict asks nothing; {advice}")
        if len(path) > MAX_DEPTH:
            raise BadValue(f"filter key {_named(path)!r:.60}: dicts go at most {MAX_DEPTH} deep")
        yield from _tests(path, value)


def _equality(path: Path, value: object) -> Filter:
    if value is None:
        return IsNull(path)
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        return Compare(path, "=", comparable(_named(path), value))
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)  # one filter, whatever the order of a set is in this run
    every = [scalar(each) for each in value]
    among = In(path, tuple(comparable(_named(path), each) for each in every if each is not None))
    return among if len(among.values) == len(every) else Or((among, IsNull(path)))


def _as_text(outer: Path, key: str, value: object) -> str:
    """What is said of an operator in a dict."""
    if not outer or key not in OPERATORS:
        example = "lang = 'en' or not year >= 2020" if key in ("$and", "$or", "$not", "$nor") else f'"{key}" = …'
    else:
        example = f"{written(outer)} {OPERATORS[key]} {_literal(value)}"
    place = f"filter key {_named(outer)!r}: " if outer else ""
    return f"{place}a dict asks for equality and holds no operator such as {key!r}; write it as text: {example}"


def _literal(value: object) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value[:40].replace("'", "''") + "'"
    return f"({', '.join(map(_literal, value[:3]))})" if isinstance(value, list | tuple) else "…"


# -- trees


def _sound(tree: object, levels: int) -> Filter:
    """The tree, its values as they are stored. BadValue for what would be no answer but an accident."""
    if not isinstance(tree, NODES):
        raise BadValue(f"a filter is text, a dict or a tree of searcher.filters, not {type(tree).__name__}")
    if not levels:
        raise BadValue(f"a tree goes at most {MAX_LEVELS} deep")
    match tree:
        case And(parts) | Or(parts):
            if not isinstance(parts, tuple | list):
                raise BadValue(f"the parts of {type(tree).__name__} are {type(parts).__name__}, not a tuple of filters")
            return type(tree)(tuple(_sound(part, levels - 1) for part in parts))
        case Not(part) | Unchecked(part):
            return type(tree)(_sound(part, levels - 1))
        case Some(test) | Every(test):
            if not isinstance(test, TESTS):
                good = ", ".join(kind.__name__ for kind in TESTS)
                raise BadValue(f"{type(tree).__name__} holds a {type(test).__name__}; it can hold {good}")
            return type(tree)(cast(Test, _sound(test, levels - 1)))
    path = _path(tree.path)
    return replace(tree, path=path, **SOUND[type(tree)](_named(path), tree))


def _path(path: object) -> Path:
    if not isinstance(path, tuple | list) or not path:
        raise BadValue(f"filter key {path!r:.60}: a key is text, or a tuple of its parts such as ('author', 'name')")
    for part in path:
        if not isinstance(part, str) or UNSTORABLE.search(part):
            raise BadValue(f"filter key {part!r:.60}: a key is text without NUL and lone surrogates")
    return tuple(path)


def _compare(key: str, test: Compare) -> dict[str, Any]:
    order, value = _order(test.operator), comparable(key, test.value)
    if isinstance(value, bool) and order not in ("=", "!="):
        raise BadValue(f"filter key {key!r}: true and false have no order; compare them by = or !=")
    return {"operator": order, "value": value}


def _in(key: str, test: In) -> dict[str, Any]:
    if isinstance(test.values, str | bytes | Mapping) or not isinstance(test.values, Iterable):
        raise BadValue(f"filter key {key!r}: the values are {type(test.values).__name__}, not a tuple of them")
    return {"values": tuple(comparable(key, value) for value in test.values), "negated": bool(test.negated)}


def _like(key: str, test: Like) -> dict[str, Any]:
    pattern = comparable(key, test.pattern)
    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        raise BadValue(f"filter key {key!r}: a pattern is text of at most {MAX_PATTERN:,} characters")
    return {"pattern": pattern, "negated": bool(test.negated)}


def _contains(key: str, test: Contains) -> dict[str, Any]:
    return {"value": comparable(key, test.value), "folded": bool(test.folded), "negated": bool(test.negated)}


def _moment(key: str, test: Moment) -> dict[str, Any]:
    text = scalar(test.moment)
    if not isinstance(text, str) or (moment := moment_of(text)) is None:
        raise BadValue(f"filter key {key!r}: {test.moment!r:.60} is no moment in time; good: datetime, date, ISO 8601")
    return {"operator": _order(test.operator), "moment": moment}


def _order(operator: object) -> str:
    if not isinstance(operator, str) or operator not in ORDERS:
        raise UnknownName("operator", operator, ORDERS)
    return ORDERS[operator]


SOUND: dict[type, Callable[[str, Any], dict[str, Any]]] = {
    Compare: _compare, In: _in, Like: _like, Contains: _contains, Moment: _moment,
    IsNull: lambda key, test: {}, IsEmpty: lambda key, test: {},
}  # fmt: skip


def _named(path: Path) -> str:
    """A key in an error."""
    return ".".join(map(str, path))
