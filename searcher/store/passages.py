"""The passages of an index: their ids, rows and vectors, each verified when it is read."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searcher import filters
from searcher.embedding import IndexSettings
from searcher.errors import DamagedIndex
from searcher.places import PLACE_PARTS
from searcher.records import ANSWER, Chunk, Head, Input, Row
from searcher.store.filter_sql import allowed_ids, chosen_ids
from searcher.store.given import NOWHERE, as_given
from searcher.store.lookup import Spans, is_key, keys, spans
from searcher.store.placed import PLACE, as_place
from searcher.store.rows import (
    AFTER,
    BEYOND,
    DOCUMENT_PART,
    PASSAGE,
    PASSAGE_PART,
    Bare,
    as_bare,
    as_row,
    as_vectors,
    check_part,
    key_of,
    vector_bytes,
)
from searcher.store.schema import COLUMNS
from searcher.store.state import State, ids_of

__all__ = ["READ_ROWS", "Kept", "Passages"]

READ_ROWS = 10_000  # vectors read in one piece
KEPT_DOCUMENT = "SELECT source, digest, file, passages FROM documents WHERE id = ?"
KEPT_PASSAGES = (
    f"SELECT {PASSAGE_PART}, p.crc, v.vector, v.crc, g.length, g.rest, g.crc FROM passages p"
    " LEFT JOIN vectors v ON v.id = p.id LEFT JOIN given g ON g.id = p.id WHERE p.document = ? ORDER BY p.id"
)


class Kept(NamedTuple):
    """What is stored of a document but itself: the rest of a `Prepared`, in its order. vectors: (n, d) float32."""

    digest: bytes
    file: str | None
    chunks: list[Chunk]
    vectors: np.ndarray
    given: list[np.ndarray | None] | None


class Passages(State):
    """What can be asked of passages and vectors."""

    def __init__(self, folder: Path, create: bool = False) -> None:
        super().__init__(folder, create)
        self._spans: tuple[Head | None, Spans] | None = None
        self._whole: Head | None = None  # the last state in which all lengths of given vectors were there

    def passage_ids(self, document: int | None = None) -> np.ndarray:
        """Ids of all passages or of one document's, in rising order. -> (n,) int64."""
        where, values = ("WHERE document = ?", [document]) if document is not None else ("", [])
        with self.database.reading() as connection:
            return ids_of(connection.execute(f"SELECT id FROM passages {where} ORDER BY id", values))

    def present(self, ids: Sequence[int]) -> list[int]:
        """Those passages that are there, rising."""
        query = "SELECT id FROM passages WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        with self.database.reading() as connection:
            return [number for (number,) in connection.execute(query, [json.dumps(list(ids))])]

    def searched_ids(self) -> np.ndarray:
        """Ids of all passages that a vector leads to, rising. -> (n,) int64."""
        with self.database.reading() as connection:
            return ids_of(connection.execute(f"SELECT id FROM passages WHERE id NOT IN ({NOWHERE}) ORDER BY id"))

    def given(self, ids: Sequence[int]) -> dict[int, np.ndarray | None]:
        """Passage → its vector as it was given, (d,) float32, None where none was. DamagedIndex if one is gone."""
        query = (
            "SELECT v.id, g.length, g.rest, g.crc, v.vector, v.crc FROM vectors v LEFT JOIN given g ON g.id = v.id"
            " WHERE v.id IN (SELECT value FROM json_each(?))"
        )
        found: dict[int, np.ndarray | None] = {}
        with self.database.reading() as connection:
            self._check_lengths(connection)
            for number, length, rest, own_crc, blob, crc in connection.execute(query, [json.dumps(list(ids))]):
                unit = np.frombuffer(vector_bytes(number, blob, crc), dtype="<f4")
                found[number] = unit if length is None else as_given((number, length, rest, own_crc), unit)
        if missing := set(ids) - found.keys():
            raise DamagedIndex(f"passage {min(missing)} or its vector is gone; run: searcher check")
        return found

    def _check_lengths(self, connection: Any) -> None:
        """DamagedIndex if a length of a given vector was lost, of which nothing else would tell; once a state."""
        if self._whole != (state := self.database.state()):
            counted = "SELECT (SELECT count(*) FROM given), (SELECT given FROM held_given)"
            there, held = connection.execute(counted).fetchone()
            if there != held:
                raise DamagedIndex(f"{self.database.path}: lengths of given vectors are gone; run: searcher check")
            self._whole = state

    def answer_ids(self, documents: Iterable[int]) -> np.ndarray:
        """Ids of the passages of those documents that are the answer of a FAQ entry, rising. -> (n,) int64."""
        query = (
            f"SELECT id FROM passages WHERE section = '{ANSWER}'"
            " AND document IN (SELECT value FROM json_each(?)) ORDER BY id"
        )
        with self.database.reading() as connection:
            return ids_of(connection.execute(query, [json.dumps(sorted(set(documents)))]))

    def kept(self, documents: Iterable[int]) -> Iterator[tuple[int, Kept]]:
        """Ids of those documents that are there, rising, and what is stored of each but itself; DamagedIndex.

        A document is in memory at a time. Call in `reading`.
        """
        settings = self.settings()
        for number in sorted(set(documents)):
            with self.database.reading() as connection:
                if settings is not None and settings.given:
                    self._check_lengths(connection)
                stored = connection.execute(KEPT_DOCUMENT, [number]).fetchone()
                rows = connection.execute(KEPT_PASSAGES, [number]).fetchall() if stored else []
            if stored and settings is not None:
                yield number, self._as_kept(stored, rows, settings)

    def _as_kept(self, stored: tuple[Any, ...], rows: list[tuple[Any, ...]], settings: IndexSettings) -> Kept:
        """Out of the columns KEPT_DOCUMENT and KEPT_PASSAGES."""
        source, digest, file, passages = stored
        if len(rows) != passages:
            raise DamagedIndex(f"document {source!r} has more or fewer passages than were stored; run: searcher check")
        chunks, vectors = [], np.empty((passages, settings.dimension), np.float32)
        given = list[np.ndarray | None]()
        for place, row in enumerate(rows):
            number, _, start, end, _, _, tokens, *_ = part = row[PASSAGE]
            blob, crc, length, rest, own_crc = row[AFTER]
            check_part(part, f"passage {number}")
            vectors[place] = unit = np.frombuffer(vector_bytes(number, blob, crc, settings.dimension), dtype="<f4")
            chunks.append(Chunk(start, end, (), tokens))
            given.append(unit if length is None else as_given((number, length, rest, own_crc), unit))
        return Kept(digest, file, chunks, vectors, given if settings.given else None)

    def vectors(self, after: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) int64, rising, and vectors (n, d) float32 of all passages with a greater id than `after` that have a
        direction.
        """
        newer = f"FROM vectors WHERE id > ? AND id NOT IN ({NOWHERE})"
        with self.database.reading() as connection:
            settings = self.settings()
            dimension = settings.dimension if settings else 0
            (count,) = connection.execute(f"SELECT count(*) {newer}", [after]).fetchone()
            ids, vectors = np.empty(count, dtype=np.int64), np.empty((count, dimension), dtype=np.float32)
            rows = connection.execute(f"SELECT id, vector, crc {newer} ORDER BY id", [after])
            done = 0
            while batch := rows.fetchmany(READ_ROWS):
                part = slice(done, done + len(batch))
                ids[part] = [row[0] for row in batch]
                vectors[part] = as_vectors(batch, dimension)
                done += len(batch)
        return ids, vectors

    def vector_pieces(self, ids: np.ndarray, present: bool) -> Iterator[np.ndarray]:
        """Vectors (m, d) float32 of those passages, in pieces. ids: (n,) int64, rising.

        present: whether all of them are there in the state that is read; else one that went is a vector of zeros.
        """
        settings = self.settings()
        dimension, last = settings.dimension if settings else 0, int(ids[0]) - 1 if len(ids) else 0
        some = f"id > ? AND id <= ? AND id NOT IN ({NOWHERE})"
        query = f"SELECT id, vector, crc FROM vectors WHERE {some} ORDER BY id"
        for first in range(0, len(ids), READ_ROWS):
            part = ids[first : first + READ_ROWS]
            with self.database.reading() as connection:
                rows = connection.execute(query, [last, int(part[-1])]).fetchall()
            last = int(part[-1])
            found = np.array([row[0] for row in rows], dtype=np.int64)
            places = np.searchsorted(part, found)
            if not np.array_equal(part[places], found) or (present and len(found) < len(part)):
                raise DamagedIndex("passages and vectors do not belong together; run: searcher check")
            vectors = np.zeros((len(part), dimension), dtype=np.float32)
            vectors[places] = as_vectors(rows, dimension)
            yield vectors

    def vectors_of(self, ids: np.ndarray) -> np.ndarray:
        """Vectors (n, d) float32 of those passages, verified. ids: (n,) int64, rising. DamagedIndex if one is gone."""
        query = "SELECT id, vector, crc FROM vectors WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        with self.database.reading() as connection:
            rows = connection.execute(query, [json.dumps(ids.tolist())]).fetchall()
        if [row[0] for row in rows] != ids.tolist():
            raise DamagedIndex("passages and vectors do not belong together; run: searcher check")
        return as_vectors(rows)

    def known_vectors(self, inputs: Iterable[Input], context: bool = False) -> dict[Input, np.ndarray]:
        """What decides a vector → the vector (d,) float32, for those that are a passage's already.

        context: whether title and headings count, or the text alone.
        """
        found: dict[Input, np.ndarray] = {}
        titled = " AND (SELECT title FROM documents d WHERE d.id = document) IS :title AND section IS :section"
        query = (
            "SELECT vectors.id, vector, vectors.crc FROM passages JOIN vectors USING (id)"
            f" WHERE text_key = :key AND text = :text{titled if context else ''} LIMIT 1"
        )
        with self.database.reading() as connection:
            for own in inputs:
                row = connection.execute(query, own._asdict() | {"key": key_of(own.text)}).fetchone()
                if row:
                    found[own] = np.frombuffer(vector_bytes(*row), dtype="<f4")
        return found

    def ranked_by(self, ids: Iterable[int], vectors: Mapping[int, np.ndarray] | None = None) -> dict[int, Bare]:
        """As `rows`, without the documents."""
        wanted = sorted({int(number) for number in ids})
        if not wanted:
            return {}
        query = f"SELECT {PASSAGE_PART}, p.crc FROM passages p WHERE p.id IN (SELECT value FROM json_each(?))"
        with self.database.reading() as connection:
            known = vectors or dict(zip(wanted, self.vectors_of(np.array(wanted)), strict=True))
            found = connection.execute(query, [json.dumps(wanted)]).fetchall()
        if missing := set(wanted) - {row[0] for row in found}:
            raise DamagedIndex(f"passage {min(missing)}, its document or its vector is gone; run: searcher check")
        return as_bare(found, known)

    def rows(self, ids: Iterable[int], vectors: Mapping[int, np.ndarray] | None = None) -> dict[int, Row]:
        """Passages by id, each verified; DamagedIndex for one that is not what was stored, or is not there.

        vectors: of all of them, (d,) float32, where they were read already in this transaction.
        """
        wanted = sorted({int(number) for number in ids})
        if not wanted:
            return {}
        query = (
            f"SELECT {PASSAGE_PART}, p.crc, {DOCUMENT_PART}, d.crc, {PLACE}"
            " FROM passages p JOIN documents d ON d.id = p.document LEFT JOIN places l ON l.id = p.id"
            " WHERE p.id IN (SELECT value FROM json_each(?))"
        )
        with self.database.reading() as connection:
            known = vectors or dict(zip(wanted, self.vectors_of(np.array(wanted)), strict=True))
            found = connection.execute(query, [json.dumps(wanted)]).fetchall()
        rows = {row[0]: as_row(row, known[row[0]], as_place(row[BEYOND])) for row in found}
        if missing := set(wanted) - rows.keys():
            raise DamagedIndex(f"passage {min(missing)}, its document or its vector is gone; run: searcher check")
        return rows

    def filtered(self, where: filters.Filter) -> np.ndarray:
        """Ids of the passages that a filter allows, rising. -> (n,) int64. UnknownName for a key of no document."""
        with self.database.reading() as connection:
            there = self._checked(connection, where)
            return allowed_ids(connection, where, self._every) if there else np.empty(0, np.int64)

    def chosen(self, where: filters.Filter) -> np.ndarray:
        """Ids of the documents that a filter allows, or that hold a passage it allows, rising. -> (n,) int64"""
        with self.database.reading() as connection:
            return chosen_ids(connection, where) if self._checked(connection, where) else np.empty(0, np.int64)

    def _checked(self, connection: sqlite3.Connection, where: filters.Filter) -> bool:
        """Whether there is a document to ask a filter of. UnknownName, DamagedIndex."""
        if connection.execute("SELECT 1 FROM documents LIMIT 1").fetchone() is None:
            return False
        there = "SELECT (SELECT coalesce(sum(count), 0) FROM spans), (SELECT count(*) FROM metadata_values)"
        held = "SELECT passages, metadata_values FROM held"
        if connection.execute(there).fetchone() != connection.execute(held).fetchone():
            raise DamagedIndex(f"{self.database.path}: not all that filters ask is there; run: searcher check")
        parts = PLACE_PARTS if connection.execute("SELECT 1 FROM places LIMIT 1").fetchone() else ()
        filters.check_keys(where, {*COLUMNS, *parts}, partial(is_key, connection), partial(keys, connection))
        return True

    def _every(self) -> Spans:
        """Which passages are whose."""
        state, known = self.database.state(), self._spans
        if known is None or known[0] != state:
            with self.database.reading() as connection:
                self._spans = known = state, spans(connection)
        return known[1]
