"""What `check` finds in a database: rows without their counterpart, and rows that are not what was stored."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from searcher.errors import DamagedIndex
from searcher.store.given import NOWHERE, check_given
from searcher.store.keyword_index import KEYWORD_FAULT, misspaced
from searcher.store.lookup import value_rows
from searcher.store.placed import misplaced
from searcher.store.rows import (
    DOCUMENT_PART,
    FAQ_COLUMNS,
    PASSAGE_PART,
    WHOLE_DOCUMENT,
    as_document,
    as_settings,
    check_part,
    vector_bytes,
)

__all__ = ["findings", "lenient"]

UNPAIRED = {
    "passage {} has no vector": "SELECT id FROM passages EXCEPT SELECT id FROM vectors",
    "vector {} has no passage": "SELECT id FROM vectors EXCEPT SELECT id FROM passages",
    "passage {} has no document": "SELECT id FROM passages WHERE document NOT IN (SELECT id FROM documents)",
    "document {} has more or fewer passages than were stored": "SELECT id FROM documents d WHERE passages !="
    " (SELECT count(*) FROM passages WHERE document = d.id)",
    "file {!r} has no digest": "SELECT path FROM files WHERE typeof(path) != 'text' OR typeof(digest) != 'blob'",
    "the count of ids given to {} is behind: one could be given twice": "SELECT name FROM"
    " (SELECT 'documents' AS name, max(id) AS id FROM documents UNION SELECT 'passages', max(id) FROM passages) given"
    " WHERE id > coalesce((SELECT max(seq) FROM sqlite_sequence s WHERE s.name = given.name), 0)",
    "generation {!r} has no mark": "SELECT generation FROM heads WHERE typeof(nonce) != 'text'",
    "the number of passages does not go with what is there, {}": "SELECT count(*) FROM vectors"
    " HAVING count(*) IS NOT (SELECT passages FROM held WHERE id = 1)",
    "the number of values does not go with what is there, {}": "SELECT count(*) FROM metadata_values"
    " HAVING count(*) IS NOT (SELECT metadata_values FROM held WHERE id = 1)",
    "a value of document {}, which is not there": "SELECT document FROM metadata_values"
    " WHERE document NOT IN (SELECT id FROM documents)",
    "passage {} has a vector that no search may find": "SELECT g.id FROM given g JOIN vectors v ON v.id = g.id"
    " WHERE g.length <= 0 AND v.vector != zeroblob(length(v.vector))",
    "a length for passage {}, which is not there": "SELECT id FROM given EXCEPT SELECT id FROM passages",
    "the number of given lengths does not go with what is there, {}": "SELECT count(*) FROM given"
    " HAVING count(*) IS NOT (SELECT given FROM held_given WHERE id = 1)",
    "passage {} has a vector of zeros, and it is lost why": "SELECT id FROM vectors"
    f" WHERE vector = zeroblob(length(vector)) AND id NOT IN ({NOWHERE})"
    " AND EXISTS (SELECT 1 FROM settings WHERE key = 'weights' AND value LIKE '\"given: %')",
    "a payload of document {}, which is not there": "SELECT document FROM payloads"
    " WHERE document NOT IN (SELECT id FROM documents)",
    "document {} has other passages than filters are told": "SELECT document FROM ("
    "SELECT document, min(id) AS first, count(*) AS count FROM passages GROUP BY document"
    " HAVING max(id) = min(id) + count(*) - 1 EXCEPT SELECT * FROM spans) UNION SELECT document FROM ("
    "SELECT * FROM spans EXCEPT SELECT document, min(id), count(*) FROM passages GROUP BY document)",
}


def lenient(text: bytes) -> str:
    """Text as SQLite holds it; bytes that are no UTF-8 come as lone surrogates, which no checksum of ours covers."""
    return text.decode("utf-8", "surrogateescape")


def findings(connection: Any) -> Iterator[str]:
    """A line for each fault. The connection reads text by `lenient`, lest one bad row ends it all."""
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield KEYWORD_FAULT if "FTS5" in line else f"SQLite: {line}"  # which SQLite 3.44 and later verify here too
    values, dimension = dict(connection.execute("SELECT key, value FROM settings").fetchall()), None
    try:
        dimension = as_settings(values).dimension if values else None
    except DamagedIndex as fault:
        yield str(fault)
    if not values and connection.execute("SELECT 1 FROM vectors LIMIT 1").fetchone():
        yield "the settings of the index are gone"
    for line, query in UNPAIRED.items():
        for (number,) in connection.execute(query):
            yield line.format(number)
    passages = connection.execute(f"SELECT {PASSAGE_PART}, crc FROM passages p")
    yield from _faults(passages, lambda row: check_part(row, f"passage {row[0]}"))
    vectors = connection.execute("SELECT id, vector, crc FROM vectors")
    yield from _faults(vectors, lambda row: vector_bytes(row[0], row[1], row[2], dimension))
    given = connection.execute("SELECT id, length, rest, crc FROM given")
    yield from _faults(given, check_given)
    documents = connection.execute(f"SELECT {DOCUMENT_PART}, crc FROM documents d")
    yield from _faults(documents, lambda row: check_part(row, f"document {row[1]!r}"))
    whole = connection.execute(f"SELECT d.id, {WHOLE_DOCUMENT} FROM documents d")
    yield from _faults(whole, lambda row: _check_document(connection, *row))
    if misspaced(connection):
        yield KEYWORD_FAULT
    for table, columns in FAQ_COLUMNS.items():
        rows = connection.execute(f"SELECT {columns}, crc FROM {table}")
        yield from _faults(rows, lambda row, table=table: check_part(row, f"{row[0]!r} in the table {table}"))  # type: ignore[misc]
    for document in _unlike(connection):
        yield f"document {document} has other values than filters are told"
    known = {key for (key,) in connection.execute("SELECT key FROM metadata_keys")}
    for key in sorted(_keys(connection) - known):
        yield f"metadata key {key!r} is not among those that a filter may name"


def _unlike(connection: Any) -> Iterator[int]:
    """Documents whose metadata, as far as it can be read, is not what stands in metadata_values."""
    query = "SELECT path, kind, value, document FROM metadata_values WHERE document = ?"
    for document, metadata in connection.execute("SELECT id, metadata FROM documents"):
        with suppress(AttributeError, TypeError, ValueError):  # found by its checksum
            if set(connection.execute(query, [document])) != set(value_rows(document, metadata)):
                yield document


def _keys(connection: Any) -> set[str]:
    """Every key of the documents' metadata, as far as they can be read."""
    keys: set[str] = set()
    for (metadata,) in connection.execute("SELECT metadata FROM documents"):
        try:
            keys.update(json.loads(metadata))
        except (TypeError, ValueError):  # found by its checksum
            continue
    return keys


def _faults(rows: Iterable[Any], check: Callable[[Any], object]) -> Iterator[str]:
    for row in rows:
        try:
            check(row)
        except DamagedIndex as fault:
            yield str(fault)


def _check_document(connection: Any, number: int, *row: Any) -> None:
    document = as_document(row)
    text = document.text
    spans = connection.execute("SELECT id, start, end, text FROM passages WHERE document = ? ORDER BY id", [number])
    for passage, start, end, stored in spans:
        if not (isinstance(start, int) and isinstance(end, int)) or text[start:end] != stored:
            raise DamagedIndex(f"passage {passage}: its text is not at {start}:{end} of {row[0]!r}")
    misplaced(connection, number, document)
