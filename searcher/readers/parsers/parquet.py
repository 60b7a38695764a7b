"""Parquet: a document for each row, as of any table, read a batch of rows at a time."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from searcher.errors import UnreadableFile
from searcher.readers.columns import Columns
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.readers.rows import Row, documents
from searcher.records import Note

__all__ = ["read_parquet"]

BATCH = 1_000  # rows that are held at once
NO_VALUE = (ValueError, OverflowError)  # what is raised for a value that Python's type cannot hold, or for no UTF-8
DAMAGED = "it is damaged or cut short: no Parquet file that can be read"


def read_parquet(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The rows; values have the types that the file gives them. Those that are bytes are left out, and those for which
    Python has none, such as a day of the year 20,000, each with a Note; letters that are no UTF-8 are U+FFFD.

    Raises UnreadableFile for a file that is encrypted, damaged, or cut short.
    """
    binary, strange = Counter[str](), Counter[str]()
    try:
        file = ParquetFile(raw.stream)
        yield from documents(_rows(file, binary, strange), raw, options, Columns(options.column_types), "row")
    except (ArrowException, OSError, UnicodeDecodeError) as fault:  # the last: of a name
        reason = "it is encrypted" if "encrypt" in str(fault).lower() else DAMAGED
        raise UnreadableFile(raw.source, reason) from None
    for kind, counts in {"binary {}": binary, "{} that cannot be stored": strange}.items():
        if count := counts.total():
            values = kind.format("values" if count > 1 else "value")
            were, columns = "were" if count > 1 else "was", ", ".join(sorted(counts))
            yield Note(raw.source, f"{count:,} {values} {were} left out, of {columns}")


def _rows(file: ParquetFile, binary: "Counter[str]", strange: "Counter[str]") -> Iterator[Row]:
    """Number and fields of each row; binary, strange: count what is left out by column."""
    number = 0
    for batch in file.iter_batches(BATCH, use_threads=False):
        try:
            rows = batch.to_pylist()
        except NO_VALUE:
            columns = [_values(batch.column(at), name, strange) for at, name in enumerate(batch.schema.names)]
            rows = [dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True)]
        for row in rows:
            number += 1
            dropped = [name for name, value in row.items() if isinstance(value, bytes)]
            binary.update(dropped)
            yield number, {name: value for name, value in row.items() if name not in dropped}


def _values(column: pa.Array, name: str, strange: "Counter[str]") -> list[Any]:
    """Those of a column one by one, None for what cannot be had, which is counted."""
    found: list[Any] = []
    for scalar in column:
        try:
            found.append(scalar.as_py())
        except NO_VALUE:
            if isinstance(scalar, pa.StringScalar | pa.LargeStringScalar):
                found.append(scalar.as_buffer().to_pybytes().decode(errors="replace"))
            else:
                found.append(None)
                strange[name] += 1
    return found
