"""Parquet: a document for each row, as of any table, read a batch of rows at a time."""

from collections import Counter
from collections.abc import Iterator

from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from searcher.errors import UnreadableFile
from searcher.readers.columns import Columns
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.readers.rows import Row, documents
from searcher.records import Note

__all__ = ["read_parquet"]

BATCH = 1_000  # rows that are held at once
DAMAGED = "it is damaged or cut short: no Parquet file that can be read"


def read_parquet(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The rows; values have the types that the file gives them, those that are bytes are left out, with a Note.

    Raises UnreadableFile for a file that is encrypted, damaged, or cut short.
    """
    binary = Counter[str]()
    try:
        file = ParquetFile(raw.stream)
        yield from documents(_rows(file, binary), raw, options, Columns(options.column_types), "row")
    except (ArrowException, OSError) as fault:
        reason = "it is encrypted" if "encrypt" in str(fault).lower() else DAMAGED
        raise UnreadableFile(raw.source, reason) from None
    if binary:
        columns = ", ".join(sorted(binary))
        yield Note(raw.source, f"{binary.total():,} binary values were left out, of {columns}")


def _rows(file: ParquetFile, binary: "Counter[str]") -> Iterator[Row]:
    """Number and fields of each row; binary: counts what is left out by column."""
    number = 0
    for batch in file.iter_batches(BATCH, use_threads=False):
        for row in batch.to_pylist():
            number += 1
            dropped = [name for name, value in row.items() if isinstance(value, bytes)]
            binary.update(dropped)
            yield number, {name: value for name, value in row.items() if name not in dropped}
