"""Filters in SQLite's dialect: a tree of `filters` → a condition and its parameters. It knows no table."""

import json
from collections.abc import Mapping
from typing import Any

from searcher.errors import BadValue
from searcher.filters import And, Compare, Filter, In, IsNull, Like, Not, Or, Path, Value, in_metadata

__all__ = ["to_sql"]

_ORDERS = {sign: sign for sign in ("=", "!=", "<", "<=", ">", ">=")}  # nothing else reaches the SQL


def to_sql(tree: Filter, columns: Mapping[str, str], metadata: str) -> tuple[str, list[Any]]:
    """A condition for WHERE, 0 or 1 and never NULL, and the parameters for its question marks, in order.

    columns: name → SQL expression of the built-in keys; a key of one part that is among them means the column.
    metadata: SQL expression of a JSON object or NULL, as `json.dumps(…, ensure_ascii=False, allow_nan=False)`
    writes it (SQLite 3.40 compares keys as they are spelled).  All other keys are looked up there;
    `metadata.title` reaches a key that a column hides.  BadValue: a key that SQLite cannot look up.
    """
    match tree:
        case And(parts):
            return _joined([to_sql(part, columns, metadata) for part in parts], "AND")
        case Or(parts):
            return _joined([to_sql(part, columns, metadata) for part in parts], "OR")
        case Not(part):
            sql, parameters = to_sql(part, columns, metadata)
            return f"({sql} = 0)", parameters  # NOT would stay open in the parser
    return _test(tree, columns, metadata)


def _test(test: Compare | In | Like | IsNull, columns: Mapping[str, str], metadata: str) -> tuple[str, list[Any]]:
    if len(test.path) == 1 and test.path[0] in columns:
        content, at = columns[test.path[0]], []
        kind = f"typeof({content})"
    else:
        content, at = f"json_extract({metadata}, ?)", [_json_path(in_metadata(test.path))]
        kind = f"ifnull(json_type({metadata}, ?), 'null')"
    match test:
        case IsNull():
            return f"({kind} = 'null')", [*at]
        case Compare(_, operator, value):
            form, values = f"{_ORDERS[operator]} {{}}", (value,)
        case In(_, values, negated):
            form = "NOT " * negated + "IN ({})"
        case Like(_, pattern, negated):
            form, values = "NOT " * negated + "LIKE {} ESCAPE '\\'", (pattern,)
    alike: dict[str, list[Value]] = {}
    for value in values:
        alike.setdefault(_kinds(value), []).append(value)
    tests: list[tuple[str, list[Any]]] = []
    for kinds, members in alike.items():
        side = form.format(", ".join("?" * len(members)))
        tests.append((f"({kind} IN ({kinds}) AND {content} {side})", [*at, *at, *members]))
    return _joined(tests, "OR")


def _kinds(value: Value) -> str:
    """The type of a value as `json_type` and `typeof` call it; the content of JSON's true is 1, but not its type."""
    if isinstance(value, bool):
        return "'true', 'false'"
    return "'text'" if isinstance(value, str) else "'integer', 'real'"


def _joined(tests: list[tuple[str, list[Any]]], word: str) -> tuple[str, list[Any]]:
    """The tests joined by AND or OR, within the limits of SQLite: 1,000 levels of a tree, 100 places of its parser.

    A bracket that opens on the left takes one place, on the right three; so each pair has the longer half of
    the SQL on its left, and however filters nest, a way down goes right at most log2(length) times.
    """
    if len(tests) < 2:
        return tests[0] if tests else ("1" if word == "AND" else "0", [])
    tests = sorted(tests, key=lambda test: -len(test[0]))
    half = sum(len(sql) for sql, _ in tests) / 2
    weight, cut = len(tests[0][0]), 1
    while weight < half and cut < len(tests) - 1:
        weight, cut = weight + len(tests[cut][0]), cut + 1
    (left, before), (right, after) = _joined(tests[:cut], word), _joined(tests[cut:], word)
    return f"({left} {word} {right})", before + after


def _json_path(path: Path) -> str:
    if any('"' in part for part in path):
        raise BadValue(f"filter key {'.'.join(path)!r}: SQLite cannot look up a key that holds a double quote")
    return "$" + "".join("." + json.dumps(part, ensure_ascii=False) for part in path)
