"""txtai's folder: config.json (once a pickle), `documents` (SQLite) where content was kept, else `ids`; `embeddings`,
which is FAISS's or numpy's.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from searcher.errors import UnreadableFile
from searcher.migration.arrays import as_float32, read_array
from searcher.migration.faiss_files import read_vectors
from searcher.migration.foreign import Choices, Foreign, Item
from searcher.migration.messagepack import read_list
from searcher.migration.pickles import read_pickle
from searcher.readers import copied, is_sqlite
from searcher.records import Failure, Note

__all__ = ["find", "opened"]

CONFIGS = ("config.json", "config")
SECTIONS = (
    "SELECT s.indexid, s.id, s.text, s.tags, d.data FROM sections s LEFT JOIN documents d ON d.id = s.id"
    " ORDER BY s.indexid"
)


def find(path: Path) -> Path | None:
    """The config of a folder that has also something to read."""
    if path.name in CONFIGS and path.is_file():
        path = path.parent
    if not any((path / name).is_file() for name in ("documents", "embeddings", "ids")):
        return None
    return next((path / name for name in CONFIGS if (path / name).is_file()), None)


@contextmanager
def opened(place: Path, choices: Choices) -> Iterator[Foreign]:
    """The index. Vectors that are not kept as they are, and texts of another database, are left out and told of."""
    config, folder = _config(place), place.parent
    vectors, notes = _vectors(folder / "embeddings", config)
    with ExitStack() as stack:
        if _is_sqlite(folder / "documents"):
            connection = stack.enter_context(copied(folder / "documents"))
            (count,) = connection.execute("SELECT count(*) FROM sections").fetchone()

            def items() -> Iterator[Item | Failure]:
                return _sections(connection, vectors, _text_column(config))

        else:
            keys = _ids(folder, config)
            count = len(keys)
            if (folder / "documents").exists():
                notes.append(Note(str(folder / "documents"), "its texts are not read: it is no SQLite file"))

            def items() -> Iterator[Item | Failure]:
                return (Item(key, None, {}, vectors.get(number)) for number, key in keys)

        model = config.get("path")
        yield Foreign(
            "txtai", place, count, items, model if isinstance(model, str) else None,
            "cosine" if config.get("normalize", True) else "ip", notes,
        )  # fmt: skip


def _config(place: Path) -> dict[str, Any]:
    if place.suffix == ".json":
        try:
            config = json.loads(place.read_bytes())
        except ValueError:
            raise UnreadableFile(place, "not JSON") from None
    else:
        with place.open("rb") as stream:
            config = read_pickle(stream, str(place))
    if not isinstance(config, dict):
        raise UnreadableFile(place, "this is no configuration of txtai")
    return config


def _text_column(config: Mapping[str, Any]) -> str:
    """What the text is called in a document that was given as a dict."""
    columns = config.get("columns")
    name = columns.get("text") if isinstance(columns, dict) else None
    return name if isinstance(name, str) else "text"


# -- texts


def _is_sqlite(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return is_sqlite(stream)


def _sections(connection: sqlite3.Connection, vectors: "Rows", text_column: str) -> Iterator[Item]:
    for number, key, text, tags, data in connection.execute(SECTIONS):
        fields = _data(data)
        if isinstance(fields.get(text_column), str):
            own = fields.pop(text_column)
            text = own if text is None else text
        if tags is not None and "tags" not in fields:
            fields["tags"] = tags
        yield Item(str(key), text if isinstance(text, str) else None, fields, vectors.get(number))


def _data(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _ids(folder: Path, config: Mapping[str, Any]) -> list[tuple[int, str]]:
    """Number and id of an index without content, but of those that were deleted."""
    path, keys = folder / "ids", config.get("ids")  # where old releases had them
    if not isinstance(keys, list):
        if not path.is_file():
            return []
        with path.open("rb") as stream:
            pickled = stream.read(1) == b"\x80"
            stream.seek(0)
            keys = read_pickle(stream, str(path)) if pickled else read_list(stream.read(), str(path))
    return [(number, str(key)) for number, key in enumerate(keys) if key is not None]


# -- vectors


class Rows:
    """Vectors by the number that txtai gives to a section."""

    def __init__(self, rows: np.ndarray, ids: np.ndarray) -> None:
        self._rows = rows
        self._row_of = dict(zip(ids.tolist(), range(len(ids)), strict=True))

    def get(self, number: int) -> np.ndarray | None:
        """(d,) float32; None if there is none."""
        row = self._row_of.get(number)
        return None if row is None else self._rows[row]


NO_ROWS = Rows(np.empty((0, 1), np.float32), np.empty(0, np.int64))


def _vectors(path: Path, config: Mapping[str, Any]) -> tuple[Rows, list[Failure]]:
    """The vectors; none, and why, where they are not kept as they are."""
    if not path.is_file():
        return NO_ROWS, [Note(str(path.parent), "it holds no vectors")]
    try:
        with path.open("rb") as stream:
            if stream.read(6) == b"\x93NUMPY":
                rows = read_array(path, "f")
                kept = np.flatnonzero(rows.any(axis=1))  # a row of zeros was deleted
                return Rows(as_float32(rows[kept]), kept), []
        found = read_vectors(path)
    except UnreadableFile as fault:
        backend = config.get("backend", "faiss")
        return NO_ROWS, [Note(str(path), f"its vectors, of backend {backend!r:.20}, are not read: {fault.reason}")]
    return Rows(found.rows, found.ids), []
