"""Excel: the rows of its sheets as they are shown, each a place; formulas as their values, merged cells in each row."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
from openpyxl.utils import range_boundaries

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.ooxml import declared
from searcher.readers.parsers.zipped import DAMAGED, Archive, attribute
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Note

__all__ = ["read_xlsx"]

OVERLAP = 300  # bytes, in which what is looked for stands whole
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
WITHOUT_VALUE = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^>]*/>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
MOST_MERGED = 100_000
PERCENT = re.compile(r"0(?:\.(0+))?%")
MIDNIGHT = time(0)


def read_xlsx(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The workbook as one document with a section for each sheet; Notes for hidden sheets, which are left out, and for
    formulas of which the file holds no value.
    """
    archive = Archive(raw)
    try:
        yield from _workbook(raw, archive)
    except (UnreadableFile, MemoryError, RecursionError):
        raise
    except Exception:  # openpyxl unpacks and parses by itself, and raises whatever comes of it
        archive.check()
        raise


def _workbook(raw: Raw, archive: Archive) -> Iterator[Item]:
    draft = Draft(raw.source)
    try:
        book = openpyxl.load_workbook(raw.stream, read_only=True, data_only=True, keep_links=False)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as fault:
        archive.check()
        reason = f"no workbook that can be read ({one_line(str(fault)):.100})"
        raise UnreadableFile(raw.source, f"{DAMAGED}: {reason}") from None
    members = _members(archive)
    hidden = [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]
    without: dict[str, int] = {}
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            merged, count = _looked_through(archive, members.get(sheet.title))
            _sheet(draft, sheet, merged)
            without |= {sheet.title: count} if count else {}
    metadata = declared(archive)
    title = metadata.pop("title", None)
    yield replace(draft.document(title, metadata), title=title)  # the first sheet's name says nothing of the others
    if hidden:
        yield Note(raw.source, f"hidden sheets are left out: {', '.join(hidden)}")
    if without:
        where = ", ".join(f"{count:,} in {name}" for name, count in without.items())
        yield Note(raw.source, f"formulas without a stored value are empty: {where}; a program that saves them has it")


def _members(archive: Archive) -> dict[str, str]:
    """The member that holds each sheet, by the sheet's name."""
    main = archive.main("xl/workbook.xml")
    relations = archive.relations(main)
    found = {}
    for sheet in archive.maybe(main).iter("sheet"):
        names = [relations[value][1] for value in map(str, sheet.attrib.values()) if value in relations]
        found.update(dict.fromkeys([attribute(sheet, "name") or ""], names[0]) if names else {})
    return found


def _looked_through(archive: Archive, name: str | None) -> tuple[list[tuple[int, ...]], int]:
    """Merged ranges of a sheet (first column and row, last column and row) and how many formulas have no value."""
    ranges: list[tuple[int, ...]] = []
    count = 0
    if name is None or not archive.has(name):
        return ranges, count
    rest = b""
    for piece in archive.pieces(name):
        data = rest + piece
        done = 0
        for found in MERGED.finditer(data):
            ranges.append(tuple(map(int, range_boundaries(found[1].decode()))))
            done = found.end()
        for found in WITHOUT_VALUE.finditer(data):
            count, done = count + 1, max(done, found.end())
        rest = data[max(done, len(data) - OVERLAP) :]
    return ranges[:MOST_MERGED], count


def _sheet(draft: Draft, sheet: Any, merged: Sequence[tuple[int, ...]]) -> None:
    """A line for each row that holds something, under the sheet's name."""
    draft.at(sheet=sheet.title, cut=True)
    draft.put(sheet.title, level=1)
    sheet.reset_dimensions()  # which a file may state wrongly
    begun = sorted(merged, key=lambda bounds: bounds[1], reverse=True)
    open_: dict[int, tuple[int, str]] = {}  # by column: the last row, and the value that holds so far
    gap, number = "\n\n", 0
    for number, row in enumerate(sheet.iter_rows(), 1):
        shown = [_shown(cell) for cell in row]
        while begun and begun[-1][1] <= number:
            left, top, _, bottom = begun.pop()
            if top == number and left <= len(shown) and shown[left - 1]:
                open_[left] = bottom, shown[left - 1]
        if not any(shown):
            gap = "\n\n" if gap == "\n" else gap
            continue
        for column, (bottom, value) in list(open_.items()):
            if number > bottom:
                del open_[column]
            elif column <= len(shown) and not shown[column - 1]:
                shown[column - 1] = value
        while not shown[-1]:
            shown.pop()
        draft.at(sheet=sheet.title, row=number)
        draft.put(" | ".join(shown), gap)
        gap = "\n"


def _shown(cell: Any) -> str:
    """A cell as a person sees it, on one line."""
    value = cell.value
    if value is None or isinstance(value, str):
        return one_line(value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float | int):
        percent = PERCENT.fullmatch(str(cell.number_format or ""))
        return (
            f"{100 * value:.{len(percent[1] or '')}f}%"
            if percent
            else f"{value:.15g}"
            if isinstance(value, float)
            else str(value)
        )
    if isinstance(value, datetime):
        return (
            value.date().isoformat()
            if value.time() == MIDNIGHT
            else value.isoformat(" ", "minutes" if not value.second else "seconds")
        )
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, date | time):
        return str(value)
    return one_line(str(value))
