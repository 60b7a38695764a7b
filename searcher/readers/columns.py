"""The types of a table's columns: one for each, told from all of its cells, and what the cells then stand for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from searcher.plain import storable
from searcher.readers.values import typed

__all__ = ["Columns", "columns_of", "missing"]

COMMA = re.compile(r"-?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+")
GROUPED = re.compile(r"-?\d{1,3}(?:[.,]\d{3})+")  # 1,234 or 1.234: a thousand, or a little more than one
CODE = re.compile(r"[+-]?\d[\d .,/-]*")
YES = {"true": True, "yes": True, "y": True, "t": True, "on": True, "1": True}
NO = {"false": False, "no": False, "n": False, "f": False, "off": False, "0": False}
DATES = (
    re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?P<time>[T ]\d.*)?"),
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})(?P<time>[T ]\d.*)?"),
)
MOSTLY = 0.9  # of the cells are numbers: a person takes such a column for one of numbers
SHOWN = 20  # columns that are named
NAMED_CELL = 30  # characters of a cell that is named


@dataclass
class Seen:
    """What the cells of a column were: how many of each kind, and the first that is neither number nor code."""

    numbers: int = 0
    points: int = 0  # numbers that have one
    commas: int = 0
    grouped: int = 0  # of the numbers and commas, those that may be thousands
    booleans: int = 0
    others: int = 0
    odd: tuple[int, str] | None = None

    def see(self, cell: str, line: int) -> None:
        """Count a cell; once a column is plainly text, no more of it."""
        if self.others > 100 and self.others > self.numbers:
            return
        value = typed(cell)
        if value is None:
            return
        if isinstance(value, bool):
            self.booleans += 1
        elif isinstance(value, int | float):
            self.numbers += 1
            if isinstance(value, float):
                self.points += 1
                self.grouped += bool(GROUPED.fullmatch(cell.strip()))
        elif COMMA.fullmatch(text := cell.strip()):
            self.commas += 1
            self.grouped += bool(GROUPED.fullmatch(text))
        else:
            self.others += 1
            if self.odd is None and not CODE.fullmatch(text):
                self.odd = line, text

    def kind(self) -> str:
        """The type that all cells have: "number", "comma" for numbers with decimal commas, "boolean" or "text"."""
        if self.others or (self.booleans and (self.numbers or self.commas)):
            return "text"
        if self.commas:
            return "comma" if self.grouped < self.commas and not self.points else "text"
        return "boolean" if self.booleans else "number" if self.numbers else "text"


@dataclass
class Columns:
    """The type of each column, and what did not fit the type that it was given.

    kinds: of the cells of a sheet; without one a value has the type that it has, as in JSON. notes: what is to be told.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] | None = None
    notes: list[str] = field(default_factory=list)
    unfit: dict[str, int] = field(default_factory=dict)
    seen: dict[str, None] = field(default_factory=dict)  # in their order

    def value(self, name: str, cell: Any) -> Any:
        """What a cell of the column stands for; None for one that its given type cannot hold."""
        self.seen.setdefault(name)
        if name in self.given:
            if cell is None or cell == "":
                return None
            value = CONVERSIONS[self.given[name]](cell)
            if value is None and str(cell).strip():
                self.unfit[name] = self.unfit.get(name, 0) + 1
            return value
        if not isinstance(cell, str) or self.kinds is None:
            return storable(cell)
        kind = self.kinds.get(name, "text")
        if kind == "comma":
            return _with_comma(cell)
        return typed(cell) if kind != "text" or not cell.strip() else storable(cell)

    def told(self) -> list[str]:
        """All that is to be told once the table is read."""
        lost = [
            f"column {name!r}: {count:,} values are no {self.given[name]} and were left out"
            for name, count in self.unfit.items()
        ]
        return [*self.notes, *lost, *missing(self.given, self.seen)]


def missing(given: Iterable[str], columns: Iterable[str]) -> list[str]:
    """That there is no such column, for each name that is none."""
    there = list(columns)
    shown = ", ".join(there[:SHOWN]) or "none"
    return [
        f"no column {name!r} to be of a given type; the columns, beside text and id: {shown}"
        for name in given
        if name not in there
    ]


def columns_of(
    rows: Iterable[tuple[int, Mapping[str, Any]]], given: Mapping[str, str], named: Iterable[str], commas: bool
) -> Columns:
    """The types of all columns of a table, out of one pass over its rows.

    rows: the line and the cells of each. given: types that the caller gave. named: columns that are always text.
    commas: whether a decimal comma cannot be what separates cells.
    """
    seen: dict[str, Seen] = {}
    untyped = {*given, *named}
    for line, cells in rows:
        for name, cell in cells.items():
            if cell and name not in untyped:
                seen.setdefault(name, Seen()).see(cell, line)
    kinds = {name: own.kind() for name, own in seen.items()}
    notes = [_mixed(name, own) for name, own in seen.items() if kinds[name] == "text" and _is_mostly_numbers(own)]
    decimal = [name for name, kind in kinds.items() if kind == "comma"]
    if decimal and not commas:
        kinds |= dict.fromkeys(decimal, "text")
    elif decimal:
        notes.append(f"numbers with a decimal comma in {_listed(decimal)} were read as numbers")
        thousands = [
            name for name, own in seen.items() if kinds[name] == "number" and own.points and own.points == own.grouped
        ]
        if thousands:
            kinds |= dict.fromkeys(thousands, "text")
            notes.append(f"{_listed(thousands)} may be of thousands, as 1.234 is, and was left as text")
    return Columns(given, kinds, notes)


def _is_mostly_numbers(seen: Seen) -> bool:
    return seen.odd is not None and seen.numbers >= MOSTLY * (seen.numbers + seen.others)


def _mixed(name: str, seen: Seen) -> str:
    assert seen.odd is not None
    line, cell = seen.odd
    shown = cell if len(cell) <= NAMED_CELL else f"{cell[:NAMED_CELL]}…"
    return (
        f"column {name!r} is text: among {seen.numbers:,} numbers line {line} has {shown!r}; "
        f"--column-type {name}=number leaves out what is no number"
    )


def _listed(names: list[str]) -> str:
    return f"column{'s' * (len(names) > 1)} {', '.join(map(repr, names[:5]))}" + " and more" * (len(names) > 5)


def _with_comma(cell: str) -> float | int | None:
    text = cell.strip()
    return float(text.replace(".", "").replace(",", ".")) if "," in text else typed(text)


def _as_text(cell: Any) -> Any:
    if isinstance(cell, bool):
        return str(cell).lower()
    return storable(str(cell) if isinstance(cell, int | float) else cell)


def _as_number(cell: Any) -> Any:
    if isinstance(cell, str):
        text = cell.strip()
        whole = re.fullmatch(r"[+-]?\d{1,18}", text)  # also with zeros before it
        cell = _with_comma(text) if COMMA.fullmatch(text) else int(text) if whole else typed(text)
    return storable(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else None


def _as_boolean(cell: Any) -> Any:
    if isinstance(cell, bool):
        return cell
    return (YES | NO).get(str(cell).strip().lower())


def _as_date(cell: Any) -> Any:
    """A date in ISO 8601, which sorts as text; years may come first, or last after points."""
    found = next(filter(None, (pattern.fullmatch(str(cell).strip()) for pattern in DATES)), None)
    if not found:
        return None
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"])).isoformat()
    except ValueError:
        return None
    return day + (found["time"] or "").replace(" ", "T", 1)


CONVERSIONS = {"text": _as_text, "number": _as_number, "boolean": _as_boolean, "date": _as_date}
