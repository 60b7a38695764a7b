"""What an index is on a server: two collections, and how documents and passages become their rows and come back.

`NAME` holds a row for each passage, with all that is asked of it. `NAME_beside` holds all else, each row of one table:
documents, their texts in blocks that a field can hold, settings, files, looks, keys of metadata, notes. A document's
row is written last and goes first: a passage whose document has no row, or another number by now, is none.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from searcher.engines.milvus.entries import entered
from searcher.errors import BadValue, DamagedIndex
from searcher.places import place_at
from searcher.plain import as_json
from searcher.records import ANSWER, Document, Prepared, Row
from searcher.store import as_document, as_given, given_rows, key_of, words_of
from searcher.text import places_of

__all__ = [
    "BLOCK", "DOCUMENT_FIELDS", "FIELDS", "FORMAT", "Stored", "beside", "block_rows", "digest_of", "document_of",
    "given_of", "marked", "number_of", "passage_of", "passage_rows", "schemas", "spelled", "stored_of", "text_blocks",
    "unmarked", "whole_document",
]  # fmt: skip

FORMAT = 1  # of these collections
TEXT_BYTES, JSON_BYTES = 65_535, 60_000  # what a field can hold; of JSON it is 65,536, and a passage has a place too
BLOCK = 16_000  # characters of a document in a row: 64,000 bytes at most
SHORT = 256  # bytes of an id of ours
DOCUMENT_FIELDS = ("document", "value")
FIELDS = ("id", "document", "start", "end", "line", "section", "tokens", "text", "place", "vector")
NUMBERS = ("document", "start", "end", "line", "tokens", "text_key")
TEXTS = ("section", "text", "place", "given")


@dataclass(frozen=True)
class Stored:
    """A document as its row has it. number: ours, and that of its first passage, whose others follow."""

    number: int
    source: str
    id: str | None
    kind: str
    title: str | None
    metadata: dict[str, Any]
    passages: int
    characters: int
    tokens: int
    digest: str
    file: str | None
    answers: bool
    blocks: int

    @property
    def ids(self) -> range:
        """Those of its passages."""
        return range(self.number, self.number + self.passages)

    @property
    def block_ids(self) -> list[str]:
        """Those of the rows that hold its text."""
        return [f"block:{self.number}:{place}" for place in range(self.blocks)]

    @property
    def columns(self) -> dict[str, Any]:
        """What of it a key of a filter means before it means one of metadata."""
        return {name: getattr(self, name) for name in ("source", "id", "title", "kind")}

    @property
    def origin(self) -> str:
        """The file that it came from, else its source."""
        return self.file if self.file is not None else self.source

    def row(self) -> dict[str, Any]:
        """The row of it."""
        name, key = self.file or "", marked(self.id)
        value, held = as_json(asdict(self)), entered(self.columns, self.metadata)
        row = beside("document", digest_of(self.source), value, self.number, name, key, held)
        self._check(row)
        return row

    def _check(self, row: Mapping[str, Any]) -> None:
        """BadValue for what no field can hold."""
        for name in ("name", "key", "value", "held"):
            size, most = _size(row[name]), JSON_BYTES if name == "held" else TEXT_BYTES
            if size > most:
                raise BadValue(
                    f"{self.source:.200}: its metadata and names take {size:,} bytes; Milvus can hold {most:,}"
                )


def schemas(client: Any, dimension: int, lite: bool, words: bool) -> dict[str, tuple[Any, Any]]:
    """What follows a collection's name → its schema and indexes, as `MilvusClient` takes them.

    words: whether the server makes BM25 of them.
    """
    from pymilvus import DataType, Function, FunctionType

    passages, others = (client.create_schema(auto_id=False, enable_dynamic_field=False) for _ in range(2))
    passages.add_field("id", DataType.INT64, is_primary=True)
    passages.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    for name in NUMBERS:
        passages.add_field(name, DataType.INT64)
    for name in TEXTS:
        passages.add_field(name, DataType.VARCHAR, max_length=TEXT_BYTES)
    passages.add_field("nowhere", DataType.BOOL)
    passages.add_field("held", DataType.JSON)
    others.add_field("id", DataType.VARCHAR, is_primary=True, max_length=SHORT)
    others.add_field("vector", DataType.FLOAT_VECTOR, dim=2)  # without one there is no collection
    others.add_field("table", DataType.VARCHAR, max_length=SHORT)
    others.add_field("document", DataType.INT64)
    for name in ("name", "key", "value"):
        others.add_field(name, DataType.VARCHAR, max_length=TEXT_BYTES)
    others.add_field("held", DataType.JSON)
    near, flat = client.prepare_index_params(), client.prepare_index_params()
    # Lite, which is for trying out, looks at every vector: its graphs hold no more than memory does either.
    graph = {} if lite else {"M": 16, "efConstruction": 200}
    near.add_index("vector", index_type="FLAT" if lite else "HNSW", metric_type="COSINE", params=graph)
    flat.add_index("vector", index_type="FLAT", metric_type="L2")
    if not lite:
        for name in ("document", "text_key"):
            near.add_index(name, index_type="STL_SORT")
        flat.add_index("document", index_type="STL_SORT")
    if words:
        passages.add_field("words", DataType.VARCHAR, max_length=TEXT_BYTES, enable_analyzer=True, enable_match=True,
                           analyzer_params={"tokenizer": "standard"})  # fmt: skip
        passages.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
        passages.add_function(Function("bm25_of_words", FunctionType.BM25, ["words"], ["bm25"]))
        near.add_index("bm25", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25",
                       params={"bm25_k1": 1.2, "bm25_b": 0.75})  # fmt: skip
    return {"": (passages, near), "_beside": (others, flat)}


# -- to rows


def digest_of(text: str) -> str:
    """Letters and digits that stand for a text: an id of what is found by it."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=20).hexdigest()


def beside(
    table: str, name: str, value: str, document: int = 0, file: str = "", key: str = "",
    held: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A row of a table beside the passages."""
    return {
        "id": f"{table}:{name}", "vector": [0.0, 0.0], "table": table, "document": document, "name": file, "key": key,
        "value": value, "held": held or {},
    }  # fmt: skip


def number_of(digest: bytes, attempt: int) -> int:
    """The number that a document's content has, from 1 to 2^52: everywhere the same. attempt: where one is taken.

    JavaScript, which has floats for all numbers, still tells those of neighbours apart.
    """
    own = hashlib.blake2b(digest, digest_size=8, salt=attempt.to_bytes(2, "big")).digest()
    return (int.from_bytes(own, "big") >> 12) + 1


def stored_of(number: int, item: Prepared, blocks: Sequence[str]) -> Stored:
    """What is stored of a document under that number. blocks: its `text_blocks`."""
    document = item.document
    return Stored(
        number, document.source, document.id, document.kind, document.title, dict(document.metadata), len(item.chunks),
        len(document.text), sum(chunk.content for chunk in item.chunks), item.digest.hex(), item.file,
        any(section == ANSWER for _, section in places_of(document, item.chunks)), len(blocks),
    )  # fmt: skip


def passage_rows(stored: Stored, item: Prepared, words: bool) -> Iterator[dict[str, Any]]:
    """The rows of a document's passages. words: with what BM25 is made of."""
    document = item.document
    lengths = {row[0]: row[1:] for row in given_rows(stored.number, item)} if item.given is not None else {}
    placed = zip(item.chunks, item.vectors, places_of(document, item.chunks), strict=True)
    for number, (chunk, vector, (line, section)) in enumerate(placed, stored.number):
        place, text = place_at(document.places, chunk.start) or {}, document.text[chunk.start : chunk.end]
        length = lengths.get(number)
        columns = stored.columns | {"section": section, "line": line, "passage_id": number} | place
        yield {
            "id": number, "vector": np.ascontiguousarray(vector, np.float32), "document": stored.number,
            "start": chunk.start, "end": chunk.end, "line": line, "tokens": chunk.content, "text_key": key_of(text),
            "section": marked(section), "text": text if _size(text) <= TEXT_BYTES else "",
            "place": as_json(place) if place else "", "given": "" if length is None else _length(*length),
            "nowhere": length is not None and length[0] <= 0, "held": entered(columns, stored.metadata),
        } | ({"words": spelled(words_of([text])[0])} if words else {})  # fmt: skip


def text_blocks(document: Document) -> list[str]:
    """All of a document that is not in its own row, in pieces that a row can hold."""
    whole = json.dumps([document.layout, document.payload, document.text], ensure_ascii=False)
    return [whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK)]


def spelled(words: Iterable[bytes]) -> str:
    """Words of the keyword index as a text out of which any tokenizer makes the same again; the first that fit a field.

    >>> spelled([b"bank", "größe".encode()])
    'bank xe5081fdb70'
    """
    text = " ".join(word.decode() if word.isalnum() else f"x{digest_of(word.decode())[:10]}" for word in words)
    return text if len(text) <= TEXT_BYTES else text[:TEXT_BYTES].rpartition(" ")[0]


def block_rows(stored: Stored, blocks: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows that hold the text of a document."""
    for own, text in zip(stored.block_ids, blocks, strict=True):
        yield beside("block", own.removeprefix("block:"), text, stored.number)


def marked(text: str | None) -> str:
    """A text or None as a text: no field is ever empty here."""
    return "" if text is None else f"={text}"


def unmarked(text: str) -> str | None:
    """What `marked` made a text of."""
    return text[1:] if text else None


def _length(length: float, rest: bytes | None, crc: int) -> str:
    return json.dumps([length, None if rest is None else base64.b64encode(rest).decode(), crc])


def _size(value: Any) -> int:
    """Bytes of a text, or of JSON."""
    return len((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode())


# -- from rows


def document_of(row: Mapping[str, Any]) -> Stored:
    """The document in a row. DamagedIndex unless it is one."""
    try:
        return Stored(**json.loads(row["value"]))
    except (TypeError, ValueError):
        raise DamagedIndex(f"document {row.get('document')} is not what was stored") from None


def passage_of(row: Mapping[str, Any], stored: Stored, text: str | None = None) -> Row:
    """The passage in a row, of that document. text: where it is too long for the row."""
    place = json.loads(row["place"]) if row["place"] else None
    return Row(
        row["id"], stored.number, stored.id, stored.source, stored.kind, stored.title, unmarked(row["section"]),
        row["start"], row["end"], row["line"], row["text"] if text is None else text, stored.metadata,
        np.array(row["vector"], np.float32), place,
    )  # fmt: skip


def given_of(row: Mapping[str, Any]) -> np.ndarray | None:
    """The vector (d,) float32 of a passage as it was given, None where none was."""
    unit = np.array(row["vector"], np.float32)
    if not row["given"]:
        return unit
    length, rest, crc = json.loads(row["given"])
    return as_given((row["id"], length, None if rest is None else base64.b64decode(rest), crc), unit)


def whole_document(stored: Stored, blocks: Mapping[str, str]) -> Document:
    """The document as it was given. blocks: of its text, by their ids. DamagedIndex unless it has its digest."""
    try:
        digest: bytes | None = bytes.fromhex(stored.digest)
        layout, payload, text = json.loads("".join(blocks.get(own, "") for own in stored.block_ids))
    except ValueError:  # of a block that is gone, say
        digest = layout = payload = text = None
    return as_document((
        stored.source, stored.id, stored.kind, stored.title, as_json(stored.metadata), layout, text, digest,
        None if payload is None else as_json(payload),
    ))  # fmt: skip
