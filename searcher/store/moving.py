"""Documents that go, with all that belongs to them, and documents whose file has another path now."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from searcher.store.keyword_index import leave
from searcher.store.rows import DOCUMENT_PART, WHOLE_DOCUMENT, as_document, check_part, checksum

__all__ = ["delete", "move", "renamed"]


def delete(connection: Any, condition: str, values: Sequence[Any]) -> int:
    """Remove the documents of which that is true, with all that belongs to them. -> how many."""
    if connection.execute(f"SELECT 1 FROM documents WHERE {condition}", values).fetchone() is None:
        return 0  # a DELETE, even of nothing, would make FTS5 write out what it collects
    leave(connection, f"SELECT id FROM passages WHERE document IN (SELECT id FROM documents WHERE {condition})", values)
    return int(connection.execute(f"DELETE FROM documents WHERE {condition}", values).rowcount)


def move(connection: Any, old: str, new: str) -> None:
    """Inside a write: a file's documents and its entry go over to another path. DamagedIndex if one is not sound.

    Neither passages nor vectors change, so that nothing is embedded and no index is made anew.
    """
    columns = DOCUMENT_PART.split(", ")
    query = f"SELECT {DOCUMENT_PART}, d.crc, {WHOLE_DOCUMENT} FROM documents d WHERE file = ? ORDER BY id"
    for row in connection.execute(query, [old]).fetchall():
        part, whole = row[: len(columns) + 1], row[len(columns) + 1 :]
        check_part(part, f"document {part[1]!r}")
        document = as_document(whole)
        source = renamed(document.source, old, new)
        delete(connection, "source = ? AND id != ?", [source, part[0]])
        named = (part[0], source, *part[2:-1])
        values = [source, new, replace(document, source=source).digest(), checksum(named), part[0]]
        connection.execute("UPDATE documents SET source = ?, file = ?, digest = ?, crc = ? WHERE id = ?", values)
    connection.execute("DELETE FROM files WHERE path = ?", [new])
    connection.execute("UPDATE files SET path = ? WHERE path = ?", [new, old])
    connection.execute("DELETE FROM seen WHERE path = ?", [old])


def renamed(source: str, old: str, new: str) -> str:
    """A source in a file under the file's other path; a row's is `path#id`.

    >>> renamed("/a/t.csv#7", "/a/t.csv", "/b/u.csv"), renamed("label", "/a/t.csv", "/b/u.csv")
    ('/b/u.csv#7', 'label')
    """
    return new + source[len(old) :] if source == old or source.startswith(f"{old}#") else source
