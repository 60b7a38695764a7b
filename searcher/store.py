"""The truth: what is written to the database of an index and read from it, each in one transaction."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import numpy as np

from searcher import filters
from searcher.audit import findings, lenient
from searcher.database import Database, Head
from searcher.errors import BadValue, DamagedIndex, IndexUnavailable
from searcher.filter_sql import Spans, allowed_ids, spans
from searcher.filter_sql import enter as enter_values
from searcher.index_types import Indexing
from searcher.keyword_index import enter, leave, rebuild, verify
from searcher.layout import check_layout
from searcher.migrations import migrate
from searcher.records import ANSWER, Document
from searcher.schema import (
    COLUMNS,
    DOCUMENT_PART,
    PASSAGE_PART,
    SCHEMA,
    WHOLE_DOCUMENT,
    Prepared,
    Row,
    as_document,
    as_row,
    as_settings,
    check_part,
    digest_of,
    document_row,
    key_of,
    passage_rows,
    settings_rows,
    vector_bytes,
    vector_rows,
)
from searcher.settings import IndexSettings

__all__ = ["DATABASE", "FORGET", "READ_ROWS", "Prepared", "Row", "Store", "digest_of", "key_of"]

DATABASE = "searcher.db"
READ_ROWS = 10_000  # vectors read in one piece
FORGET = 1000  # states and removed passages that are kept although nobody should need them: less than a page each


class Store:
    """The database of one index folder.

    Every method sees or makes one state of it; several reads inside `database.reading()` see the same one.
    Raises IndexUnavailable, DamagedIndex, SettingsMismatch (a newer format; an older one is migrated).
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        self.folder = folder
        self._settings: tuple[Head, IndexSettings | None] | None = None  # each search asks for them several times
        self._indexing: tuple[Head, Indexing] | None = None
        self._spans: tuple[Head | None, Spans] | None = None
        self.database = Database(folder / DATABASE, SCHEMA if create else [])
        migrate(self.database)
        with self.database.reading() as connection:
            check_layout(connection, self.database.path)

    # -- settings

    def settings(self) -> IndexSettings | None:
        """What the index was made with; None before the first `add`."""
        with self.database.reading() as connection:
            state, known = self.database.state(), self._settings
            if known is not None and known[0] == state:
                return known[1]
            rows = connection.execute("SELECT key, value FROM settings").fetchall()
            if not rows and self.held():
                raise DamagedIndex(f"the settings of {self.database.path} are gone; run: searcher check")
        settings = as_settings(dict(rows)) if rows else None
        if state is not None:
            self._settings = state, settings
        return settings

    def settle(self, settings: IndexSettings) -> None:
        """Enter the settings of a new index; SettingsMismatch if it has others already."""
        if (known := self.settings()) is None:
            with self.database.writing() as connection:
                if (known := self.settings()) is None:
                    _enter(connection, settings)
                    return
        known.check(asdict(settings) | {"model": None, "dtype": None})

    def indexing(self) -> Indexing:
        """What kind of FAISS index is wanted. DamagedIndex if that is not what was stored."""
        state, known = self.database.state(), self._indexing
        if known is not None and known[0] == state:
            return known[1]
        value = self._one("SELECT value FROM indexing WHERE id = ?", 1)
        try:
            indexing = Indexing(**json.loads(value)) if value else Indexing()
        except (TypeError, ValueError):
            raise DamagedIndex("the kind of FAISS index is not what was stored; run: searcher reindex --type") from None
        if state is not None:
            self._indexing = state, indexing
        return indexing

    def want(self, indexing: Indexing) -> None:
        """Enter what kind of FAISS index is wanted."""
        with self.database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO indexing VALUES (1, ?)", [json.dumps(asdict(indexing))])

    # -- writing

    def write(
        self,
        prepared: Sequence[Prepared] = (),
        remove: Iterable[int] = (),
        files: Iterable[tuple[str, bytes | None]] = (),
        settings: IndexSettings | None = None,
        made_with: IndexSettings | None = None,
        expected: Head | None = None,
    ) -> None:
        """One transaction: documents replaced by source, documents removed by id, files entered (None: forgotten).

        settings: replaces the index's, when all of it was embedded again. made_with: what the vectors were made with,
        SettingsMismatch if that is not the index's any more. expected: the state that is changed, IndexUnavailable if
        another process wrote since. Raises BadValue for vectors that are not finite or of another length than the
        index's; nothing is written then.
        """
        with self.database.writing() as connection:
            if expected is not None and self.database.head() != expected:
                raise IndexUnavailable(f"{self.folder} was written to meanwhile; nothing changed, try again")
            if settings is not None:
                _enter(connection, settings)
            current = self.settings()
            if current is None:
                raise IndexUnavailable(f"the index in {self.folder} has no settings yet")
            if made_with is not None:
                current.check(asdict(made_with) | {"model": None, "dtype": None})
            for item in prepared:
                item.check(current.dimension)
            for number in remove:
                _delete(connection, "id = ?", [number])
            _insert(connection, prepared)
            for path, digest in files:
                if digest is None:
                    connection.execute("DELETE FROM files WHERE path = ?", [path])
                else:
                    connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path, digest])

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
                _enter(connection, settings)
            else:
                known.check(asdict(settings) | {"model": None, "dtype": None})
            (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM documents").fetchone()
            for item in items:
                if isinstance(item, Prepared):
                    item.check(settings.dimension)
                    source = item.document.source
                    before = self.documents_of("source", source).get(source)
                    if before is not None and before > last:
                        raise BadValue(f"source {source!r} comes twice")
                    _insert(connection, [item])
                    connection.execute("DELETE FROM files WHERE path = ?", [item.file])  # until it is entered
                    documents, passages = documents + 1, passages + len(item.chunks)
                    replaced += before is not None
                else:
                    path, digest = item
                    removed += _delete(connection, "file = ? AND id <= ?", [path, last])
                    connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [path, digest])
        return documents, passages, replaced, removed

    # -- documents

    def known(self, source: str) -> bytes | None:
        """The digest of the document of that source, None if there is none."""
        return self._one("SELECT digest FROM documents WHERE source = ?", source)

    def file(self, path: str) -> bytes | None:
        """The digest of a file all of whose documents are in."""
        return self._one("SELECT digest FROM files WHERE path = ?", path)

    def documents_of(self, column: str, value: str) -> dict[str, int]:
        """Source → id of the documents whose source, key or file is that."""
        assert column in ("source", "key", "file")
        with self.database.reading() as connection:
            rows = connection.execute(f"SELECT source, id FROM documents WHERE {column} = ?", [value])
            return dict(rows.fetchall())

    def file_of(self, document: int) -> str | None:
        """The file that a document came from, if any."""
        return self._one("SELECT file FROM documents WHERE id = ?", document)

    def faq_of(self, file: str) -> Literal["questions", "answers"] | None:
        """What is embedded of the entries in a file that was read as a FAQ; None for one that was not.

        A table's entries are the same whether it was read as a FAQ or not, unless their answers are embedded.
        """
        of_it = "SELECT 1 FROM documents d JOIN passages p ON p.document = d.id WHERE d.file = ? AND d.kind = 'faq'"
        if self._one(f"{of_it} AND p.section = '{ANSWER}' LIMIT 1", file):
            return "answers"
        heads = Path(file).suffix.lower() in (".md", ".markdown")
        return "questions" if heads and self._one(f"{of_it} LIMIT 1", file) else None

    def files_under(self, folder: str) -> list[str]:
        """Files below a folder, or the file itself, that documents came from."""
        query = "SELECT DISTINCT file FROM documents WHERE file = ? OR (file >= ? AND file < ?) ORDER BY file"
        start = folder.rstrip("/")
        with self.database.reading() as connection:  # "0" comes after "/"
            return [path for (path,) in connection.execute(query, [folder, start + "/", start + "0"])]

    def files(self) -> list[tuple[str, bytes]]:
        """Path and digest of every file all of whose documents are in, in the order of paths."""
        with self.database.reading() as connection:
            return connection.execute("SELECT path, digest FROM files ORDER BY path").fetchall()

    def counts(self) -> dict[str, int]:
        """Documents, passages, tokens."""
        with self.database.reading() as connection:
            documents = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
            passages, tokens = connection.execute("SELECT count(*), coalesce(sum(tokens), 0) FROM passages").fetchone()
        return {"documents": documents, "passages": passages, "tokens": tokens}

    def listing(self) -> list[dict[str, Any]]:
        """Every document in the order of sources: source, id, kind, title, metadata, passages, characters."""
        names = ("source", "id", "kind", "title", "metadata", "passages", "characters")
        listed = []
        with self.database.reading() as connection:
            for row in connection.execute(f"SELECT {DOCUMENT_PART}, crc FROM documents d ORDER BY source"):
                check_part(row, f"document {row[1]!r}")
                values = dict(zip(names, row[1:-1], strict=True))
                listed.append(values | {"metadata": json.loads(values["metadata"])})
        return listed

    def document(self, number: int) -> Document:
        """A document as it was given; DamagedIndex if it is not."""
        with self.database.reading() as connection:
            row = connection.execute(f"SELECT {WHOLE_DOCUMENT} FROM documents d WHERE id = ?", [number]).fetchone()
        if row is None:
            raise DamagedIndex(f"document {number} is gone from {self.database.path}")
        return as_document(row)

    def document_ids(self) -> list[int]:
        """Ids of all documents, in rising order."""
        with self.database.reading() as connection:
            return [number for (number,) in connection.execute("SELECT id FROM documents ORDER BY id")]

    # -- passages

    def passage_ids(self, document: int | None = None) -> np.ndarray:
        """Ids of all passages or of one document's, in rising order. -> (n,) int64."""
        where, values = ("WHERE document = ?", [document]) if document is not None else ("", [])
        with self.database.reading() as connection:
            return _ids(connection.execute(f"SELECT id FROM passages {where} ORDER BY id", values))

    def held(self) -> int:
        """How many passages there should be, as the last commit left it."""
        held = self._one("SELECT passages FROM held WHERE id = ?", 1)
        if not isinstance(held, int):
            raise DamagedIndex(f"{self.database.path} is damaged: it does not say how many passages it holds")
        return held

    def answer_ids(self, documents: Iterable[int]) -> np.ndarray:
        """Ids of the passages of those documents that are the answer of a FAQ entry, rising. -> (n,) int64."""
        query = (
            f"SELECT id FROM passages WHERE section = '{ANSWER}'"
            " AND document IN (SELECT value FROM json_each(?)) ORDER BY id"
        )
        with self.database.reading() as connection:
            return _ids(connection.execute(query, [json.dumps(sorted(set(documents)))]))

    def places(self, document: int) -> list[tuple[int, int, int, str | None, int, np.ndarray]]:
        """Start, end, line, section, tokens and vector (d,) float32 of a document's passages in order, verified."""
        query = (
            f"SELECT {PASSAGE_PART}, p.crc, v.vector, v.crc FROM passages p LEFT JOIN vectors v ON v.id = p.id"
            " WHERE p.document = ? ORDER BY p.id"
        )
        found = []
        with self.database.reading() as connection:
            for row in connection.execute(query, [document]):
                check_part(row[:10], f"passage {row[0]}")
                start, end, line, section, tokens = row[2:7]
                vector = np.frombuffer(vector_bytes(row[0], *row[10:]), dtype="<f4")
                found.append((start, end, line, section, tokens, vector))
        if len(found) != self._one("SELECT passages FROM documents WHERE id = ?", document):
            raise DamagedIndex(f"document {document} has more or fewer passages than were stored; run: searcher check")
        return found

    def vectors(self, after: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Ids (n,) int64, rising, and vectors (n, d) float32 of all passages with a greater id than `after`."""
        with self.database.reading() as connection:
            settings = self.settings()
            dimension = settings.dimension if settings else 0
            (count,) = connection.execute("SELECT count(*) FROM vectors WHERE id > ?", [after]).fetchone()
            ids, vectors = np.empty(count, dtype=np.int64), np.empty((count, dimension), dtype=np.float32)
            rows = connection.execute("SELECT id, vector, crc FROM vectors WHERE id > ? ORDER BY id", [after])
            done = 0
            while batch := rows.fetchmany(READ_ROWS):
                part = slice(done, done + len(batch))
                joined = b"".join(vector_bytes(number, blob, crc, dimension) for number, blob, crc in batch)
                ids[part] = [row[0] for row in batch]
                vectors[part] = np.frombuffer(joined, dtype="<f4").reshape(-1, dimension)
                done += len(batch)
        return ids, vectors

    def vector_pieces(self, ids: np.ndarray, present: bool) -> Iterator[np.ndarray]:
        """Vectors (m, d) float32 of those passages, in pieces. ids: (n,) int64, rising.

        present: whether all of them are there in the state that is read; else one that went is a vector of zeros.
        """
        settings = self.settings()
        dimension, last = settings.dimension if settings else 0, 0
        query = "SELECT id, vector, crc FROM vectors WHERE id > ? AND id <= ? ORDER BY id"
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
            joined = b"".join(vector_bytes(number, blob, crc, dimension) for number, blob, crc in rows)
            vectors[places] = np.frombuffer(joined, dtype="<f4").reshape(-1, dimension)
            yield vectors

    def vectors_of(self, ids: np.ndarray) -> np.ndarray:
        """Vectors (n, d) float32 of those passages, verified. ids: (n,) int64, rising. DamagedIndex if one is gone."""
        query = "SELECT id, vector, crc FROM vectors WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id"
        with self.database.reading() as connection:
            rows = connection.execute(query, [json.dumps(ids.tolist())]).fetchall()
        if [row[0] for row in rows] != ids.tolist():
            raise DamagedIndex("passages and vectors do not belong together; run: searcher check")
        joined = b"".join(vector_bytes(number, blob, crc) for number, blob, crc in rows)
        return np.frombuffer(joined, dtype="<f4").reshape(len(ids), -1)

    def vectors_of_texts(self, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """Text → its vector (d,) float32, for those of the texts that are a passage already."""
        found: dict[str, np.ndarray] = {}
        query = (
            "SELECT vectors.id, vector, vectors.crc FROM passages JOIN vectors USING (id)"
            " WHERE text_key = ? AND text = ? LIMIT 1"
        )
        with self.database.reading() as connection:
            for text in texts:
                row = connection.execute(query, [key_of(text), text]).fetchone()
                if row:
                    found[text] = np.frombuffer(vector_bytes(*row), dtype="<f4")
        return found

    def rows(self, ids: Iterable[int], vectors: Mapping[int, np.ndarray] | None = None) -> dict[int, Row]:
        """Passages by id, each verified; DamagedIndex for one that is not what was stored, or is not there.

        vectors: of all of them, (d,) float32, where they were read already in this transaction.
        """
        wanted = sorted({int(number) for number in ids})
        if not wanted:
            return {}
        query = (
            f"SELECT {PASSAGE_PART}, p.crc, {DOCUMENT_PART}, d.crc"
            " FROM passages p JOIN documents d ON d.id = p.document WHERE p.id IN (SELECT value FROM json_each(?))"
        )
        with self.database.reading() as connection:
            known = vectors or dict(zip(wanted, self.vectors_of(np.array(wanted)), strict=True))
            rows = {row[0]: as_row(row, known[row[0]]) for row in connection.execute(query, [json.dumps(wanted)])}
        if missing := set(wanted) - rows.keys():
            raise DamagedIndex(f"passage {min(missing)}, its document or its vector is gone; run: searcher check")
        return rows

    def allowed(self, where: filters.Filter) -> np.ndarray:
        """Ids of the passages that a filter allows, rising. -> (n,) int64. UnknownName for a key of no document."""
        with self.database.reading() as connection:
            if connection.execute("SELECT 1 FROM documents LIMIT 1").fetchone() is None:
                return np.empty(0, dtype=np.int64)
            known = {key for (key,) in connection.execute("SELECT key FROM metadata_keys")}
            filters.check_keys(where, {*known, *COLUMNS})
            there = "SELECT (SELECT coalesce(sum(count), 0) FROM spans), (SELECT count(*) FROM metadata_values)"
            held = "SELECT passages, metadata_values FROM held"
            if connection.execute(there).fetchone() != connection.execute(held).fetchone():
                raise DamagedIndex(f"{self.database.path}: not all that filters ask is there; run: searcher check")
            return allowed_ids(connection, where, self._every)

    def _every(self) -> Spans:
        """Which passages are whose."""
        state, known = self.database.state(), self._spans
        if known is None or known[0] != state:
            with self.database.reading() as connection:
                self._spans = known = state, spans(connection)
        return known[1]

    # -- history

    def changes(self, generation: int, last: int) -> int:
        """How many passages came and went since a generation in which `last` was the greatest id."""
        came, went = "SELECT count(*) FROM passages WHERE id > ?", "SELECT count(*) FROM removed WHERE generation > ?"
        return int(self._one(came, last) + self._one(went, generation))

    def removed(self, since: int) -> np.ndarray:
        """Ids of the passages that went after that generation, rising. -> (n,) int64."""
        with self.database.reading() as connection:
            return _ids(connection.execute("SELECT id FROM removed WHERE generation > ? ORDER BY id", [since]))

    def forget(self, before: int, least: int = FORGET) -> None:
        """Let go what only an index of an earlier generation than that would need to catch up, if it is that much."""
        heads = self._one("SELECT count(*) FROM heads WHERE generation < ?", before)
        if heads + self._one("SELECT count(*) FROM removed WHERE generation <= ?", before) > least:
            with self.database.writing(changes=False) as connection:
                connection.execute("DELETE FROM heads WHERE generation < ?", [before])
                connection.execute("DELETE FROM removed WHERE generation <= ?", [before])

    # -- upkeep

    def check(self) -> list[str]:
        """A line for each thing in the database that is not what was stored."""
        lines: list[str] = []
        try:
            with self.database.reading() as connection:
                connection.text_factory = lenient  # a row with bytes that are no text is a line, not the end
                try:
                    lines.extend(findings(connection))
                finally:
                    connection.text_factory = str
            if self.database.writable():  # which FTS5 asks for to verify itself
                with self.database.rehearsing() as connection:
                    verify(connection)
        except DamagedIndex as fault:  # so broken that SQLite cannot go on
            lines.append(str(fault))
        return list(dict.fromkeys(lines))

    def rebuild_keywords(self) -> None:
        """Make the keyword index anew; nothing of what was removed is left in it."""
        with self.database.writing(changes=False) as connection:
            rebuild(connection)

    def _one(self, query: str, value: str | int) -> Any:
        with self.database.reading() as connection:
            row = connection.execute(query, [value]).fetchone()
        return None if row is None else row[0]


def _enter(connection: Any, settings: IndexSettings) -> None:
    connection.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", settings_rows(settings))


def _insert(connection: Any, prepared: Sequence[Prepared]) -> None:
    """Documents, passages and vectors under ids that were never given before; those of the same source go."""
    last = dict(connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    passage = last.get("passages", 0) + 1
    for document, item in enumerate(prepared, last.get("documents", 0) + 1):
        _delete(connection, "source = ?", [item.document.source])
        entered = document_row(document, item)
        connection.execute(
            "INSERT INTO documents (id, source, key, kind, title, metadata, passages, characters, crc, file, digest,"
            " layout, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            entered,
        )
        rows = list(passage_rows(passage, document, item))
        connection.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        enter(connection, [(row[0], row[7]) for row in rows])
        enter_values(connection, document, entered[5], passage, len(rows))
        connection.executemany("INSERT INTO vectors VALUES (?, ?, ?)", vector_rows(passage, item))
        keys = [[key] for key in item.document.metadata]
        connection.executemany("INSERT OR IGNORE INTO metadata_keys VALUES (?)", keys)
        passage += len(item.chunks)


def _delete(connection: Any, condition: str, values: Sequence[Any]) -> int:
    """Remove the documents of which that is true, with all that belongs to them. -> how many."""
    if connection.execute(f"SELECT 1 FROM documents WHERE {condition}", values).fetchone() is None:
        return 0  # a DELETE, even of nothing, would make FTS5 write out what it collects
    leave(connection, f"SELECT id FROM passages WHERE document IN (SELECT id FROM documents WHERE {condition})", values)
    return int(connection.execute(f"DELETE FROM documents WHERE {condition}", values).rowcount)


def _ids(cursor: Any) -> np.ndarray:
    return np.fromiter(chain.from_iterable(cursor), dtype=np.int64)
