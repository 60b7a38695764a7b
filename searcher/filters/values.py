"""Filters over what is in hand: what a value is to a filter, and whether a tree lets a document's values through."""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from searcher.filters.language import (
    And,
    Compare,
    Filter,
    Holds,
    IsNull,
    Like,
    Named,
    Not,
    Or,
    Path,
    Value,
    in_metadata,
)
from searcher.records import Row

__all__ = ["BOOLEAN", "NUMBER", "OTHER", "ROW_KEYS", "TEXT", "fits", "kind_of", "lets_through", "like", "values_of"]

TEXT, NUMBER, BOOLEAN, OTHER = "text", "number", "boolean", "other"  # like is compared with like
# What a key of one part means before it means one of metadata: parts of a passage's row.
ROW_KEYS = ("source", "id", "title", "kind", "section", "line", "passage_id")
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def kind_of(value: object) -> tuple[str, Value]:
    """What a value of metadata is compared as; of a list or an object only that it is there."""
    if isinstance(value, bool):
        return BOOLEAN, value
    if isinstance(value, str):
        return TEXT, value
    if isinstance(value, float):
        return NUMBER, value
    if isinstance(value, int):
        return NUMBER, value if -(2**63) <= value < 2**63 else _as_float(value)
    return OTHER, ""


def values_of(metadata: Mapping[str, Any]) -> Iterator[tuple[Path, str, Value]]:
    """Path, kind and value of all that a filter may name in metadata, as read from JSON; null is as if missing."""
    waiting: list[tuple[Path, Any]] = [((key,), value) for key, value in metadata.items()]
    while waiting:
        path, value = waiting.pop()
        if value is not None:
            yield path, *kind_of(value)
        if isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in value.items()]


def fits(row: Row, tree: Filter) -> bool:
    """Whether a filter allows a passage."""
    return lets_through(tree, {name: getattr(row, name) for name in ROW_KEYS}, row.metadata)


def lets_through(tree: Filter, columns: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether a filter allows a passage. columns: what a key of one part means before it means one of metadata."""
    match tree:
        case And(parts):
            return all(lets_through(part, columns, metadata) for part in parts)
        case Or(parts):
            return any(lets_through(part, columns, metadata) for part in parts)
        case Not(part):
            return not lets_through(part, columns, metadata)
        case Holds() | Named():
            raise TypeError(f"{type(tree).__name__} is of what is stored, not of the values in hand")
    found: Any = metadata
    if len(tree.path) == 1 and tree.path[0] in columns:
        found = columns[tree.path[0]]
    else:
        for key in in_metadata(tree.path):
            found = found.get(key) if isinstance(found, dict) else None
    if isinstance(tree, IsNull) or found is None:
        return isinstance(tree, IsNull) and found is None
    kind, value = kind_of(found)
    match tree:
        case Compare(_, order, wanted):
            return kind == kind_of(wanted)[0] and _ORDERS[order](value, wanted)
        case Like(_, pattern, negated):
            return kind == TEXT and like(pattern, str(value)) != negated
    alike = [each for each in tree.values if kind_of(each)[0] == kind]
    return bool(alike) and (value in alike) != tree.negated


def like(pattern: str, text: str) -> bool:
    r"""As SQLite: % is any text, _ one character, \ takes the next one literally, A-Z match in both cases.

    >>> like(r"50\%%", "50% OFF"), like("b_c", "abc"), like("É%", "école")
    (True, False, False)
    """
    pieces, text = _pieces(pattern), text.partition("\0")[0]  # where SQLite's LIKE ends it
    if len(pieces) < 2:
        return bool(pieces) and pieces[0].fullmatch(text) is not None
    # Between two % the first place that fits is as good as any.
    at = 0
    for number, piece in enumerate(pieces[:-1]):
        found = piece.search(text, at) if number else piece.match(text)
        if found is None:
            return False
        at = found.end()
    return pieces[-1].search(text, at) is not None


def _pieces(pattern: str) -> list[re.Pattern[str]]:
    """What stands between each % of a pattern; the last one is bound to the end. None if it ends in an escape."""
    pieces, signs = [""], iter(pattern)
    for sign in signs:
        if sign == "%":
            pieces.append("")
            continue
        literal = next(signs, "") if sign == "\\" else sign
        if not literal:
            return []
        letter = literal.isascii() and literal.isalpha()
        exactly = f"[{literal.lower()}{literal.upper()}]" if letter else re.escape(literal)
        pieces[-1] += "." if sign == "_" else exactly
    pieces[-1] += r"\Z"
    return [re.compile(piece, re.DOTALL) for piece in pieces]


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
