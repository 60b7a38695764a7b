"""What filters ask of SQLite: the values under a key and the spans of passages, entered, and found again as ids."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from searcher.errors import DamagedIndex
from searcher.filters import BOOLEAN, LIST, NUMBER, OBJECT, TEXT, Path, Value, has_key, in_metadata, values_of
from searcher.plain import as_json
from searcher.store.schema import COLUMNS

__all__ = [
    "Held", "Spans", "change_values", "enter", "is_key", "keys", "numbers", "of_passages", "spans", "spans_of",
    "text_of", "union", "value_rows", "whole",
]  # fmt: skip

AT_ONCE = 1000  # fractions that one question holds: out of JSON SQLite may read them otherwise
TYPES = {TEXT: "'text'", NUMBER: "'integer', 'real'"}  # as SQLite calls what a column holds


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


# -- entered


def enter(connection: Any, document: int, metadata: str, first: int, count: int) -> None:
    """Enter what filters ask of a document: the values in its metadata, JSON, and the span of its passages."""
    connection.executemany("INSERT INTO metadata_values VALUES (?, ?, ?, ?)", value_rows(document, metadata))
    if count:
        connection.execute("INSERT INTO spans VALUES (?, ?, ?)", [document, first, count])


def change_values(connection: Any, document: int, metadata: str) -> None:
    """Enter other values of a document than it had: those in that metadata, JSON."""
    connection.execute("DELETE FROM metadata_values WHERE document = ?", [document])
    connection.executemany("INSERT INTO metadata_values VALUES (?, ?, ?, ?)", value_rows(document, metadata))


def value_rows(document: int, metadata: str) -> Iterable[tuple[str, str, Value, int]]:
    """The rows of metadata_values for a document with that JSON, each once."""
    rows = ((text_of(path), kind, value, document) for path, kind, value in values_of(json.loads(metadata)))
    return dict.fromkeys(rows)  # a list may hold a value twice


@lru_cache(maxsize=1000)  # the same for every document
def text_of(path: Path) -> str:
    """A path as it stands in metadata_values."""
    return json.dumps(path, ensure_ascii=False)


# -- found


def spans(connection: Any) -> Spans:
    """Those of all documents that have passages."""
    return _spans(connection, "SELECT document, first, count FROM spans", [])


def spans_of(connection: Any, documents: np.ndarray) -> Spans:
    """Those of some documents."""
    query = "SELECT document, first, count FROM spans WHERE document IN (SELECT value FROM json_each(?))"
    return _spans(connection, query, [json.dumps(documents.tolist())])


def whole(connection: Any) -> Spans:
    """Those of all documents, nothing for one without passages."""
    query = "SELECT d.id AS document, coalesce(s.first, 0) AS first, coalesce(s.count, 0) AS count FROM documents d"
    return _spans(connection, f"{query} LEFT JOIN spans s ON s.document = d.id", [])


def _spans(connection: Any, query: str, values: Sequence[Any]) -> Spans:
    documents, first, count = numbers(connection, query, values, "document", "first", "count")
    order = np.argsort(documents, kind="stable")
    return Spans(documents[order], first[order], count[order])


def is_key(connection: Any, path: Path) -> bool:
    """Whether a path is one that a document's metadata has, or ever had if it is of one part."""
    if len(path) == 1:
        return connection.execute("SELECT 1 FROM metadata_keys WHERE key = ?", path).fetchone() is not None
    if connection.execute("SELECT 1 FROM metadata_values WHERE path = ? LIMIT 1", [text_of(path)]).fetchone():
        return True
    # One under which there is nothing but null has no value.
    named = connection.execute("SELECT metadata FROM documents WHERE instr(metadata, ?)", [as_json(path[-1])])
    return any(has_key(path, metadata) for metadata in _readable(named))


def keys(connection: Any) -> list[Path]:
    """The paths of metadata that have a value, and all that are of one part."""
    single = [(key,) for (key,) in connection.execute("SELECT key FROM metadata_keys")]
    paths = connection.execute("SELECT DISTINCT path FROM metadata_values")
    return [*single, *(tuple(path) for path in _readable(paths) if len(path) > 1)]


def _readable(rows: Iterable[Any]) -> Iterator[Any]:
    """What stands in the one column, JSON, as far as it is that."""
    for (text,) in rows:
        with suppress(TypeError, ValueError):  # damaged, which `check` says
            yield json.loads(text)


def of_passages(path: Path) -> bool:
    """Whether the values of a key are of passages, not of documents."""
    return _column(path)[0] == "passages"


def _column(path: Path) -> tuple[str, str]:
    """Where the values of a key stand: table and column."""
    if len(path) == 1 and path[0] in COLUMNS:
        table, column = COLUMNS[path[0]].split(".")
        return table, column
    return "metadata_values", "value"


class Held:
    """What is stored under a key: ids, rising, (n,) int64, of the documents or passages with a value that is so.

    within: documents out of which they come; None for all. place: table and column, where the path does not tell them.
    """

    def __init__(
        self, connection: Any, path: Path, within: np.ndarray | None = None, place: tuple[str, str] | None = None
    ) -> None:
        self._connection = connection
        self._table, self._column = place or _column(path)
        self._own = self._table == "metadata_values"
        self._id = "document" if self._own else "id"
        conditions, self._values = ["1"], list[Any]()
        if self._own:
            conditions, self._values = ["path = ?"], [text_of(in_metadata(path))]
        if within is not None:
            conditions.append("document IN (SELECT value FROM json_each(?))")
            self._values.append(json.dumps(within.tolist()))
        self._where = " AND ".join(conditions)

    def there(self) -> np.ndarray:
        """Any value at all."""
        return self._ids("1" if self._own else f"{self._column} IS NOT NULL")

    def filled(self) -> np.ndarray:
        """A value that is not '', [] or {}."""
        empty = f"(kind = '{TEXT}' AND value = '' OR kind IN ('{LIST}', '{OBJECT}') AND value = 0)"
        return self._ids(f"NOT {empty}" if self._own else f"{self._column} != ''")

    def of(self, kinds: Iterable[str]) -> np.ndarray:
        """A value of one of these kinds."""
        return union(self._ids(self._kind(kind)) for kind in kinds)

    def so(self, kind: str, condition: str, value: Value) -> np.ndarray:
        """A value of that kind of which an SQL condition is true: in it {} stands for it, a question mark for ours."""
        return self._ids(f"{self._kind(kind)} AND {condition.format(self._column)}", value)

    def among(self, kind: str, values: Iterable[Value]) -> np.ndarray:
        """A value of that kind which is one of ours."""
        fractions = [value for value in values if isinstance(value, float)] if kind == NUMBER else []
        others = [value for value in values if not isinstance(value, float)] if fractions else list(values)
        one_of = f"{self._kind(kind)} AND {self._column} IN ({{}})"
        listed = json.dumps(others, ensure_ascii=False)
        found = [self._ids(one_of.format("SELECT value FROM json_each(?)"), listed)] if others else []
        for at in range(0, len(fractions), AT_ONCE):
            some = fractions[at : at + AT_ONCE]
            found.append(self._ids(one_of.format(", ".join("?" * len(some))), *some))
        return union(found)

    def judged(self, *judgements: Callable[[str, Value], bool]) -> list[np.ndarray]:
        """For each judgement, a value of which it is true; it is asked once of each different value and its kind."""
        # The kind as the index has it, or else the groups would have to be sorted.
        kind = "kind" if self._own else f"typeof({self._column}) = 'text'"
        query = (
            f"SELECT {kind}, {self._column}, count(*), CAST(group_concat({self._id}) AS BLOB) FROM {self._table}"
            f" WHERE {self._where} AND {self._column} IS NOT NULL GROUP BY 1, 2"
        )
        count, texts = [0] * len(judgements), [list[bytes]() for _ in judgements]
        for kind, value, own, ids in self._connection.execute(query, self._values):
            kind, value = self._read(kind, value)
            for number, judgement in enumerate(judgements):
                if judgement(kind, value):
                    count[number] += own
                    texts[number].append(ids)
        return [_rising(_parsed(b",".join(text), own)) for text, own in zip(texts, count, strict=True)]

    def _read(self, kind: Any, value: Any) -> tuple[str, Value]:
        """Kind and value out of what the query of `judged` gives."""
        if not self._own:
            return TEXT if kind else NUMBER, value
        return kind, bool(value) if kind == BOOLEAN else value

    def _kind(self, kind: str) -> str:
        """Whether a value is of a kind, in SQL."""
        if self._own:
            return f"kind = '{kind}'"
        return f"typeof({self._column}) IN ({TYPES[kind]})" if kind in TYPES else "0"

    def _ids(self, condition: str, *values: Value) -> np.ndarray:
        query = f"SELECT {self._id} AS id FROM {self._table} WHERE {self._where} AND {condition}"
        return _rising(numbers(self._connection, query, [*self._values, *values], "id")[0])


def union(arrays: Iterable[np.ndarray]) -> np.ndarray:
    """All ids of some arrays, each of which is rising, rising, each once. (n,) int64"""
    some = [array for array in arrays if len(array)]
    return _rising(np.concatenate(some)) if len(some) > 1 else some[0] if some else np.empty(0, np.int64)


def _rising(ids: np.ndarray) -> np.ndarray:
    """Ids sorted, each once. Not by np.unique, whose hash table takes five times as long."""
    ids = np.sort(ids)
    return ids[np.concatenate([[True], ids[1:] != ids[:-1]])] if len(ids) else ids


def numbers(connection: Any, query: str, values: Sequence[Any], *columns: str) -> list[np.ndarray]:
    """Columns of whole numbers, (n,) int64 each, in any order; DamagedIndex if one is none.

    As a text for each column, for a row in Python takes three times as long.
    """
    joined = ", ".join(f"CAST(group_concat({column}) AS BLOB)" for column in columns)
    count, *texts = connection.execute(f"SELECT count(*), {joined} FROM ({query})", values).fetchone()
    return [_parsed(text, count) for text in texts] if count else [np.empty(0, np.int64) for _ in columns]


def _parsed(text: bytes | None, count: int) -> np.ndarray:
    """So many whole numbers between commas. -> (count,) int64. DamagedIndex if it is anything else."""
    if not count:
        return np.empty(0, np.int64)
    try:
        # It stops where there is no whole number: one more after the last tells whether it came so far.
        found = np.fromstring((text or b"") + b",0", dtype=np.int64, sep=",")[:-1]
    except (TypeError, ValueError, DeprecationWarning):
        found = np.empty(0, np.int64)
    if len(found) != count:
        raise DamagedIndex("what filters ask holds no whole number where there must be one; run: searcher check")
    return found
