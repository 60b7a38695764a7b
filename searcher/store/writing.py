"""What is written to a database: documents with passages, vectors, words and values, in one transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from searcher.embedding import IndexSettings
from searcher.errors import BadValue, IndexUnavailable
from searcher.plain import amended, as_json
from searcher.records import Document, Head, Prepared
from searcher.store.given import given_rows
from searcher.store.keyword_index import enter
from searcher.store.lookup import change_values
from searcher.store.lookup import enter as enter_values
from searcher.store.moving import delete, move
from searcher.store.placed import place_rows
from searcher.store.rows import (
    METADATA,
    TEXT,
    WHOLE_DOCUMENT,
    as_document,
    document_part,
    document_row,
    passage_rows,
    vector_rows,
)
from searcher.store.seen import Look, enter_looks, enter_under_way
from searcher.store.state import State, enter_settings

__all__ = ["Writing"]


class Writing(State):
    """The ways in which documents come into a database, change and go."""

    def accepts(self, document: Document) -> None:
        """As in `Engine`: every document that is sound."""

    def write(
        self,
        prepared: Sequence[Prepared] = (),
        remove: Iterable[int] = (),
        files: Iterable[tuple[str, bytes | None]] = (),
        settings: IndexSettings | None = None,
        made_with: IndexSettings | None = None,
        expected: Head | None = None,
        moves: Iterable[tuple[str, str]] = (),
        looks: Iterable[Look] = (),
        under_way: str | None = None,
    ) -> int:
        """One transaction: documents replaced by source, documents removed by id, files entered (None: forgotten).

        moves: (old, new) paths of files whose documents go from the one to the other first. looks: what is remembered
        of files. under_way: what is noted of an add that goes on after this, empty where it is done.

        settings: replaces the index's, when all of it was embedded again. made_with: what the vectors were made with,
        SettingsMismatch if that is not the index's any more. expected: the state that is changed, IndexUnavailable if
        another process wrote since. Returns how many were removed by id. Raises BadValue for vectors that are not
        finite or of another length than the index's; nothing is written then.
        """
        with self.database.writing() as connection:
            if expected is not None and self.database.head() != expected:
                raise IndexUnavailable(f"{self.folder} was written to meanwhile; nothing changed, try again")
            if settings is not None:
                enter_settings(connection, settings)
            current = self.settings()
            if current is None:
                raise IndexUnavailable(f"the index in {self.folder} has no settings yet")
            if made_with is not None:
                current.check(asdict(made_with) | {"model": None, "dtype": None})
            for item in prepared:
                item.check(current.dimension)
            for old, new in moves:
                move(connection, old, new)
            gone = delete(connection, "id IN (SELECT value FROM json_each(?))", [json.dumps(sorted(set(remove)))])
            _insert(connection, prepared)
            for path, digest in files:
                if digest is None:
                    connection.execute("DELETE FROM files WHERE path = ?", [path])
                else:
                    connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path, digest])
            enter_looks(connection, looks)
            if under_way is not None:
                enter_under_way(connection, under_way)
        return gone

    def amend(self, documents: Iterable[int], changes: Mapping[str, Any]) -> int:
        """One transaction: metadata of documents changed, a key whose value is None taken out. -> how many there are.

        Neither text nor vectors are touched. Raises DamagedIndex for a document that is not what was stored.
        """
        query = f"SELECT {WHOLE_DOCUMENT}, d.passages FROM documents d WHERE id = ?"
        done = 0
        with self.database.writing() as connection:
            keys = [[key] for key, value in changes.items() if value is not None]
            connection.executemany("INSERT OR IGNORE INTO metadata_keys VALUES (?)", keys)
            for number in documents:
                if (row := connection.execute(query, [number]).fetchone()) is None:
                    continue
                before = as_document(row[:-1])
                after = replace(before, metadata=amended(before.metadata, changes))
                stored, crc = document_part(number, after, row[-1])
                connection.execute(
                    "UPDATE documents SET metadata = ?, crc = ?, digest = ? WHERE id = ?",
                    [stored[METADATA], crc, after.digest(), number],
                )
                change_values(connection, number, stored[METADATA])
                done += 1
        return done

    def take_in(
        self, settings: IndexSettings, items: Iterable[Prepared | tuple[str, bytes]]
    ) -> tuple[int, int, int, int]:
        """One transaction, however much it is: documents replaced by source; files (path, digest) entered, and what
        came from them before and was not among the documents removed.

        settings: entered in a new index, else compared. Returns how many documents and passages were written, documents
        replaced and documents removed. Raises as `write`, SettingsMismatch, and BadValue for a source that comes twice.
        """
        documents = passages = replaced = removed = 0
        with self.database.writing() as connection:
            if (known := self.settings()) is None:
                enter_settings(connection, settings)
            else:
                known.check(asdict(settings) | {"model": None, "dtype": None})
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM documents").fetchone()
            for item in items:
                if isinstance(item, Prepared):
                    item.check(settings.dimension)
                    source = item.document.source
                    before = self._one("SELECT id FROM documents WHERE source = ?", source)
                    if before is not None and before > last:
                        raise BadValue(f"source {source!r} comes twice")
                    _insert(connection, [item])
                    connection.execute("DELETE FROM files WHERE path = ?", [item.file])  # until it is entered
                    documents, passages = documents + 1, passages + len(item.chunks)
                    replaced += before is not None
                else:
                    path, digest = item
                    removed += delete(connection, "file = ? AND id <= ?", [path, last])
                    connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path, digest])
        return documents, passages, replaced, removed


def _insert(connection: Any, prepared: Sequence[Prepared]) -> None:
    """Documents, passages and vectors under ids that were never given before; those of the same source go."""
    last = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    passage = last.get("passages", 0) + 1
    for document, item in enumerate(prepared, last.get("documents", 0) + 1):
        delete(connection, "source = ?", [item.document.source])
        entered = document_row(document, item)
        payload = item.document.payload
        connection.execute(
            "INSERT INTO documents (id, source, key, kind, title, metadata, passages, characters, crc, file, digest,"
            " layout, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            entered,
        )
        if payload is not None:
            connection.execute("INSERT INTO payloads VALUES (?, ?)", [document, as_json(payload)])
        rows = list(passage_rows(passage, document, item))
        connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        enter(connection, [(row[0], row[TEXT]) for row in rows])
        enter_values(connection, document, entered[METADATA], passage, len(rows))
        connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", vector_rows(passage, item))
        places = place_rows(document, item.document, [(row[0], row[2]) for row in rows])
        connection.executemany("INSERT INTO places VALUES (?, ?, ?, ?)", places)
        if item.given is not None:
            connection.executemany("INSERT INTO given VALUES (?, ?, ?, ?)", given_rows(passage, item))
        keys = [[key] for key in item.document.metadata]
        connection.executemany("INSERT OR IGNORE INTO metadata_keys VALUES (?)", keys)
        passage += len(item.chunks)
