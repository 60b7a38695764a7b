"""The texts of JSON lines beside vectors in .npy, and of a folder in BEIR's layout."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from searcher.errors import BadValue, UnreadableFile
from searcher.migration.arrays import as_float32, read_array
from searcher.migration.foreign import Choices, Foreign, Item, text_of
from searcher.records import Failure

__all__ = ["find_arrays", "find_beir", "opened_arrays", "opened_beir"]

CORPUS = "corpus.jsonl"
SUFFIXES = (".jsonl", ".ndjson")
IDS = ("id", "_id", "ids", "key", "doc_id")


# -- .npy and JSON lines


def find_arrays(path: Path) -> Path | None:
    """The .npy file: the path itself, or the one of a folder, or of the same stem; of a folder with several the one
    that has JSON lines of its stem. The folder itself where that is none or several, which is told when it is opened.
    """
    if path.is_dir():
        arrays = sorted(path.glob("*.npy"))
        own = [file for file in arrays if any(file.with_suffix(suffix).is_file() for suffix in SUFFIXES)]
        found = [file for file in own if file.with_suffix(".jsonl").name == CORPUS] or own or arrays
        if len(found) > 1:
            return None if find_beir(path) else path
        return found[0] if found else None
    if path.suffix == ".npy" and path.is_file():
        return path
    beside = path.with_suffix(".npy")
    return beside if path.suffix in SUFFIXES and beside.is_file() else None


@contextmanager
def opened_arrays(place: Path, choices: Choices) -> Iterator[Foreign]:
    """A line for each row. UnreadableFile for files that disagree, and for arrays of objects."""
    if place.is_dir():
        arrays = sorted(file.name for file in place.glob("*.npy"))
        raise BadValue(f"{place} holds several .npy files: {', '.join(arrays)}; name one")
    lines = _lines_of(place)
    rows = read_array(place)
    count = sum(1 for _ in _rows(lines))
    if count != len(rows):
        raise UnreadableFile(place, f"{len(rows):,} vectors for the {count:,} lines of {lines.name}")

    def items() -> Iterator[Item | Failure]:
        for number, (line, value) in enumerate(_rows(lines)):
            vector = as_float32(rows[number])
            if isinstance(value, str):
                yield Item(str(number), value, {}, vector)
            elif isinstance(value, dict):
                yield _item(value, number, vector, choices.text_field, f"{lines}, line {line}")
            else:
                yield Failure(str(lines), f"line {line}: neither an object nor a text")

    yield Foreign(".npy with JSON lines", place, count, items)


def _lines_of(place: Path) -> Path:
    """The JSON lines that belong to an array."""
    own = [file for suffix in SUFFIXES if (file := place.with_suffix(suffix)).is_file()]
    others = sorted(file for file in place.parent.iterdir() if file.suffix in SUFFIXES)
    found = own or [file for file in others if file.name == CORPUS] or others
    if len(found) != 1:
        beside = place.with_suffix(".jsonl").name
        what = f"several JSON lines are beside it: {', '.join(file.name for file in found)}" if found else "no texts"
        raise UnreadableFile(place, f"{what}; they belong into {beside}")
    return found[0]


def _item(
    value: dict[str, Any], number: int, vector: np.ndarray | None, text_field: str | None, where: str
) -> Item | Failure:
    name = next((name for name in IDS if isinstance(value.get(name), str | int)), None)
    fields = {key: each for key, each in value.items() if key != name}
    try:
        text, fields = text_of(fields, text_field)
    except BadValue as fault:
        return Failure(where, str(fault))
    inner = fields.get("metadata")
    if set(fields) == {"metadata"} and isinstance(inner, dict | None):
        fields = inner or {}
    return Item(str(number if name is None else value[name]), text, fields, vector)


# -- BEIR


def find_beir(path: Path) -> Path | None:
    """The corpus of a folder, or the corpus itself."""
    file = path / CORPUS if path.is_dir() else path
    return file if file.name == CORPUS and file.is_file() else None


@contextmanager
def opened_beir(place: Path, choices: Choices) -> Iterator[Foreign]:
    """The documents; their text is title and text, as BEIR has them embedded. The questions stay where they are."""

    def items() -> Iterator[Item | Failure]:
        for line, value in _rows(place):
            key = value.get("_id") if isinstance(value, dict) else None
            if not isinstance(key, str | int) or not isinstance(value.get("text"), str):
                yield Failure(str(place), f"line {line}: no object with _id and text")
                continue
            title = value.get("title")
            title = title if isinstance(title, str) and title.strip() else None
            metadata = value.get("metadata")
            fields = {name: each for name, each in value.items() if name not in ("_id", "text", "title", "metadata")}
            fields = {**(metadata if isinstance(metadata, dict) else {}), **fields}
            text = value["text"] if title is None else f"{title} {value['text']}"
            yield Item(str(key), text, fields, title=title)

    yield Foreign("BEIR", place, sum(1 for _ in _rows(place)), items)


# -- lines


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    """Number and value of each line that is not empty. UnreadableFile for one that is no JSON."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                yield number, json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                raise UnreadableFile(path, f"line {number} is not UTF-8") from None
            except (ValueError, RecursionError) as fault:
                raise UnreadableFile(path, f"line {number} is not JSON: {fault}") from None
