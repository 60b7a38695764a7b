"""Where passages stand in files that have pages, slides, sheets or the like: the table `places`, and filters on it."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from searcher.errors import DamagedIndex
from searcher.filters import BOOLEAN, NUMBER, TEXT, Path
from searcher.places import PLACE_PARTS, Place, place_at
from searcher.plain import as_json
from searcher.records import Document
from searcher.store.lookup import Held
from searcher.store.rows import check_part, checksum
from searcher.store.schema import COLUMNS as FILTERED

__all__ = ["PLACE", "HeldPlaces", "as_place", "is_place", "misplaced", "place_rows"]

# As SQLite's JSON calls what a part of a place holds.
KINDS = {TEXT: "'text'", NUMBER: "'integer', 'real'", BOOLEAN: "'true', 'false'"}
PLACE = "l.id, l.document, l.place, l.crc"


def place_rows(
    number: int, document: Document, starts: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, str, int]]:
    """The rows of `places` for passages of a document, given by id and start; those without a place have none."""
    for passage, start in starts:
        if place := place_at(document.places, start):
            part = (passage, number, as_json(place))
            yield (*part, checksum(part))


def as_place(row: tuple[Any, ...]) -> Place | None:
    """The place in the columns PLACE, None where there is none. DamagedIndex unless it is what was stored."""
    if row[0] is None:
        return None
    check_part(row, f"the place of passage {row[0]}")
    place: Place = json.loads(row[2])
    return place


def misplaced(connection: Any, number: int, document: Document) -> None:
    """DamagedIndex where the places of a document's passages are not those that it says."""
    query = "SELECT id, start FROM passages WHERE document = ? ORDER BY id"
    spans = connection.execute(query, [number]).fetchall()
    there = connection.execute(f"SELECT {PLACE} FROM places l WHERE document = ?", [number])
    found = {row[0]: as_place(row) for row in there}
    for passage, start in spans:
        with suppress(TypeError):  # a start that is no number, which its checksum tells
            if found.pop(passage, None) != place_at(document.places, start):
                raise DamagedIndex(f"the place of passage {passage} is not what its document says")
    for passage in found:
        raise DamagedIndex(f"the place of passage {passage} is of no passage")


def is_place(path: Path) -> bool:
    """Whether a key of a filter names a part of a place."""
    return len(path) == 1 and path[0] in PLACE_PARTS and path[0] not in FILTERED


class HeldPlaces(Held):
    """What the places of passages say under a key: ids of passages."""

    def __init__(self, connection: Any, path: Path, within: np.ndarray | None = None) -> None:
        part = path[0]
        self._type, self._is_boolean = f"json_type(place, '$.{part}')", PLACE_PARTS[part] is bool
        super().__init__(connection, path, within, ("places", f"json_extract(place, '$.{part}')"))

    def _kind(self, kind: str) -> str:
        return f"{self._type} IN ({KINDS[kind]})" if kind in KINDS else "0"

    def _read(self, kind: Any, value: Any) -> tuple[str, Any]:
        return (BOOLEAN, bool(value)) if self._is_boolean else super()._read(kind, value)
