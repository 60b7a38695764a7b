"""The embeddings of Simon Willison's `llm`: the tables `collections` and `embeddings` of a SQLite file."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from searcher.errors import UnreadableFile
from searcher.migration.foreign import Choices, Foreign, Item, chosen
from searcher.readers import copied, is_sqlite
from searcher.records import Failure

__all__ = ["find", "opened"]

NAME = "embeddings.db"


def find(path: Path) -> Path | None:
    """A SQLite file, of which it shows when it is opened whether it is one of these; in a folder the one of `llm`."""
    file = path / NAME if path.is_dir() else path
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        return file if is_sqlite(stream) else None


@contextmanager
def opened(place: Path, choices: Choices) -> Iterator[Foreign]:
    """One collection. BadValue unless it is named where there are several."""
    with copied(place) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"collections", "embeddings"} <= tables:
            there = ", ".join(sorted(tables)) or "none"
            raise UnreadableFile(
                place, f"no database of llm, which has collections and embeddings; its tables: {there}"
            )
        found = connection.execute("SELECT name, id, model FROM collections ORDER BY id").fetchall()
        collections = {name: (number, model) for name, number, model in found}
        number, model = collections[chosen("collection", choices.collection, collections, "--collection")]
        (count,) = connection.execute("SELECT count(*) FROM embeddings WHERE collection_id = ?", [number]).fetchone()

        def items() -> Iterator[Item | Failure]:
            query = "SELECT id, embedding, content, metadata FROM embeddings WHERE collection_id = ? ORDER BY rowid"
            for key, embedding, content, metadata in connection.execute(query, [number]):
                if embedding is not None and (not isinstance(embedding, bytes) or len(embedding) % 4):
                    yield Failure(str(place), f"id {str(key)!r:.60}: its embedding is not a list of float32 numbers")
                    continue
                vector = np.frombuffer(embedding, "<f4") if embedding else None
                yield Item(str(key), content if isinstance(content, str) else None, _metadata(metadata), vector)

        yield Foreign("llm", place, count, items, model, "cosine")


def _metadata(text: Any) -> dict[str, Any]:
    """What was stored with an item; a value that is no object under the name that it has in `llm`."""
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"metadata": value}
