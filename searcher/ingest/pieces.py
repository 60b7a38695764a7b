"""Pieces of an add: Parquet files of documents, their passages and vectors, each of which is whole or is not there.

A row is what reading a file gave at one place: a document with its passages, a failure, a note; the last row of a file
says that it ends there. The footer says which rows of which files are in it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from searcher.errors import DamagedIndex, UnreadableFile
from searcher.plain import as_json
from searcher.readers import Unsupported
from searcher.records import Chunk, Document, Failure, Note, Skipped

__all__ = ["DRAFT", "PIECE", "Entry", "Pieces", "Span", "entries", "name_of", "table_of", "with_vectors", "write_piece"]

PIECE, DRAFT = ".parquet", ".part"
SPANS = b"searcher.spans"

TOLD: dict[str, type[Failure]] = {"failure": Failure, "skipped": Skipped, "note": Note}
ENDS: dict[str, type[UnreadableFile]] = {"unsupported": Unsupported, "unreadable": UnreadableFile}
WHOLE, DOCUMENT = "whole", "document"

CHUNK = {
    "start": pa.int64(), "end": pa.int64(), "ids": pa.list_(pa.int32()), "content": pa.int32(),
    "unknown": pa.int32(), "splits_word": pa.bool_(),
}  # fmt: skip
COLUMNS = {
    "file": pa.string(), "number": pa.int64(), "kind": pa.string(), "value": pa.large_string(),
    "chunks": pa.large_list(pa.struct(CHUNK)),
}  # fmt: skip
OF_DOCUMENT = [field.name for field in fields(Document) if field.name != "vector"]

Value: TypeAlias = Document | Failure | UnreadableFile | None


class Entry(NamedTuple):
    """What reading a file gave at one place. file: its key; number: the place, from 0.

    value: a document with its passages, a failure, or what ended the reading: an error, None for the file's end.
    vectors: (len(chunks), d) float32, None where nothing was embedded.
    """

    file: str
    number: int
    value: Value
    chunks: Sequence[Chunk] = ()
    vectors: np.ndarray | None = None

    @property
    def is_last(self) -> bool:
        """Whether there is nothing behind it in its file."""
        return self.value is None or isinstance(self.value, UnreadableFile)


class Span(NamedTuple):
    """The entries first … end of a file. is_whole: whether the last one of the file is among them."""

    first: int
    end: int
    is_whole: bool


# -- entries and tables


def table_of(read: Sequence[Entry]) -> pa.Table:
    """Entries as a table, without vectors. The spans stand in its schema."""
    spans: list[list[Any]] = []
    for entry in read:
        if not spans or spans[-1][0] != entry.file or spans[-1][2] != entry.number:
            spans.append([entry.file, entry.number, entry.number, False])
        spans[-1][2:] = [entry.number + 1, entry.is_last]
    rows = {
        "file": [entry.file for entry in read], "number": [entry.number for entry in read],
        "kind": [_kind(entry.value) for entry in read], "value": [_said(entry.value) for entry in read],
        "chunks": [[vars(chunk) for chunk in entry.chunks] for entry in read],
    }  # fmt: skip
    return pa.table(rows, pa.schema(COLUMNS, {SPANS: json.dumps(spans)}))


def with_vectors(table: pa.Table, vectors: np.ndarray) -> pa.Table:
    """The table with the vectors (n, d) float32 of all its passages in their order."""
    counts = pc.list_value_length(table["chunks"]).to_numpy()
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    return table.append_column("vectors", pa.LargeListArray.from_arrays(pa.array(np.cumsum([0, *counts])), flat))


def entries(table: pa.Table) -> Iterator[Entry]:
    """The entries of a table."""
    vectors = table.column("vectors").combine_chunks() if "vectors" in table.column_names else None
    for at, row in enumerate(table.select(list(COLUMNS)).to_pylist()):
        chunks = [Chunk(**chunk | {"ids": tuple(chunk["ids"])}) for chunk in row["chunks"]]
        own = None
        if vectors is not None:
            own = vectors[at].values.flatten().to_numpy().reshape(len(chunks), vectors.type.value_type.list_size)
        yield Entry(row["file"], row["number"], _value(row["kind"], json.loads(row["value"])), chunks, own)


def _kind(value: Value) -> str:
    kinds = {own: name for name, own in (TOLD | ENDS).items()} | {Document: DOCUMENT, type(None): WHOLE}
    return kinds[type(value)]


def _said(value: Value) -> str:
    """A value as JSON."""
    if isinstance(value, Document):
        return as_json({name: getattr(value, name) for name in OF_DOCUMENT})
    names = ("source", "reason", "row")
    told = None if value is None else [getattr(value, name) for name in names if hasattr(value, name)]
    return json.dumps(told)  # in ASCII: what is told may be of a text that no other encoding holds


def _value(kind: str, value: Any) -> Value:
    if kind in TOLD:
        source, reason, row = value
        return TOLD[kind](source, reason, row)
    if kind in ENDS:
        return ENDS[kind](*value)
    if kind == WHOLE:
        return None
    listed = {name: tuple(tuple(each) for each in value[name]) for name in ("sections", "places")}
    return Document(**value | listed | {"breaks": tuple(value["breaks"])})


# -- on the disk


class Pieces:
    """The pieces in a folder. What is no whole piece is removed when it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spans: dict[str, list[tuple[Span, Path]]] = defaultdict(list)
        self._open: tuple[Path, dict[str, list[Entry]]] | None = None
        for path in sorted(folder.glob(f"*{PIECE}")):
            try:
                spans = json.loads(pq.read_schema(path).metadata[SPANS])
            except (pa.ArrowException, OSError, KeyError, TypeError):  # the power failed before it was on the disk
                path.unlink()
                continue
            for file, *span in spans:
                self._spans[file].append((Span(*span), path))
        for own in self._spans.values():
            own.sort()

    def spans(self, file: str) -> list[Span]:
        """Which entries of a file are there, rising."""
        return [span for span, _ in self._spans.get(file, ())]

    def has_all(self, file: str) -> bool:
        """Whether all of a file is there."""
        at = 0
        for span in self.spans(file):
            if span.first > at:
                return False
            at = max(at, span.end)
            if span.is_whole:
                return True
        return False

    def of(self, file: str) -> Iterator[Entry]:
        """The entries of a file in their order, each once. DamagedIndex for a piece that is not what was written."""
        at = 0
        for span, path in self._spans[file]:
            if span.end > at:
                yield from (entry for entry in self._in(path)[file] if entry.number >= at)
                at = span.end

    def _in(self, path: Path) -> dict[str, list[Entry]]:
        """The entries of a piece by their files; the last piece is kept, for small files share one."""
        if self._open is None or self._open[0] != path:
            try:
                table = pq.read_table(path, page_checksum_verification=True)
            except (pa.ArrowException, OSError) as fault:
                raise DamagedIndex(
                    f"{path} is damaged ({fault}); remove it, and the same command makes it anew"
                ) from None
            found: dict[str, list[Entry]] = defaultdict(list)
            for entry in entries(table):
                found[entry.file].append(entry)
            self._open = path, found
        return self._open[1]


def write_piece(folder: Path, table: pa.Table) -> None:
    """Write a piece under the name that its spans give it: who writes it again writes the same over it."""
    draft = folder / f"{token_hex(8)}{DRAFT}"
    pq.write_table(table, draft, compression="zstd", write_page_checksum=True)
    draft.replace(folder / f"{name_of(table)}{PIECE}")


def name_of(table: pa.Table) -> str:
    """What a piece is called."""
    return blake2b(table.schema.metadata[SPANS], digest_size=16).hexdigest()
