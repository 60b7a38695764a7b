"""The tables, and how documents, passages and vectors become rows with checksums and come back verified.

Rows are covered by a CRC that holds their own id and that of the document they belong to, so that a row which was
changed, moved or exchanged for another is found out by whoever reads it.
"""

import hashlib
import json
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from searcher.errors import BadValue, DamagedIndex
from searcher.filter_values import lets_through
from searcher.filters import Filter
from searcher.records import Chunk, Document
from searcher.settings import IndexSettings

__all__ = ["COLUMNS", "FORMAT", "SCHEMA", "Prepared", "Row", "digest_of", "key_of"]

FORMAT = 5  # PRAGMA user_version; migrations.py knows the way from older ones, a newer one is refused

# What format 2 has more than format 1: by it an index catches up with what was added and removed since it was made.
HISTORY = [
    # The states that the store was in; the last one is the present.
    "CREATE TABLE heads (generation INTEGER PRIMARY KEY, nonce TEXT NOT NULL)",
    # Ids of passages that went, and the generation without them.
    "CREATE TABLE removed (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL)",
    """CREATE TRIGGER remembered AFTER DELETE ON vectors BEGIN
        INSERT OR REPLACE INTO removed SELECT OLD.id, max(generation) + 1 FROM heads; END""",
]

# The keyword index, which keyword_index.py keeps. FTS5 does not store the text again: it reads it through the view.
KEYWORDS = [
    # What is indexed in the place of a passage's text, where that is another.
    "CREATE TABLE keyword_spaced (id INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, text TEXT NOT NULL)",
    "CREATE VIEW keyword_texts AS SELECT p.id AS id, coalesce(s.text, p.text) AS text"
    " FROM passages p LEFT JOIN keyword_spaced s ON s.id = p.id",
    # Marks belong to words: without them those of Indic and Thai script fall to pieces.
    """CREATE VIRTUAL TABLE keywords USING fts5(text, content=keyword_texts, content_rowid=id,
        tokenize="porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'")""",
]

# What kind of FAISS index its owner wants, and what was measured of it: one row at most; no vector depends on it.
INDEXING = ["CREATE TABLE indexing (id INTEGER PRIMARY KEY CHECK (id = 1), value TEXT NOT NULL)"]

# What is kept about a FAQ beside its entries: faq/notes.py knows what.
FAQ = [
    "CREATE TABLE faq (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL)",
    """CREATE TABLE unanswered (
        id INTEGER PRIMARY KEY, asked TEXT NOT NULL, question TEXT NOT NULL, crc INTEGER NOT NULL)""",
]

# What a filter asks: which document has which value, and which passages are whose.
LOOKUP = [
    # path is JSON; kind and value are as filter_values.py has them.
    """CREATE TABLE metadata_values (
        path TEXT, kind TEXT, value, document INTEGER REFERENCES documents ON DELETE CASCADE,
        PRIMARY KEY (path, kind, value, document)) WITHOUT ROWID""",
    "CREATE INDEX metadata_values_document ON metadata_values (document)",
    "CREATE INDEX documents_kind ON documents (kind)",
    """CREATE TABLE spans (
        document INTEGER PRIMARY KEY REFERENCES documents ON DELETE CASCADE, first INTEGER NOT NULL,
        count INTEGER NOT NULL)""",
]

# How many passages and values there are: who reads all that there is notices a page that was lost, or is there twice.
HELD = [
    """CREATE TABLE held (
        id INTEGER PRIMARY KEY CHECK (id = 1), passages INTEGER NOT NULL, metadata_values INTEGER NOT NULL)""",
    "INSERT INTO held SELECT 1, (SELECT count(*) FROM vectors), (SELECT count(*) FROM metadata_values)",
    "CREATE TRIGGER came AFTER INSERT ON vectors BEGIN UPDATE held SET passages = passages + 1; END",
    "CREATE TRIGGER went AFTER DELETE ON vectors BEGIN UPDATE held SET passages = passages - 1; END",
    """CREATE TRIGGER value_came AFTER INSERT ON metadata_values BEGIN
        UPDATE held SET metadata_values = metadata_values + 1; END""",
    """CREATE TRIGGER value_went AFTER DELETE ON metadata_values BEGIN
        UPDATE held SET metadata_values = metadata_values - 1; END""",
]

SCHEMA = [
    "CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # A file is entered when all its documents are in; its digest says when it has to be read again.
    "CREATE TABLE files (path TEXT PRIMARY KEY, digest BLOB NOT NULL)",
    # digest covers the whole document: it finds what is unchanged, and what is damaged; crc what a hit shows of it.
    """CREATE TABLE documents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL UNIQUE, key TEXT, kind TEXT NOT NULL,
        title TEXT, metadata TEXT NOT NULL, passages INTEGER NOT NULL, characters INTEGER NOT NULL,
        crc INTEGER NOT NULL, file TEXT, digest BLOB NOT NULL, layout TEXT NOT NULL, text TEXT NOT NULL)""",
    "CREATE INDEX documents_key ON documents (key)",
    "CREATE INDEX documents_file ON documents (file)",
    "CREATE TRIGGER incomplete AFTER DELETE ON documents BEGIN DELETE FROM files WHERE path = OLD.file; END",
    # AUTOINCREMENT: a passage's id is never given to another one.
    """CREATE TABLE passages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
        start INTEGER NOT NULL, end INTEGER NOT NULL, line INTEGER NOT NULL, section TEXT, tokens INTEGER NOT NULL,
        text TEXT NOT NULL, text_key INTEGER NOT NULL, crc INTEGER NOT NULL)""",
    "CREATE INDEX passages_document ON passages (document)",
    "CREATE INDEX passages_text ON passages (text_key)",
    """CREATE TABLE vectors (
        id INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, vector BLOB NOT NULL, crc INTEGER NOT NULL)""",
    "CREATE TABLE metadata_keys (key TEXT PRIMARY KEY)",
    *HISTORY,
    *KEYWORDS,
    *INDEXING,
    *FAQ,
    *LOOKUP,
    *HELD,
    "INSERT INTO heads VALUES (0, '')",
    f"PRAGMA user_version = {FORMAT}",
]

# What a filter may name beside the keys of metadata.
COLUMNS = {
    "source": "documents.source", "id": "documents.key", "title": "documents.title", "kind": "documents.kind",
    "section": "passages.section", "line": "passages.line", "passage_id": "passages.id",
}  # fmt: skip

# The columns that the checksums cover, in their order, and those that make a document.
DOCUMENT_PART = "d.id, d.source, d.key, d.kind, d.title, d.metadata, d.passages, d.characters"
PASSAGE_PART = "p.id, p.document, p.start, p.end, p.line, p.section, p.tokens, p.text, p.text_key"
WHOLE_DOCUMENT = "d.source, d.key, d.kind, d.title, d.metadata, d.layout, d.text, d.digest"

# … and those of the tables about a FAQ.
FAQ_COLUMNS = {"faq": "key, value", "unanswered": "id, asked, question"}

DAMAGED = "is not what was stored; run: searcher check"


@dataclass(frozen=True)
class Prepared:
    """A document ready to be written. file: the file it came from, if any; vectors: (len(chunks), d) float32."""

    document: Document
    digest: bytes
    file: str | None
    chunks: Sequence[Chunk]
    vectors: np.ndarray

    def check(self, dimension: int) -> None:
        """BadValue unless there is a finite vector of that length for each passage."""
        source = self.document.source
        if self.vectors.shape != (len(self.chunks), dimension):
            shape = f"{self.vectors.shape[0]} vectors of {self.vectors.shape[-1]}"
            raise BadValue(f"{source}: {shape} for {len(self.chunks)} passages; the index has vectors of {dimension}")
        finite = np.isfinite(self.vectors).all(axis=1)
        if not finite.all():
            bad = int(np.flatnonzero(~finite)[0])
            raise BadValue(f"{source}: the vector of passage {bad + 1} has a NaN or infinite component")


class Row(NamedTuple):
    """A passage as stored, with its document's part and its vector (d,) float32."""

    passage_id: int
    document_id: int
    id: str | None
    source: str
    kind: str
    title: str | None
    section: str | None
    start: int
    end: int
    line: int
    text: str
    metadata: dict[str, Any]
    vector: np.ndarray

    def fits(self, where: Filter) -> bool:
        """Whether a filter allows it."""
        return lets_through(where, {name: getattr(self, name) for name in COLUMNS}, self.metadata)


def digest_of(document: Document) -> bytes:
    """16 bytes that stand for all of a document but its id in the store."""
    parts = [document.source, document.id, document.kind, document.title, _dumps(document.metadata), _layout(document)]
    digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=16)
    digest.update(document.text.encode())
    return digest.digest()


def key_of(text: str) -> int:
    """A 64-bit number by which equal texts are found."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


# -- to rows


def document_row(number: int, item: Prepared) -> tuple[Any, ...]:
    """DOCUMENT_PART, crc, file, digest, layout, text."""
    document = item.document
    part = (
        number, document.source, document.id, document.kind, document.title, _dumps(document.metadata),
        len(item.chunks), len(document.text),
    )  # fmt: skip
    return (*part, checksum(part), item.file, item.digest, _layout(document), document.text)


def passage_rows(first: int, document: int, item: Prepared) -> Iterator[tuple[Any, ...]]:
    """PASSAGE_PART and crc of each passage; their ids count from `first`."""
    text, sections = item.document.text, item.document.sections
    starts = [start for start, _ in sections]
    line, counted = item.document.first_line, 0
    for number, chunk in enumerate(item.chunks, first):
        if chunk.start >= counted:
            line += text.count("\n", counted, chunk.start)
        else:  # overlap goes back
            line -= text.count("\n", chunk.start, counted)
        counted = chunk.start
        at = bisect_right(starts, chunk.start)
        section = sections[at - 1][1] if at else None
        own = text[chunk.start : chunk.end]
        part = (number, document, chunk.start, chunk.end, line, section, chunk.content, own, key_of(own))
        yield (*part, checksum(part))


def vector_rows(first: int, item: Prepared) -> Iterator[tuple[int, bytes, int]]:
    """Id, BLOB and crc of each vector."""
    for number, vector in enumerate(item.vectors, first):
        blob = vector.astype("<f4").tobytes()
        yield number, blob, _vector_crc(number, blob)


def settings_rows(settings: IndexSettings) -> list[tuple[str, str]]:
    """Key and JSON of each setting, and a checksum of all."""
    return stored_settings(asdict(settings))


def stored_settings(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows of the settings table."""
    stored = {key: json.dumps(value) for key, value in values.items()}
    return [*stored.items(), ("checksum", str(checksum(tuple(sorted(stored.items())))))]


# -- from rows


def as_settings(rows: Mapping[str, str]) -> IndexSettings:
    """DamagedIndex unless they are what `settings_rows` made."""
    try:
        return IndexSettings(**settings_values(rows))
    except TypeError:
        raise DamagedIndex(f"the settings of the index: this {DAMAGED}") from None


def settings_values(rows: Mapping[str, str]) -> dict[str, Any]:
    """The values in rows of the settings table. DamagedIndex unless they have their checksum."""
    stored = dict(rows)
    given = stored.pop("checksum", None)
    try:
        if given != str(checksum(tuple(sorted(stored.items())))):
            raise ValueError
        return {key: json.loads(value) for key, value in stored.items()}
    except (TypeError, ValueError):
        raise DamagedIndex(f"the settings of the index: this {DAMAGED}") from None


def as_document(row: tuple[Any, ...]) -> Document:
    """The document in the columns WHOLE_DOCUMENT. DamagedIndex unless it has its digest."""
    source, key, kind, title, metadata, layout, text, digest = row
    try:
        parts = json.loads(layout)
        sections = tuple((start, path) for start, path in parts["sections"])
        document = Document(
            source, text, title, key, json.loads(metadata), sections, tuple(parts["breaks"]), parts["first_line"], kind
        )
        sound = digest_of(document) == digest
    except (AttributeError, KeyError, TypeError, ValueError):  # columns of other types, other JSON
        sound = False
    if not sound:
        raise DamagedIndex(f"document {source!r} {DAMAGED}")
    return document


def as_row(row: tuple[Any, ...], vector: np.ndarray) -> Row:
    """The passage in the columns PASSAGE_PART, crc, DOCUMENT_PART, crc; its vector. DamagedIndex unless all fit."""
    check_part(row[:10], f"passage {row[0]}")
    check_part(row[10:19], f"document {row[11]!r}")
    number, document, start, end, line, section, _, text = row[:8]
    source, key, kind, title, metadata = row[11:16]
    return Row(
        number, document, key, source, kind, title, section, start, end, line, text, json.loads(metadata), vector
    )


def check_part(row: tuple[Any, ...], name: str) -> None:
    """DamagedIndex unless the last column is the checksum of those before it."""
    if checksum(row[:-1]) != row[-1]:
        raise DamagedIndex(f"{name} {DAMAGED}")


def vector_bytes(number: int, blob: bytes, crc: int, dimension: int | None = None) -> bytes:
    """The BLOB of a vector; DamagedIndex unless its checksum and length are right."""
    whole = isinstance(number, int) and isinstance(blob, bytes) and len(blob) % 4 == 0
    if not whole or _vector_crc(number, blob) != crc:
        raise DamagedIndex(f"the vector of passage {number} {DAMAGED}")
    if dimension is not None and len(blob) != 4 * dimension:
        raise DamagedIndex(f"the vector of passage {number} has {len(blob) // 4} numbers, not {dimension}")
    return blob


def checksum(values: tuple[Any, ...]) -> int:
    """CRC-32 of strings, whole numbers and None."""
    return zlib.crc32(ascii(values).encode())  # not repr, which knows more characters in each version of Python


def _vector_crc(number: int, blob: bytes) -> int:
    return zlib.crc32(blob, zlib.crc32(struct.pack("<q", number)))


def _layout(document: Document) -> str:
    return _dumps({"sections": document.sections, "breaks": document.breaks, "first_line": document.first_line})


def _dumps(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as fault:
        raise BadValue(f"{value!r:.80} cannot be stored as JSON: {fault}") from None
