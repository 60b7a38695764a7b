"""A folder of Qdrant's local mode: meta.json, and for each collection a SQLite file of pickled points."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from searcher.errors import UnknownName, UnreadableFile
from searcher.migration.arrays import as_float32
from searcher.migration.foreign import Choices, Foreign, Item, chosen, text_of
from searcher.migration.named import Shell
from searcher.migration.pickles import Record, read_pickle
from searcher.readers import copied
from searcher.records import Failure

__all__ = ["find", "opened"]

META, STORAGE = "meta.json", "storage.sqlite"
RECORDS = (".PointStruct", ".SparseVector")
METRICS = {"Cosine": "cosine", "Dot": "ip", "Euclid": "l2", "Manhattan": None}
ONLY = ""  # the name of a vector that has none


def find(path: Path) -> Path | None:
    """The meta.json of a folder with collections."""
    if path.name == META and path.is_file():
        path = path.parent
    return path / META if (path / META).is_file() and (path / "collection").is_dir() else None


@contextmanager
def opened(place: Path, choices: Choices) -> Iterator[Foreign]:
    """One collection and one of its dense vectors. BadValue unless they are named where there are several."""
    collections, aliases = _meta(place)
    wanted = aliases.get(choices.collection, choices.collection) if choices.collection else None
    name = chosen("collection", wanted, collections, "--collection")
    spaces = _spaces(collections[name])
    vector_name = chosen("vector", choices.vector_name, spaces, "--vector-name") if spaces else None
    folder = (place.parent / "collection").resolve()
    file = (folder / name / STORAGE).resolve()
    if not file.is_relative_to(folder):
        raise UnreadableFile(place, f"its collection {name!r} lies outside of it")
    if not file.is_file():
        raise UnreadableFile(file, "there is no such file; a collection of releases before 1.1.7 is not read")
    with copied(file) as connection:
        (count,) = connection.execute("SELECT count(*) FROM points").fetchone()

        def items() -> Iterator[Item | Failure]:
            for (point,) in connection.execute("SELECT point FROM points ORDER BY rowid"):
                yield _item(_point(point, file), vector_name, choices.text_field, file)

        metric = METRICS.get(str(spaces[vector_name].get("distance"))) if vector_name is not None else None
        yield Foreign("Qdrant", place, count, items, metric=metric)


def _meta(place: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Name → settings of the collections, and alias → name."""
    try:
        meta = json.loads(place.read_bytes())
        collections, aliases = meta["collections"], meta.get("aliases") or {}
        if isinstance(collections, dict) and isinstance(aliases, dict):
            return collections, aliases
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    raise UnreadableFile(place, "this is no meta.json of Qdrant's local mode")


def _spaces(settings: Any) -> dict[str, dict[str, Any]]:
    """Name → settings of the dense vectors."""
    vectors = settings.get("vectors") if isinstance(settings, dict) else None
    if not isinstance(vectors, dict):
        return {}
    if "size" in vectors and "distance" in vectors and not isinstance(vectors["size"], dict):
        return {ONLY: vectors}
    return {name: space for name, space in vectors.items() if isinstance(space, dict)}


def _point(data: Any, file: Path) -> dict[str, Any]:
    if not isinstance(data, bytes):
        raise UnreadableFile(file, "a point that is no pickle")
    value = read_pickle(io.BytesIO(data), str(file), RECORDS)
    if not isinstance(value, Record) or "id" not in value.fields:
        raise UnreadableFile(file, "a pickle that is no point")
    return value.fields


def _item(point: dict[str, Any], vector_name: str | None, text_field: str | None, file: Path) -> Item | Failure:
    key, payload, vector = str(point["id"]), point.get("payload"), point.get("vector")
    if isinstance(vector, dict):
        vector = vector.get(vector_name)
    if isinstance(vector, Shell):  # an array of numpy
        vector = vector.value()
    numbers = None
    if vector is not None and len(vector):
        try:
            numbers = as_float32(np.asarray(vector, dtype=np.float64))
        except (TypeError, ValueError):
            return Failure(str(file), f"id {key!r:.60}: its vector is not a list of numbers")
        if numbers.ndim != 1:
            return Failure(str(file), f"id {key!r:.60}: it has several vectors under one name, which is not read")
    try:
        text, fields = text_of(payload if isinstance(payload, dict) else {}, text_field)
    except UnknownName as fault:
        return Failure(str(file), f"id {key!r:.60}: {fault}")
    return Item(key, text, fields, numbers)
