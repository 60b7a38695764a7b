"""Filters asked of SQLite: a tree → ids of the passages that it lets through.

Each test is one question to the indexes of `metadata_values`, `documents` or `passages`; its answers are ids, which
"and", "or" and "not" join as sets. So no filter is too large for SQLite, and what is said twice is asked once.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from searcher.errors import DamagedIndex
from searcher.filters import (
    BOOLEAN,
    NUMBER,
    TEXT,
    And,
    Compare,
    Filter,
    Holds,
    In,
    IsNull,
    Like,
    Named,
    Not,
    Or,
    Path,
    Value,
    in_metadata,
    kind_of,
    values_of,
)
from searcher.store.keyword_index import holding
from searcher.store.schema import COLUMNS

__all__ = ["Spans", "allowed_ids", "chosen_ids", "enter", "spans", "value_rows"]

FEW = 2000  # documents whose spans are asked for one by one, before those of all are
TYPES = {TEXT: "'text'", NUMBER: "'integer', 'real'", BOOLEAN: "'none'"}  # as SQLite calls what a column holds


@dataclass(frozen=True)
class Spans:
    """Which passages are whose: documents, rising, with the first id and the number of their passages. (m,) int64"""

    documents: np.ndarray
    first: np.ndarray
    count: np.ndarray

    def passages(self, documents: np.ndarray | None = None) -> np.ndarray:
        """Ids of all passages of some documents, rising: (n,) int64. documents: rising; None for all."""
        first, count = self.first, self.count
        if documents is not None:
            places = np.searchsorted(self.documents, documents).clip(max=max(0, len(self.documents) - 1))
            places = places[self.documents[places] == documents] if len(self.documents) else places[:0]
            first, count = first[places], count[places]
        ends = np.cumsum(count)
        return np.repeat(first - ends + count, count) + np.arange(ends[-1] if len(ends) else 0)


def enter(connection: Any, document: int, metadata: str, first: int, count: int) -> None:
    """Enter what filters ask of a document: the values in its metadata, JSON, and the span of its passages."""
    connection.executemany("INSERT INTO metadata_values VALUES (?, ?, ?, ?)", value_rows(document, metadata))
    if count:
        connection.execute("INSERT INTO spans VALUES (?, ?, ?)", [document, first, count])


def value_rows(document: int, metadata: str) -> Iterator[tuple[str, str, Value, int]]:
    """The rows of metadata_values for a document with that JSON."""
    for path, kind, value in values_of(json.loads(metadata)):
        yield _text(path), kind, value, document


def _text(path: Path) -> str:
    """A path as it stands in metadata_values."""
    return json.dumps(path, ensure_ascii=False)


def spans(connection: Any) -> Spans:
    """Those of all documents that have passages."""
    return _spans(connection, "SELECT document, first, count FROM spans", [])


def _spans(connection: Any, query: str, values: Sequence[Any]) -> Spans:
    documents, first, count = _numbers(connection, query, values, "document", "first", "count")
    order = np.argsort(documents, kind="stable")
    return Spans(documents[order], first[order], count[order])


def whole(connection: Any) -> Spans:
    """Those of all documents, nothing for one without passages."""
    query = "SELECT d.id AS document, coalesce(s.first, 0) AS first, coalesce(s.count, 0) AS count FROM documents d"
    return _spans(connection, f"{query} LEFT JOIN spans s ON s.document = d.id", [])


def chosen_ids(connection: Any, tree: Filter) -> np.ndarray:
    """Ids of the documents that a filter allows, or that hold a passage it allows, rising. -> (n,) int64"""
    asked = _Asked(connection, lambda: whole(connection))
    if not _tells_apart(tree):
        return asked.documents(tree)
    query = "SELECT DISTINCT document AS id FROM passages WHERE id IN (SELECT value FROM json_each(?))"
    return np.sort(_numbers(connection, query, [json.dumps(asked.passages(tree, None).tolist())], "id")[0])


def allowed_ids(connection: Any, tree: Filter, every: Callable[[], Spans]) -> np.ndarray:
    """Ids of the passages that a filter allows, rising. -> (n,) int64. every: gives the spans of all documents."""
    return _Asked(connection, every).passages(tree, None)


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
                return reduce(np.union1d, [self.passages(part, within) for part in parts])
            case Not(part):
                return np.setdiff1d(self._of(within), self.passages(part, within), assume_unique=True)
            case Holds(phrase):
                found = holding(self._connection, phrase)
                return found if within is None else _both(found, self._of(within))
        assert not isinstance(tree, Named)  # which speaks of documents
        return self._test(tree, within)

    def documents(self, tree: Filter) -> np.ndarray:
        """Ids of the documents that a filter allows which speaks only of documents."""
        match tree:
            case And(parts):
                return reduce(_both, [self.documents(part) for part in parts])
            case Or(parts):
                return reduce(np.union1d, [self.documents(part) for part in parts])
            case Not(part):
                return np.setdiff1d(self._spans().documents, self.documents(part), assume_unique=True)
            case Named(regex):
                return self._named(re.compile(regex, re.DOTALL))
            case Holds():
                raise TypeError("words are of passages")
        return self._test(tree, None)

    def _named(self, regex: re.Pattern[str]) -> np.ndarray:
        """Ids of the documents from files, or of sources where they are of none, that a regular expression matches."""
        names = self._connection.execute("SELECT DISTINCT coalesce(file, source) FROM documents")
        wanted = json.dumps([name for (name,) in names if regex.fullmatch(name.removeprefix("/"))])
        some = "SELECT id FROM documents WHERE {} IN (SELECT value FROM json_each(?))"
        query = f"{some.format('file')} UNION {some.format('file IS NULL AND source')}"
        found = np.sort(self._ids(query, [wanted, wanted]))
        return _both(found, self._spans().documents)

    def _of(self, documents: np.ndarray | None) -> np.ndarray:
        """Ids of the passages of documents, None for all."""
        if documents is None or len(documents) > FEW:
            return self._spans().passages(documents)
        some = "SELECT document, first, count FROM spans WHERE document IN (SELECT value FROM json_each(?))"
        return _spans(self._connection, some, [json.dumps(documents.tolist())]).passages()

    def _test(self, test: Compare | In | Like | IsNull, within: np.ndarray | None) -> np.ndarray:
        """Ids of documents, or of passages where it tells these apart."""
        if within is not None:
            return self._found(test, within)
        key = repr(test)  # to Python true and 1 are equal, to a filter they are not
        if key not in self._known:
            self._known[key] = self._found(test, None)
        return self._known[key]

    def _found(self, test: Compare | In | Like | IsNull, within: np.ndarray | None) -> np.ndarray:
        table, column = _column(test.path)
        own = table == "metadata_values"
        query = f"SELECT {'document' if own else 'id'} AS id FROM {table} WHERE "
        values: list[Any] = []
        if own:
            query, values = query + "path = ? AND ", [_text(in_metadata(test.path))]
        if within is not None:
            query += "document IN (SELECT value FROM json_each(?)) AND "
            values.append(json.dumps(within.tolist()))
        if isinstance(test, IsNull):
            there = np.sort(self._ids(query + ("1" if own else f"{column} IS NOT NULL"), values))
            every = self._of(within) if table == "passages" else self._spans().documents
            return np.setdiff1d(every, there, assume_unique=True)
        found = [np.empty(0, np.int64)]
        for kind, condition, wanted in _conditions(test, column):
            is_kind = f"kind = '{kind}'" if own else f"typeof({column}) IN ({TYPES[kind]})"
            found.append(self._ids(f"{query}{is_kind} AND {condition}", [*values, *wanted]))
        return np.sort(np.concatenate(found))

    def _ids(self, query: str, values: list[Any]) -> np.ndarray:
        return _numbers(self._connection, query, values, "id")[0]


def _both(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.intersect1d(some, others, assume_unique=True)


def _column(path: Path) -> tuple[str, str]:
    """Where the values of a key stand: table and column."""
    if len(path) == 1 and path[0] in COLUMNS:
        table, column = COLUMNS[path[0]].split(".")
        return table, column
    return "metadata_values", "value"


def _tells_apart(tree: Filter) -> bool:
    """Whether it speaks of passages, not only of documents."""
    match tree:
        case And(parts) | Or(parts):
            return any(map(_tells_apart, parts))
        case Not(part):
            return _tells_apart(part)
        case Holds():
            return True
        case Named():
            return False
    return _column(tree.path)[0] == "passages"


def _conditions(test: Compare | In | Like, column: str) -> Iterator[tuple[str, str, list[Value]]]:
    """For each kind of value that it speaks of: the kind, a condition with question marks, and their values."""
    match test:
        case Compare(_, order, value):
            yield kind_of(value)[0], f"{column} {order} ?", [value]
        case Like(_, pattern, negated):
            yield TEXT, f"{column} {'NOT ' * negated}LIKE ? ESCAPE '\\'", [pattern]
        case In(_, values, negated):
            for kind in (TEXT, NUMBER, BOOLEAN):
                if alike := [value for value in values if kind_of(value)[0] == kind]:
                    yield kind, f"{column} {'NOT ' * negated}IN ({', '.join('?' * len(alike))})", alike


def _numbers(connection: Any, query: str, values: Sequence[Any], *columns: str) -> list[np.ndarray]:
    """Columns of whole numbers, (n,) int64 each, in any order; DamagedIndex if one is none.

    As a text for each column, for a row in Python takes three times as long.
    """
    joined = ", ".join(f"CAST(group_concat({column}) AS BLOB)" for column in columns)
    count, *texts = connection.execute(f"SELECT count(*), {joined} FROM ({query})", values).fetchone()
    if not count:
        return [np.empty(0, np.int64) for _ in columns]
    try:
        # It stops where there is no whole number: one more after the last tells whether it came so far.
        found = [np.fromstring(text + b",0", dtype=np.int64, sep=",")[:-1] for text in texts]
    except (TypeError, ValueError, DeprecationWarning):
        found = []
    if [len(column) for column in found] != [count] * len(columns):
        raise DamagedIndex("what filters ask holds no whole number where there must be one; run: searcher check")
    return found
