"""Whether a tree lets through what is in hand: a passage, or a single value."""

import itertools
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from searcher.filters.tree import (
    And,
    Compare,
    Contains,
    Every,
    Filter,
    Holds,
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
    in_metadata,
    negated,
)
from searcher.filters.values import LIST, SINGLE, TEXT, Path, Value, is_empty, kind_of, moment_of, values_at
from searcher.records import Row

__all__ = ["ROW_KEYS", "fits", "judge", "lets_through", "like"]

# What a key of one part means before it means one of metadata: parts of a passage's row.
ROW_KEYS = ("source", "id", "title", "kind", "section", "line", "passage_id")
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def fits(row: Row, tree: Filter) -> bool:
    """Whether a filter allows a passage."""
    return lets_through(tree, (row.place or {}) | {name: getattr(row, name) for name in ROW_KEYS}, row.metadata)


def lets_through(tree: Filter, columns: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether a filter allows a passage. columns: what a key of one part means before it means one of metadata."""
    match tree:
        case And(parts):
            return all(lets_through(part, columns, metadata) for part in parts)
        case Or(parts):
            return any(lets_through(part, columns, metadata) for part in parts)
        case Not(part):
            return not lets_through(part, columns, metadata)
        case Unchecked(part):
            return lets_through(part, columns, metadata)
        case Holds() | Named():
            raise TypeError(f"{type(tree).__name__} is of what is stored, not of the values in hand")
    found = _found(tree.path, columns, metadata)
    match tree:
        case IsNull():
            return not found
        case IsEmpty():
            return all(is_empty(kind, value) for kind, value in found)
        case Some(test):
            return any(itertools.starmap(judge(test).alone, found))
        case Every(test):
            single = [one for one in found if one[0] != LIST]
            return bool(single) and all(itertools.starmap(judge(test).alone, single))
    asked = judge(tree, listed=any(kind == LIST for kind, _ in found))
    if any(asked.passes(kind, value) for kind, value in found):
        return not asked.negated
    return asked.negated and any(asked.alike(kind, value) for kind, value in found)


def _found(path: Path, columns: Mapping[str, Any], metadata: Mapping[str, Any]) -> list[tuple[str, Value]]:
    """Kind and value of all that is found under a key."""
    if len(path) == 1 and path[0] in columns:
        value = columns[path[0]]
        return [] if value is None else [kind_of(value)]
    return values_at(in_metadata(path), metadata)


class Judge(NamedTuple):
    """What a test says of a single value, given as kind and value."""

    alike: Callable[[str, Any], bool]  # whether it is of a type that the test speaks of
    passes: Callable[[str, Any], bool]  # whether it is, and passes; of a negated test: the one without the negation
    negated: bool

    def alone(self, kind: str, value: Value) -> bool:
        """Whether it passes, the negation included, as if there were no other."""
        return self.alike(kind, value) and self.passes(kind, value) != self.negated


def judge(test: Test, listed: bool = False) -> Judge:
    """How a test judges a value. listed: the key holds a list, of which `contains` wants an element."""
    match test:
        case Compare(_, order, wanted):
            own, compare = kind_of(wanted)[0], ORDERS["=" if order == "!=" else order]
            return _of(own, lambda value: compare(value, wanted), negated(test))
        case Like(_, pattern, negative):
            return _of(TEXT, lambda value: like(pattern, value), negative)
        case Contains(_, wanted, folded, negative):
            kind, part = kind_of(wanted)[0], folding(wanted) if folded else wanted
            if kind != TEXT or listed:
                return _of(kind, lambda value: part == (folding(value) if folded else value), negative)
            return _of(TEXT, lambda value: part in (folding(value) if folded else value), negative)
        case Moment(_, order, moment):
            compare = ORDERS["=" if order == "!=" else order]
            return Judge(
                lambda kind, value: kind == TEXT and moment_of(value) is not None,
                lambda kind, value: kind == TEXT and (read := moment_of(value)) is not None and compare(read, moment),
                negated(test),
            )
    known = test.by_kind
    of = known if test.values else SINGLE
    return Judge(lambda kind, _: kind in of, lambda kind, value: value in known.get(kind, ()), test.negated)


def _of(own: str, passes: Callable[[Any], bool], negative: bool) -> Judge:
    """A judge of values of one kind."""
    return Judge(lambda kind, _: kind == own, lambda kind, value: kind == own and passes(value), negative)


def folding(value: Any) -> Any:
    """A text without case; anything else as it is."""
    return value.casefold() if isinstance(value, str) else value


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


@lru_cache(maxsize=64)
def _pieces(pattern: str) -> tuple[re.Pattern[str], ...]:
    """What stands between each % of a pattern; the last one is bound to the end; none if it ends in an escape."""
    pieces, signs = [""], iter(pattern)
    for sign in signs:
        if sign == "%":
            pieces.append("")
            continue
        literal = next(signs, "") if sign == "\\" else sign
        if not literal:
            return ()
        letter = literal.isascii() and literal.isalpha()
        exactly = f"[{literal.lower()}{literal.upper()}]" if letter else re.escape(literal)
        pieces[-1] += "." if sign == "_" else exactly
    pieces[-1] += r"\Z"
    return tuple(re.compile(piece, re.DOTALL) for piece in pieces)
