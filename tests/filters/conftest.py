"""A database with what filters ask, and the ids that SQLite finds in it."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from searcher.filters import Filter
from searcher.store.filter_sql import allowed_ids
from searcher.store.lookup import enter, spans
from searcher.store.schema import SCHEMA


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """The tables of an index, of which documents and passages hold what filters ask."""
    connection = sqlite3.connect(":memory:")
    for statement in SCHEMA:
        connection.execute(statement)
    # Two documents of the oracle may have one source, and some have no line: only what filters read matters here.
    for table in ("documents", "passages"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("CREATE TABLE documents (id INTEGER PRIMARY KEY, source TEXT, title TEXT)")
    connection.execute("CREATE TABLE passages (id INTEGER PRIMARY KEY, document INTEGER, line INTEGER)")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def found(database: sqlite3.Connection) -> Callable[[Filter, list[dict[str, Any]]], list[int]]:
    """Which documents, {source, title, line, metadata}, SQLite finds for a filter, by their numbers."""

    def found(tree: Filter, documents: list[dict[str, Any]]) -> list[int]:
        """By one or all of their passages, of which they have one, two, three, one …"""
        for table in ("places", "documents", "passages", "metadata_values", "spans"):
            database.execute(f"DELETE FROM {table}")
        first, whose = 1, {}
        for number, one in enumerate(documents):
            passages = range(first, first + number % 3 + 1)
            database.execute("INSERT INTO documents VALUES (?, ?, ?)", [number, one["source"], one["title"]])
            rows = [[id, number, one["line"]] for id in passages]
            database.executemany("INSERT INTO passages VALUES (?, ?, ?)", rows)
            if place := one.get("place"):
                row = json.dumps(place, ensure_ascii=False)
                database.executemany("INSERT INTO places VALUES (?, ?, ?, 0)", [[id, number, row] for id in passages])
            metadata = json.dumps(one["metadata"], ensure_ascii=False, allow_nan=False)
            enter(database, number, metadata, first, len(passages))
            whose |= dict.fromkeys(passages, number)
            first += len(passages)
        ids = allowed_ids(database, tree, lambda: spans(database)).tolist()
        numbers = sorted({whose[id] for id in ids})
        assert ids == [id for id in whose if whose[id] in numbers]  # rising, each once, and all of a document
        return numbers

    return found
