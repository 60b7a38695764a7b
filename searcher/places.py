"""Where in its file something stands: what a place may say, and how people say it."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TypedDict, cast, get_type_hints

from searcher.plain import is_there

__all__ = ["PLACE_PARTS", "SAID", "Place", "file_of", "line_of", "place_at", "said", "stands"]


class Place(TypedDict, total=False):
    """What a place in a file may say.

    page: from 1. label: the one printed on the page, where that differs. notes: whether it is in the speaker's notes of
    the slide. cell: of a notebook. name: the qualified one of a definition. time: in a recording, "00:01:02.500".
    chapter: of a book. message: of a mailbox. picture: in which OCR read it. line: of a file whose text has others.
    """

    page: int
    label: str
    slide: int
    notes: bool
    sheet: str
    row: int
    cell: int
    name: str
    time: str
    chapter: str
    message: int
    picture: int
    line: int


PLACE_PARTS: dict[str, type] = get_type_hints(Place)
# How people say them.
SAID = {
    "page": "page {}", "label": "printed {}", "slide": "slide {}", "notes": "notes", "sheet": "sheet {}",
    "row": "row {}", "cell": "cell {}", "name": "{}", "time": "at {}", "chapter": "{}", "message": "message {}",
    "picture": "picture {}",
}  # fmt: skip


def said(place: Mapping[str, object]) -> str:
    """A place in words.

    >>> said({"page": 3, "label": "iii"}), said({"sheet": "Costs", "row": 12}), said({"slide": 2, "notes": True})
    ('page 3, printed iii', 'sheet Costs, row 12', 'slide 2, notes')
    """
    return ", ".join(SAID[name].format(place[name]) for name in SAID if is_there(place.get(name)))


def place_at(places: Sequence[tuple[int, Place]], offset: int) -> Place | None:
    """What the places of a document say of an offset of its text, but for the line; None where they say nothing.

    places: (start, place) in rising order.

    >>> place_at([(0, {"page": 1}), (90, {"page": 2, "line": 40})], 95)
    {'page': 2}
    """
    at = bisect_right(places, offset, key=lambda each: each[0])
    parts = {name: part for name, part in places[at - 1][1].items() if name != "line"} if at else {}
    return cast("Place", parts) if parts else None


WITHIN = re.compile(r".+?\.\w+(?=#)", re.DOTALL)  # the path of a file, before what something in it is called
PART = re.compile(r"#part-\d+\Z")  # of a large text, whose lines are those of the file


def file_of(source: str) -> str:
    """The file that a source is, or is something in.

    >>> file_of("faq.csv#7"), file_of("C#.md"), file_of("C#.csv#7")
    ('faq.csv', 'C#.md', 'C#.csv')
    """
    if found := WITHIN.match(source):
        return found[0]
    return source if PurePath(source).suffix else source.partition("#")[0]


def line_of(source: str, place: Place | None, line: int) -> int | None:
    """The line, None where nobody would look for one: in a file of pages, sheets or the like, in a row of a table."""
    apart = file_of(source) != source and not PART.search(source)
    return None if apart or (said(place or {}) and "name" not in (place or {})) else line


def stands(source: str, place: Place | None, line: int) -> str:
    """Where in its file something stands, in words; empty for a row of a table file that says no more than its id.

    >>> stands("a.pdf", {"page": 3}, 1), stands("a.py", {"name": "Tree.walk"}, 12), stands("a.csv#7", None, 1)
    ('page 3', 'line 12', '')
    """
    number = line_of(source, place, line)
    return said(place or {}) if number is None else f"line {number}"
