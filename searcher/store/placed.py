"""Where passages stand in files that have pages, slides, sheets or the like: the table `places`, and filters on it."""

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from searcher.errors import DamagedIndex
from searcher.filters import BOOLEAN, NUMBER, TEXT, Path
from searcher.records import PLACE_PARTS, Document, as_json
from searcher.store.rows import check_part, checksum

__all__ = ["KINDS", "as_place", "is_place", "misplaced", "part_of", "place_rows", "placed"]

# As SQLite's JSON calls what a part of a place holds.
KINDS = {TEXT: "'text'", NUMBER: "'integer', 'real'", BOOLEAN: "'true', 'false'"}
COLUMNS = "id, document, place, crc"


def place_rows(
    number: int, document: Document, starts: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, str, int]]:
    """The rows of `places` for passages of a document, given by id and start; those without a place have none."""
    for passage, start in starts:
        if place := _place_at(document, start):
            part = (passage, number, as_json(place))
            yield (*part, checksum(part))


def _place_at(document: Document, start: int) -> dict[str, Any] | None:
    """The place at an offset of a document's text."""
    at = bisect_right(document.places, start, key=lambda place: place[0])
    return dict(document.places[at - 1][1]) if at else None


def as_place(row: tuple[Any, ...] | None) -> dict[str, Any] | None:
    """The place in a row of `places`. DamagedIndex unless it is what was stored."""
    if row is None:
        return None
    check_part(row, f"the place of passage {row[0]}")
    place: dict[str, Any] = json.loads(row[2])
    return place


def placed(connection: Any, wanted: str) -> dict[int, dict[str, Any]]:
    """The places of passages, whose ids are given as JSON, by their ids."""
    query = f"SELECT {COLUMNS} FROM places WHERE id IN (SELECT value FROM json_each(?))"
    return {row[0]: place for row in connection.execute(query, [wanted]) if (place := as_place(row))}


def misplaced(connection: Any, number: int, document: Document) -> None:
    """DamagedIndex where the places of a document's passages are not those that it says."""
    query = "SELECT id, start FROM passages WHERE document = ? ORDER BY id"
    spans = connection.execute(query, [number]).fetchall()
    found = {
        row[0]: as_place(row)
        for row in connection.execute(f"SELECT {COLUMNS} FROM places WHERE document = ?", [number])
    }
    for passage, start in spans:
        with suppress(TypeError):  # a start that is no number, which its checksum tells
            if found.pop(passage, None) != _place_at(document, start):
                raise DamagedIndex(f"the place of passage {passage} is not what its document says")
    for passage in found:
        raise DamagedIndex(f"the place of passage {passage} is of no passage")


def is_place(path: Path) -> bool:
    """Whether a key of a filter names a part of a place."""
    return len(path) == 1 and path[0] in PLACE_PARTS


def part_of(path: Path) -> tuple[str, str]:
    """SQL for the part of a place that a key names: its value, and its type."""
    return f"json_extract(place, '$.{path[0]}')", f"json_type(place, '$.{path[0]}')"
