"""What `check` finds in a database: rows without their counterpart, and rows that are not what was stored."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from searcher.errors import DamagedIndex
from searcher.schema import DOCUMENT_PART, PASSAGE_PART, WHOLE_DOCUMENT, as_document, check_part, vector_bytes

__all__ = ["findings"]

UNPAIRED = {
    "passage {} has no vector": "SELECT id FROM passages EXCEPT SELECT id FROM vectors",
    "vector {} has no passage": "SELECT id FROM vectors EXCEPT SELECT id FROM passages",
    "passage {} has no document": "SELECT id FROM passages WHERE document NOT IN (SELECT id FROM documents)",
    "document {} has more or fewer passages than were stored": "SELECT id FROM documents d WHERE passages !="
    " (SELECT count(*) FROM passages WHERE document = d.id)",
}


def findings(connection: Any, dimension: int | None) -> Iterator[str]:
    """A line for each; dimension: length of the vectors, None if unknown."""
    for (line,) in connection.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield f"SQLite: {line}"
    for line, query in UNPAIRED.items():
        for (number,) in connection.execute(query):
            yield line.format(number)
    passages = connection.execute(f"SELECT {PASSAGE_PART}, crc FROM passages p")
    yield from _faults(passages, lambda row: check_part(row, f"passage {row[0]}"))
    vectors = connection.execute("SELECT id, vector, crc FROM vectors")
    yield from _faults(vectors, lambda row: vector_bytes(row[0], row[1], row[2], dimension))
    documents = connection.execute(f"SELECT {DOCUMENT_PART}, crc FROM documents d")
    yield from _faults(documents, lambda row: check_part(row, f"document {row[1]!r}"))
    whole = connection.execute(f"SELECT d.id, {WHOLE_DOCUMENT} FROM documents d")
    yield from _faults(whole, lambda row: _check_document(connection, *row))


def _faults(rows: Iterable[Any], check: Callable[[Any], object]) -> Iterator[str]:
    for row in rows:
        try:
            check(row)
        except DamagedIndex as fault:
            yield str(fault)


def _check_document(connection: Any, number: int, *row: Any) -> None:
    text = as_document(row).text
    spans = connection.execute("SELECT id, start, end, text FROM passages WHERE document = ? ORDER BY id", [number])
    for passage, start, end, stored in spans:
        if not (isinstance(start, int) and isinstance(end, int)) or text[start:end] != stored:
            raise DamagedIndex(f"passage {passage}: its text is not at {start}:{end} of {row[0]!r}")
