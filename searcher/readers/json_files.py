"""JSON files: lists of objects as rows, wherever in the file they stand; anything else as plain text."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from searcher.readers.columns import Columns
from searcher.readers.decoding import decoded, encoding_of
from searcher.readers.escapes import unescaped
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.readers.rows import Fields, documents
from searcher.readers.tables import jsonl_rows
from searcher.records import Document

__all__ = ["read_json"]

LISTS = {
    "answers", "articles", "data", "docs", "documents", "elements", "entities", "entries", "faq", "faqs", "features",
    "hits", "items", "list", "messages", "nodes", "objects", "pages", "passages", "posts", "questions", "records",
    "result", "results", "rows", "value", "values",
}  # fmt: skip
DEEPEST = 3  # an object within an object within one, as services answer
BULK = 0.8  # of the file, which is then about that list
MOST_NAMED = 5
SNIFFED_LINES = 20
BETWEEN = re.compile(r"[ \t\r\n,]*")


Found: TypeAlias = tuple[tuple[str, ...], list[Fields], list[str]]


class Table(NamedTuple):
    """A list of objects: the keys that lead to it, the objects, and what stands beside it."""

    path: str
    rows: list[Fields]
    beside: list[str]


def read_json(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """A list of objects as rows, or one that stands in an object; JSON Lines as such; anything else as plain text."""
    notes = len(raw.notes)
    text = decoded(raw)
    columns = Columns(options.column_types)
    try:
        value = json.loads(text)
    except RecursionError:
        return iter([Document(raw.source, text)])
    except ValueError:
        if _are_json_lines(text):
            del raw.notes[notes:]  # they come again
            return documents(jsonl_rows(raw, encoding_of(raw), options), raw, options, columns)
        objects = _one_after_another(text)
        if not objects:
            return iter([Document(raw.source, text)])
        return documents(enumerate(objects, 1), raw, options, columns, unit="item")
    table = _table(value, len(text))
    if table is None:
        return iter([Document(raw.source, unescaped(text))])
    if table.beside:
        named = ", ".join(table.beside[:MOST_NAMED]) + " and more" * (len(table.beside) > MOST_NAMED)
        raw.note(f"its rows are those of {table.path!r}; left out: {named}")
    return documents(enumerate(table.rows, 1), raw, options, columns, unit="item")


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _table(value: Any, size: int) -> Table | None:
    """The list of objects that a value is, or that it holds alone: by its name or by its size it is what counts."""
    if _is_rows(value):
        return Table("", value, [])
    found = list(_lists(value, (), []))
    if len(found) != 1:
        return None
    path, rows, beside = found[0]
    if path[-1].lower() in LISTS or len(json.dumps(rows, ensure_ascii=False)) > BULK * size:
        return Table(".".join(path), rows, beside)
    return None


def _lists(value: Any, path: tuple[str, ...], beside: list[str]) -> Iterator[Found]:
    """The lists of objects in an object, and in the objects in it."""
    if not isinstance(value, dict) or len(path) >= DEEPEST:
        return
    for key, inner in value.items():
        others = [*beside, *(".".join((*path, other)) for other, own in value.items() if other != key and _says(own))]
        if _is_rows(inner):
            yield (*path, key), inner, others
        else:
            yield from _lists(inner, (*path, key), others)


def _says(value: Any) -> bool:
    return value not in (None, "", [], {})


def _are_json_lines(text: str) -> bool:
    """Whether most lines at the beginning are objects."""
    lines = [line for line in text[: 2**20].splitlines()[: 2 * SNIFFED_LINES] if line.strip()][:SNIFFED_LINES]
    objects = 0
    for line in lines:
        try:
            objects += isinstance(json.loads(line), dict)
        except (ValueError, RecursionError):
            continue
    return len(lines) > 1 and objects >= len(lines) / 2


def _one_after_another(text: str) -> list[Fields]:
    """Objects that follow each other without a list around them; none if there is anything else."""
    decoder = json.JSONDecoder()
    found: list[Fields] = []
    at = 0
    while True:
        at = BETWEEN.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text):
            return found if len(found) > 1 else []
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return []
        if not isinstance(value, dict):
            return []
        found.append(value)
