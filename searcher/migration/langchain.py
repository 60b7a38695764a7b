"""LangChain's FAISS store: NAME.pkl, a pickle of (docstore, {row: id}), beside NAME.faiss; any release of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from searcher.errors import BadValue, UnreadableFile
from searcher.migration.faiss_files import read_vectors
from searcher.migration.foreign import Choices, Foreign, Item
from searcher.migration.pickles import Record, read_pickle
from searcher.records import Failure, Note

__all__ = ["find", "opened"]

# The packages that they lived in have changed with the years, their names have not.
RECORDS = (".InMemoryDocstore", ".Document")


def find(path: Path) -> Path | None:
    """The pickle of a folder with one store, of one of its two files, or None. BadValue for a folder with several."""
    if path.suffix in (".pkl", ".faiss") and path.is_file():
        pickle = path.with_suffix(".pkl")
        return pickle if pickle.exists() and path.with_suffix(".faiss").exists() else None
    found = sorted(file for file in path.glob("*.pkl") if file.with_suffix(".faiss").exists())
    if len(found) > 1:
        raise BadValue(f"{path} holds several stores: {', '.join(file.name for file in found)}; name one of the files")
    return found[0] if found else None


@contextmanager
def opened(place: Path, choices: Choices) -> Iterator[Foreign]:
    """The store. UnreadableFile for a pickle that would call something, and for files that disagree."""
    with place.open("rb") as stream:
        value = read_pickle(stream, str(place), RECORDS)
    try:
        docstore, row_ids = value
        documents = docstore.fields["_dict"]
        keys = [row_ids[row] for row in range(len(row_ids))]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UnreadableFile(place, "this pickle is none of LangChain's FAISS store") from None
    vectors, notes = _vectors(place.with_suffix(".faiss"), len(keys))
    metric = None if vectors is None else vectors[1]

    def items() -> Iterator[Item | Failure]:
        for row, key in enumerate(keys):
            document = documents.get(key)
            if not isinstance(document, Record):
                yield Failure(str(place), f"row {row:,}, id {str(key)!r:.60}: no document of that id in the docstore")
                continue
            yield _item(str(key), document.fields, None if vectors is None else vectors[0][row])

    yield Foreign("LangChain FAISS", place, len(keys), items, metric=metric, notes=notes)


def _vectors(path: Path, count: int) -> tuple[tuple[np.ndarray, str | None] | None, list[Failure]]:
    """The rows and the metric; None, and why, for an index that does not hold them as they are."""
    try:
        found = read_vectors(path)
    except UnreadableFile as fault:
        return None, [Note(str(path), f"its vectors are not read: {fault.reason}")]
    if len(found.rows) != count:
        raise UnreadableFile(path, f"it holds {len(found.rows):,} vectors, its pickle names {count:,} rows")
    order = np.argsort(found.ids, kind="stable")
    rows = found.rows if (order == np.arange(count)).all() else found.rows[order]
    return (rows, found.metric), []


def _item(key: str, fields: dict[Any, Any], vector: np.ndarray | None) -> Item:
    text, metadata = fields.get("page_content"), fields.get("metadata")
    return Item(key, text if isinstance(text, str) else None, metadata if isinstance(metadata, dict) else {}, vector)
