"""Filters asked of SQLite: a tree → ids of the passages, or of the documents, that it lets through.

Each test is one question or two to the indexes of `metadata_values`, `documents` or `passages`; its answers are ids,
which "and", "or" and "not" join as sets. So no filter is too large for SQLite, and what is said twice is asked once.
What SQLite cannot judge, a moment, case folding, each element of a list by itself, is judged here, for each different
value once.
"""

import json
import re
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from searcher.filters import (
    LIST,
    SINGLE,
    TEXT,
    And,
    Compare,
    Contains,
    Every,
    Filter,
    Holds,
    In,
    IsEmpty,
    IsNull,
    Leaf,
    Like,
    Moment,
    Named,
    Not,
    Or,
    Some,
    Test,
    Unchecked,
    judge,
    kind_of,
    negated,
    parts_of,
)
from searcher.store.keyword_index import holding
from searcher.store.lookup import Held, Spans, numbers, of_passages, spans_of, union, whole
from searcher.store.placed import HeldPlaces, is_place

__all__ = ["allowed_ids", "chosen_ids"]

FEW = 2000  # documents whose spans are asked for one by one, before those of all are


def allowed_ids(connection: Any, tree: Filter, every: Callable[[], Spans]) -> np.ndarray:
    """Ids of the passages that a filter allows, rising. -> (n,) int64. every: gives the spans of all documents."""
    return _Asked(connection, every).passages(tree, None)


def chosen_ids(connection: Any, tree: Filter) -> np.ndarray:
    """Ids of the documents that a filter allows, or that hold a passage it allows, rising. -> (n,) int64"""
    asked = _Asked(connection, lambda: whole(connection))
    if not _tells_apart(tree):
        return asked.documents(tree)
    query = "SELECT DISTINCT document AS id FROM passages WHERE id IN (SELECT value FROM json_each(?))"
    return np.sort(numbers(connection, query, [json.dumps(asked.passages(tree, None).tolist())], "id")[0])


class _Asked:
    """What is found for the parts of a filter; each test is asked once."""

    def __init__(self, connection: Any, every: Callable[[], Spans]) -> None:
        self._connection, self._spans = connection, every
        self._known: dict[str, np.ndarray] = {}

    def passages(self, tree: Filter, within: np.ndarray | None) -> np.ndarray:
        """Ids of the passages that a filter allows. within: documents out of which they come, None for all."""
        if not _tells_apart(tree):
            documents = self.documents(tree)
            return self._of(documents if within is None else _both(documents, within))
        match tree:
            case And(parts):
                # What is said of documents first: only theirs are looked at then.
                for part in parts:
                    if not _tells_apart(part):
                        within = self.documents(part) if within is None else _both(within, self.documents(part))
                return reduce(_both, [self.passages(part, within) for part in parts if _tells_apart(part)])
            case Or(parts):
                return union(self.passages(part, within) for part in parts)
            case Not(part):
                return _without(self._of(within), self.passages(part, within))
            case Unchecked(part):
                return self.passages(part, within)
            case Holds(phrase):
                found = holding(self._connection, phrase)
                return found if within is None else _both(found, self._of(within))
        assert not isinstance(tree, Named)  # which speaks of documents
        return self._leaf(tree, within)

    def documents(self, tree: Filter) -> np.ndarray:
        """Ids of the documents that a filter allows which speaks only of documents."""
        match tree:
            case And(parts):
                return reduce(_both, map(self.documents, parts)) if parts else self._spans().documents
            case Or(parts):
                return union(map(self.documents, parts))
            case Not(part):
                return _without(self._spans().documents, self.documents(part))
            case Unchecked(part):
                return self.documents(part)
            case Named(regex):
                return self._named(re.compile(regex, re.DOTALL))
            case Holds():
                raise TypeError("words are of passages")
        return self._leaf(tree, None)

    def _named(self, regex: re.Pattern[str]) -> np.ndarray:
        """Ids of the documents from files, or of sources where they are of none, that a regular expression matches."""
        names = self._connection.execute("SELECT DISTINCT coalesce(file, source) FROM documents")
        wanted = json.dumps([name for (name,) in names if regex.fullmatch(name.removeprefix("/"))])
        some = "SELECT id FROM documents WHERE {} IN (SELECT value FROM json_each(?))"
        query = f"{some.format('file')} UNION {some.format('file IS NULL AND source')}"
        found = np.sort(numbers(self._connection, query, [wanted, wanted], "id")[0])
        return _both(found, self._spans().documents)

    def _of(self, documents: np.ndarray | None) -> np.ndarray:
        """Ids of the passages of documents, None for all."""
        if documents is None or len(documents) > FEW:
            return self._spans().passages(documents)
        return spans_of(self._connection, documents).passages()

    def _leaf(self, leaf: Leaf, within: np.ndarray | None) -> np.ndarray:
        """Ids of documents, or of passages where it tells these apart."""
        if within is not None:
            return self._found(leaf, within)
        key = repr(leaf)  # to Python true and 1 are equal, to a filter they are not
        if key not in self._known:
            self._known[key] = self._found(leaf, None)
        return self._known[key]

    def _found(self, leaf: Leaf, within: np.ndarray | None) -> np.ndarray:
        if not is_place(leaf.path):
            ours = Held(self._connection, leaf.path, within)
            return _holding(leaf, ours, lambda: self._of(within) if of_passages(leaf.path) else self._spans().documents)
        # What the place of a passage says; where it says nothing, what the metadata of its document does.
        held = HeldPlaces(self._connection, leaf.path, within)
        placed, metadata = held.there(), Held(self._connection, leaf.path)
        others = _without(self._of(_holding(leaf, metadata, lambda: self._spans().documents)), placed)
        if within is not None:
            others = _both(others, self._of(within))
        return union([_both(_holding(leaf, held, lambda: placed), placed), others])


def _holding(leaf: Leaf, held: Held, every: Callable[[], np.ndarray]) -> np.ndarray:
    """Ids of those whose value under a key is as a test wants it. every: gives those of all that may have one."""
    match leaf:
        case IsNull() | IsEmpty():
            return _without(every(), held.there() if isinstance(leaf, IsNull) else held.filled())
        case Some(test):
            return held.judged(judge(test).alone)[0]
        case Every(test):
            alone = judge(test).alone
            passed, failed = held.judged(alone, lambda kind, value: kind != LIST and not alone(kind, value))
            return _without(passed, failed)
        case Contains() if len(listed := held.of([LIST])):
            # Where the key holds a list it is said of elements, elsewhere of parts of a string.
            return union([_without(_passed(leaf, held), listed), _both(_passed(leaf, held, listed=True), listed)])
    return _passed(leaf, held)


def _passed(test: Test, held: Held, listed: bool = False) -> np.ndarray:
    """Ids with a value that passes; of a negated test those with a value of like type and none that would pass."""
    passing = _passing(test, held, listed)
    return _without(_alike(test, held, listed), passing) if negated(test) else passing


def _passing(test: Test, held: Held, listed: bool) -> np.ndarray:
    """Ids with a value that passes the test, without its negation. listed: as of `judge`."""
    match test:
        case Compare(_, order, value):
            return held.so(kind_of(value)[0], f"{{}} {'=' if order == '!=' else order} ?", value)
        case Like(_, pattern):
            return held.so(TEXT, "{} LIKE ? ESCAPE '\\'", pattern)
        case In():
            return union(held.among(kind, values) for kind, values in test.by_kind.items())
        case Contains(_, value, folded=False):
            whole_value = listed or not isinstance(value, str)
            return held.so(kind_of(value)[0], "{} = ?" if whole_value else "instr({}, ?)", value)
    return held.judged(judge(test, listed).passes)[0]


def _alike(test: Test, held: Held, listed: bool) -> np.ndarray:
    """Ids with a value of a type that the test speaks of."""
    match test:
        case Compare(_, _, value) | Contains(_, value):
            return held.of([kind_of(value)[0]])
        case Like():
            return held.of([TEXT])
        case In():
            return held.of(test.by_kind or SINGLE)
        case Moment():
            return held.judged(judge(test, listed).alike)[0]


def _both(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.intersect1d(some, others, assume_unique=True)


def _without(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.setdiff1d(some, others, assume_unique=True)


def _tells_apart(tree: Filter) -> bool:
    """Whether it speaks of passages, not only of documents."""
    match tree:
        case And() | Or() | Not() | Unchecked():
            return any(map(_tells_apart, parts_of(tree)))
        case Holds():
            return True
        case Named():
            return False
    return of_passages(tree.path) or is_place(tree.path)
