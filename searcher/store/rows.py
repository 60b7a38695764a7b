"""How documents, passages, vectors and settings become rows with checksums, and come back verified.

Rows are covered by a CRC that holds their own id and that of the document they belong to, so that a row which was
changed, moved or exchanged for another is found out by whoever reads it.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from searcher.embedding import IndexSettings
from searcher.errors import DamagedIndex
from searcher.places import Place
from searcher.plain import as_json
from searcher.records import Document, Prepared, Row
from searcher.text import places_of

__all__ = [
    "AFTER", "BEYOND", "DOCUMENT_PART", "FAQ_COLUMNS", "METADATA", "PASSAGE", "PASSAGE_PART", "TEXT",
    "WHOLE_DOCUMENT", "Bare", "as_bare", "as_document", "as_row", "as_settings", "as_vectors", "check_part",
    "checksum", "document_part", "document_row", "key_of", "passage_rows", "settings_rows", "settings_values",
    "stored_settings", "vector_bytes", "vector_rows",
]  # fmt: skip

# The columns that the checksums cover, in their order, and those that make a document.
DOCUMENT_PART = "d.id, d.source, d.key, d.kind, d.title, d.metadata, d.passages, d.characters"
PASSAGE_PART = "p.id, p.document, p.start, p.end, p.line, p.section, p.tokens, p.text, p.text_key"
WHOLE_DOCUMENT = (
    "d.source, d.key, d.kind, d.title, d.metadata, d.layout, d.text, d.digest,"
    " (SELECT payload FROM payloads WHERE document = d.id)"
)

# Where in a row PASSAGE_PART, crc, DOCUMENT_PART, crc and more both are; what comes after the first, and after both.
PASSAGE = slice(0, len(PASSAGE_PART.split(", ")) + 1)
DOCUMENT = slice(PASSAGE.stop, PASSAGE.stop + len(DOCUMENT_PART.split(", ")) + 1)
AFTER, BEYOND = slice(PASSAGE.stop, None), slice(DOCUMENT.stop, None)
# … and where a column is in a row that begins with the one or the other.
TEXT = PASSAGE_PART.split(", ").index("p.text")
METADATA = DOCUMENT_PART.split(", ").index("d.metadata")

# … and those of the tables about a FAQ.
FAQ_COLUMNS = {"faq": "key, value", "unanswered": "id, asked, question"}

ID = struct.Struct("<q")  # as a vector's checksum covers it
DAMAGED = "is not what was stored; run: searcher check"


class Bare(NamedTuple):
    """A passage without its document, with its vector (d,) float32."""

    passage_id: int
    text: str
    vector: np.ndarray


def key_of(text: str) -> int:
    """A 64-bit number by which equal texts are found."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little", signed=True)


# -- to rows


def document_row(number: int, item: Prepared) -> tuple[Any, ...]:
    """DOCUMENT_PART, crc, file, digest, layout, text."""
    document = item.document
    part, crc = document_part(number, document, len(item.chunks))
    return (*part, crc, item.file, item.digest, document.layout, document.text)


def document_part(number: int, document: Document, passages: int) -> tuple[tuple[Any, ...], int]:
    """DOCUMENT_PART, and crc."""
    part = (
        number, document.source, document.id, document.kind, document.title, as_json(document.metadata), passages,
        len(document.text),
    )  # fmt: skip
    return part, checksum(part)


def passage_rows(first: int, document: int, item: Prepared) -> Iterator[tuple[Any, ...]]:
    """PASSAGE_PART and crc of each passage; their ids count from `first`."""
    text = item.document.text
    places = zip(item.chunks, places_of(item.document, item.chunks), strict=True)
    for number, (chunk, (line, section)) in enumerate(places, first):
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
    source, key, kind, title, metadata, layout, text, digest, payload = row
    try:
        parts = json.loads(layout)
        sections = tuple((start, path) for start, path in parts["sections"])
        places = tuple((start, place) for start, place in parts.get("places", ()))
        document = Document(
            source, text, title, key, json.loads(metadata), sections, tuple(parts["breaks"]), parts["first_line"], kind,
            places, None if payload is None else json.loads(payload), parts.get("whole", False),
        )  # fmt: skip
        sound = document.digest() == digest
    except (AttributeError, KeyError, TypeError, ValueError):  # columns of other types, other JSON
        sound = False
    if not sound:
        raise DamagedIndex(f"document {source!r} {DAMAGED}")
    return document


def as_bare(rows: Sequence[tuple[Any, ...]], vectors: Mapping[int, np.ndarray]) -> dict[int, Bare]:
    """The passages in columns PASSAGE_PART, crc, by their ids, with their vectors. DamagedIndex if one is bad."""
    for row in rows:
        if checksum(row[:-1]) != row[-1]:
            check_part(row, f"passage {row[0]}")
    return {row[0]: Bare(row[0], row[TEXT], vectors[row[0]]) for row in rows}


def as_row(row: tuple[Any, ...], vector: np.ndarray, place: Place | None = None) -> Row:
    """The passage in columns PASSAGE_PART, crc, DOCUMENT_PART, crc, with its vector, its place. DamagedIndex if bad."""
    number, document, start, end, line, section, _, text, *_ = part = row[PASSAGE]
    check_part(part, f"passage {number}")
    _, source, key, kind, title, metadata, *_ = part = row[DOCUMENT]
    check_part(part, f"document {source!r}")
    return Row(
        number, document, key, source, kind, title, section, start, end, line, text, json.loads(metadata), vector, place
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


def as_vectors(rows: Sequence[tuple[int, bytes, int]], dimension: int | None = None) -> np.ndarray:
    """The vectors in columns id, vector, crc. -> (n, d) float32. DamagedIndex as of `vector_bytes`.

    dimension: None for that of the first.
    """
    # A search reads some 200: to call a function for each takes as long as the checksums.
    blobs = [
        blob for number, blob, crc in rows
        if isinstance(blob, bytes) and zlib.crc32(blob, zlib.crc32(ID.pack(number))) == crc
    ]  # fmt: skip
    wanted = dimension if dimension is not None else len(blobs[0]) // 4 if blobs else 0
    if len(blobs) < len(rows) or any(len(blob) != 4 * wanted for blob in blobs):
        blobs = [vector_bytes(*row, wanted) for row in rows]  # which says what is wrong
    return np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(rows), wanted)


def checksum(values: tuple[Any, ...]) -> int:
    """CRC-32 of strings, whole numbers and None."""
    return zlib.crc32(ascii(values).encode())  # not repr, which knows more characters in each version of Python


def _vector_crc(number: int, blob: bytes) -> int:
    return zlib.crc32(blob, zlib.crc32(ID.pack(number)))
