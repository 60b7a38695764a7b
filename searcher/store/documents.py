"""The documents of an index, and the files they came from, as they are stored."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from searcher.errors import DamagedIndex
from searcher.filters import BOOLEAN, NUMBER, TEXT
from searcher.records import ANSWER, Document
from searcher.store.lookup import is_key, text_of
from searcher.store.rows import DOCUMENT_PART, WHOLE_DOCUMENT, as_document, check_part
from searcher.store.state import State

__all__ = ["Documents"]

LONGEST_END = 50_000  # bytes of a pattern that SQLite takes
COLUMN_OF = {"source": "source", "id": "key", "title": "title", "kind": "kind"}  # what a key of a document means


class Documents(State):
    """What can be asked of documents and files."""

    def known(self, sources: Iterable[str]) -> dict[str, bytes]:
        """Source → digest of its document, of those sources that have one."""
        return self._digests("SELECT digest FROM documents WHERE source = ?", sources)

    def file_digests(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Path → digest of those files all of whose documents are in."""
        return self._digests("SELECT digest FROM files WHERE path = ?", paths)

    def _digests(self, query: str, names: Iterable[str]) -> dict[str, bytes]:
        # One by one, which is as quick in this process: SQLite ends the texts in JSON at NUL.
        with self.database.reading() as connection:
            found = {name: connection.execute(query, [name]).fetchone() for name in filter(_storable, names)}
        return {name: row[0] for name, row in found.items() if row}

    def documents_of_files(self, paths: Iterable[str]) -> dict[str, dict[str, int]]:
        """Path → source → id of the documents that came from that file, of those that any came from."""
        with self.database.reading():
            found = {path: self.documents_of("file", path) for path in filter(_storable, paths)}
        return {path: own for path, own in found.items() if own}

    def documents_of(self, column: str, value: str) -> dict[str, int]:
        """Source → id of the documents whose source, key or file is that."""
        assert column in ("source", "key", "file")
        with self.database.reading() as connection:
            rows = connection.execute(f"SELECT source, id FROM documents WHERE {column} = ?", [value])
            return dict(rows.fetchall())

    def named(self, column: str, names: Iterable[str]) -> dict[str, list[int]]:
        """Caller's id, or source → ids of the documents of that name, rising; without names that none has."""
        assert column in ("source", "key")
        wanted, found = set(filter(_storable, names)), dict[str, list[int]]()
        query = f"SELECT {column}, id FROM documents WHERE {column} IN (SELECT value FROM json_each(?)) ORDER BY id"
        with self.database.reading() as connection:
            for name, number in connection.execute(query, [json.dumps(sorted(wanted))]):
                if name in wanted:  # SQLite ends the texts in JSON at NUL
                    found.setdefault(name, []).append(number)
        return found

    def ending(self, name: str) -> dict[str, list[int]]:
        """Files, or sources of what is from none, → ids of their documents: where that ends so, or of that title."""
        end = "%/" + re.sub(r"[\\%_]", r"\\\g<0>", name)
        if len(end.encode(errors="replace")) > LONGEST_END:
            return {}
        query = r"""SELECT CASE WHEN source LIKE ?1 ESCAPE '\' OR file IS NULL THEN source ELSE file END, id
            FROM documents WHERE source LIKE ?1 ESCAPE '\' OR file LIKE ?1 ESCAPE '\' OR title = ?2 COLLATE NOCASE
            ORDER BY id"""
        found: dict[str, list[int]] = {}
        with self.database.reading() as connection:
            for origin, number in connection.execute(query, [end, name]):
                found.setdefault(origin, []).append(number)
        return found

    def origins(self, most: int) -> list[str]:
        """Files that documents came from, and sources of what is from none, so many at most."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT DISTINCT coalesce(file, source) FROM documents LIMIT ?", [most])
            return [origin for (origin,) in rows]

    def file_of(self, document: int) -> str | None:
        """The file that a document came from, if any."""
        return self._one("SELECT file FROM documents WHERE id = ?", document)

    def faqs(self, paths: Iterable[str]) -> dict[str, Literal["questions", "answers"]]:
        """Path → what is embedded of the entries in that file, of those that were read as a FAQ.

        A table's entries are the same whether it was read as a FAQ or not, unless their answers are embedded.
        """
        with self.database.reading():
            return {path: way for path in paths if (way := self._faq(path))}

    def _faq(self, file: str) -> Literal["questions", "answers"] | None:
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

    def document_count(self) -> int:
        """How many documents there are."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])

    def metadata_kinds(self) -> dict[str, list[str]]:
        """Top-level key of the metadata → the kinds of its values, as filters/values.py has them."""
        # From one pair to the next in the primary key, within a path and then past it: SQLite does not seek by both.
        within = "SELECT path, kind FROM metadata_values WHERE path = ? AND kind > ? ORDER BY kind LIMIT 1"
        beyond = "SELECT path, kind FROM metadata_values WHERE path > ? ORDER BY path, kind LIMIT 1"
        kinds: dict[str, list[str]] = {}
        pair = ("", "")
        with self.database.reading() as connection:

            def following(pair: tuple[str, str]) -> tuple[str, str] | None:
                return connection.execute(within, pair).fetchone() or connection.execute(beyond, pair[:1]).fetchone()

            while (found := following(pair)) is not None:
                pair = found
                if len(parts := json.loads(pair[0])) == 1:
                    kinds.setdefault(parts[0], []).append(pair[1])
        return kinds

    def has_key(self, path: tuple[str, ...]) -> bool:
        """Whether there is, or ever was, a value under a path of metadata."""
        with self.database.reading() as connection:
            return is_key(connection, path)

    def values_of(
        self, key: str | tuple[str, ...], documents: np.ndarray | None = None
    ) -> list[tuple[str | float | bool, int]]:
        """The different values of a column or of a path of metadata, and in how many documents each stands."""
        some, given = "", list[str]()
        if documents is not None:
            some, given = " AND {} IN (SELECT value FROM json_each(?))", [json.dumps(documents.tolist())]
        if isinstance(key, str):
            column = COLUMN_OF[key]
            query = f"SELECT '{TEXT}', {column}, count(*) FROM documents WHERE {column} IS NOT NULL{some.format('id')}"
            grouped = f"{query} GROUP BY 2"
        else:
            query = "SELECT kind, value, count(*) FROM metadata_values WHERE path = ?"
            grouped = f"{query} AND kind IN ('{TEXT}', '{NUMBER}', '{BOOLEAN}'){some.format('document')} GROUP BY 1, 2"
            given.insert(0, text_of(key))
        with self.database.reading() as connection:
            rows = connection.execute(grouped, given).fetchall()
        return [(bool(value) if kind == BOOLEAN else value, count) for kind, value, count in rows]

    def counts(self) -> dict[str, int]:
        """Documents, passages, tokens."""
        with self.database.reading() as connection:
            documents = connection.execute("SELECT count(*) FROM documents").fetchone()[0]
            passages, tokens = connection.execute("SELECT count(*), coalesce(sum(tokens), 0) FROM passages").fetchone()
        return {"documents": documents, "passages": passages, "tokens": tokens}

    def listing(self, documents: np.ndarray | None = None) -> list[dict[str, Any]]:
        """Documents in the order of sources: source, id, kind, title, metadata, passages, characters.

        documents: ids of some; None for all.
        """
        names = ("source", "id", "kind", "title", "metadata", "passages", "characters")
        listed = []
        with self.database.reading() as connection:
            some, given = "", list[str]()
            if documents is not None:
                some, given = "WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(documents.tolist())]
            query = f"SELECT {DOCUMENT_PART}, crc FROM documents d {some} ORDER BY source"
            for row in connection.execute(query, given):
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

    def document_ids(self, some: Sequence[int] | None = None) -> list[int]:
        """Ids of all documents, or of those of some that are there, in rising order."""
        where, given = "", list[str]()
        if some is not None:
            where, given = "WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(list(some))]
        with self.database.reading() as connection:
            return [number for (number,) in connection.execute(f"SELECT id FROM documents {where} ORDER BY id", given)]


def _storable(text: str) -> bool:
    """Whether SQLite could hold it: it has no lone surrogates."""
    try:
        return bool(text.encode()) or True
    except UnicodeEncodeError:
        return False
