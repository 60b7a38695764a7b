"""Chroma's folder: chroma.sqlite3 with ids, texts and metadata, and a queue of writes; older vectors in HNSW segments.

A write is in the queue until both segments of its collection hold it: `max_seq_id` says up to where each does, and what
comes later is read out of the queue.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from searcher.migration.foreign import Choices, Foreign, Item, chosen
from searcher.migration.hnswlib_files import Segment
from searcher.readers import copied

__all__ = ["find", "opened"]

DATABASE = "chroma.sqlite3"
TEXT = "chroma:document"
METADATA, ARRAYS = "embedding_metadata", "embedding_metadata_array"
KEYS = "SELECT embedding_id, id FROM embeddings WHERE segment_id = ? ORDER BY id"
ADD, UPDATE, DELETE = 0, 1, 3  # of a queue's operations; 2 is to do whichever of the first two is possible
ENCODINGS = {"FLOAT32": "<f4", "INT32": "<i4"}
METRICS = {"l2": "l2", "cosine": "cosine", "ip": "ip"}
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"

T = TypeVar("T")


class Held(NamedTuple):
    """A collection: its id, dimension, metric, the model it names, the ids of its two segments, and the tables that
    hold metadata.
    """

    id: str
    dimension: int
    metric: str
    model: str | None
    vectors: str
    metadata: str
    tables: list[str]


class Write(NamedTuple):
    """One write in the queue."""

    id: str
    operation: int
    vector: bytes | None
    encoding: str | None
    metadata: dict[str, Any]


def find(path: Path) -> Path | None:
    """The database of a folder, or the database itself."""
    file = path / DATABASE if path.is_dir() else path
    return file if file.name == DATABASE and file.is_file() else None


@contextmanager
def opened(place: Path, choices: Choices) -> Iterator[Foreign]:
    """One collection. BadValue unless it is named where there are several; UnreadableFile."""
    with copied(place) as connection:
        names = _names(connection)
        held = _held(connection, names[chosen("collection", choices.collection, names, "--collection")])
        segment = Segment(place.parent / held.vectors, held.dimension, held.metric == "cosine")
        vectors = _later_vectors(connection, held, segment)
        later = _later_fields(connection, held)

        def keys() -> Iterator[tuple[str, int | None]]:
            stored = dict.fromkeys(later)
            for key, number in connection.execute(KEYS, [held.metadata]):
                stored.pop(key, None)
                if later.get(key, {}) is not None:
                    yield key, number
            yield from ((key, None) for key in stored if later[key] is not None)

        def items() -> Iterator[Item]:
            for key, number in keys():
                fields = dict(later[key] or {}) if key in later else _fields(connection, held, number)
                text = fields.pop(TEXT, None)
                vector = vectors[key] if key in vectors else segment.of(key)
                yield Item(key, text if isinstance(text, str) else None, fields, vector)

        yield Foreign("Chroma", place, sum(1 for _ in keys()), items, held.model, held.metric)


# -- collections


def _names(connection: sqlite3.Connection) -> dict[str, str]:
    """Name → id of the collections; where two databases have one of a name, with the database before it."""
    query = (
        "SELECT c.id, c.name, d.name, d.tenant_id FROM collections c LEFT JOIN databases d ON d.id = c.database_id"
        " ORDER BY c.rowid"
    )
    if "databases" not in _tables(connection):
        query = "SELECT id, name, NULL, NULL FROM collections ORDER BY rowid"
    rows = connection.execute(query).fetchall()
    names = [name for _, name, _, _ in rows]
    return {
        name if names.count(name) == 1 else f"{tenant}/{database}/{name}": number
        for number, name, database, tenant in rows
    }


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _held(connection: sqlite3.Connection, collection: str) -> Held:
    cursor = connection.execute("SELECT * FROM collections WHERE id = ?", [collection])
    if (found := cursor.fetchone()) is None:
        raise sqlite3.DatabaseError("a collection that its index has is not in its table")
    row = dict(zip([column[0] for column in cursor.description], found, strict=True))
    segments = dict(connection.execute("SELECT scope, id FROM segments WHERE collection = ?", [collection]))
    said = [_json(row.get(name)) for name in ("schema_str", "config_json_str")]
    metadata = dict(
        connection.execute("SELECT key, str_value FROM collection_metadata WHERE collection_id = ?", [collection])
    )
    space = _said(said, "space") or metadata.get("hnsw:space") or "l2"
    return Held(
        collection, row.get("dimension") or 0, METRICS.get(str(space), "l2"), _model(said),
        segments.get("VECTOR", ""), segments.get("METADATA", ""),
        [table for table in (METADATA, ARRAYS) if table in _tables(connection)],
    )  # fmt: skip


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else {}
    except ValueError:
        return {}


def _said(values: Any, key: str) -> Any:
    """What is first said under a key, however deep; of the vectors of embeddings before those of the defaults."""
    if isinstance(values, list):
        return next((found for value in values if (found := _said(value, key))), None)
    if not isinstance(values, dict):
        return None
    inner = [values[name] for name in ("keys", "#embedding") if name in values]
    return values.get(key) or _said([*inner, *values.values()], key)


def _model(said: list[Any]) -> str | None:
    """The model of the embedding function, if one is named that is known by that."""
    function = _said(said, "embedding_function")
    if not isinstance(function, dict) or function.get("type") != "known":
        return None
    name = (function.get("config") or {}).get("model_name")
    return name if isinstance(name, str) else DEFAULT_MODEL if function.get("name") == "default" else None


# -- items


def _queue(connection: sqlite3.Connection, held: Held, segment: str, up_to: int | None = None) -> Iterator[Write]:
    """What a segment does not hold yet. up_to: the last that it does hold, where the database does not say."""
    row = connection.execute("SELECT seq_id FROM max_seq_id WHERE segment_id = ?", [segment]).fetchone()
    last = row[0] if row else up_to or 0
    last = int.from_bytes(last, "big") if isinstance(last, bytes) else last  # as old releases keep it
    query = (
        "SELECT id, operation, vector, encoding, metadata FROM embeddings_queue"
        " WHERE seq_id > ? AND topic LIKE '%/' || ? ORDER BY seq_id"
    )
    for key, operation, vector, encoding, metadata in connection.execute(query, [last, held.id]):
        yield Write(key, operation, vector, encoding, _json(metadata))


def _replayed(
    writes: Iterator[Write], before: Callable[[str], T | None], after: Callable[[T | None, Write], T]
) -> dict[str, T | None]:
    """Id → what it has after these writes, None where it was deleted. An add of what is there, and an update of what is
    not, do nothing, as Chroma has it.
    """
    state: dict[str, T | None] = {}
    for write in writes:
        current = state[write.id] if write.id in state else before(write.id)
        if write.operation == DELETE:
            state[write.id] = None
        elif (write.operation, current is None) not in ((ADD, False), (UPDATE, True)):
            state[write.id] = after(current, write)
    return state


def _later_vectors(connection: sqlite3.Connection, held: Held, segment: Segment) -> dict[str, np.ndarray | None]:
    def after(current: np.ndarray | None, write: Write) -> np.ndarray:
        if write.vector is None:
            return np.empty(0, np.float32) if current is None else current
        return np.frombuffer(write.vector, ENCODINGS.get(write.encoding or "", "<f4")).astype(np.float32)

    return _replayed(_queue(connection, held, held.vectors, segment.up_to), segment.of, after)


def _later_fields(connection: sqlite3.Connection, held: Held) -> dict[str, dict[str, Any] | None]:
    def before(key: str) -> dict[str, Any] | None:
        query = "SELECT id FROM embeddings WHERE segment_id = ? AND embedding_id = ?"
        row = connection.execute(query, [held.metadata, key]).fetchone()
        return _fields(connection, held, row[0]) if row else None

    def after(current: dict[str, Any] | None, write: Write) -> dict[str, Any]:
        fields = {**(current or {}), **write.metadata}
        return {key: value for key, value in fields.items() if value is not None}

    return _replayed(_queue(connection, held, held.metadata), before, after)


def _fields(connection: sqlite3.Connection, held: Held, number: int | None) -> dict[str, Any]:
    """The metadata of one item, its text among them."""
    fields: dict[str, Any] = {}
    for table in held.tables:
        query = f"SELECT key, string_value, int_value, float_value, bool_value FROM {table} WHERE id = ? ORDER BY rowid"
        for key, text, whole, real, truth in connection.execute(query, [number]):
            value = next((each for each in (text, whole, real) if each is not None), None)
            value = bool(truth) if truth is not None else value
            if table == ARRAYS:
                fields.setdefault(key, []).append(value)
            else:
                fields[key] = value
    return fields
