"""Excel: the rows of its sheets as they are shown, each a place; what stands beside their cells is set below them."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any

import openpyxl

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.grids import Shown
from searcher.readers.parsers.ooxml import declared
from searcher.readers.parsers.xlsx_beside import Beside, Surroundings
from searcher.readers.parsers.xlsx_formats import is_clock, shown_number
from searcher.readers.parsers.xlsx_layout import LAST_ROW, Layout, layout_of
from searcher.readers.parsers.xlsx_strict import transitional
from searcher.readers.parsers.zipped import DAMAGED, Archive, attribute
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Note

__all__ = ["read_xlsx"]

MIDNIGHT = time(0)
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def read_xlsx(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The workbook as one document with a section for each sheet; Notes for hidden sheets, which are left out, and for
    formulas of which the file holds no value.
    """
    yield from _workbook(raw, options, Archive(raw))


@contextmanager
def _by_openpyxl(archive: Archive) -> Iterator[None]:
    """It unpacks and parses by itself, and raises whatever comes of it."""
    try:
        yield
    except (UnreadableFile, MemoryError, RecursionError):
        raise
    except Exception as fault:
        archive.check()
        reason = f"no workbook that can be read ({one_line(str(fault)):.100})"
        raise UnreadableFile(archive.source, f"{DAMAGED}: {reason}") from None


def _workbook(raw: Raw, options: ReadOptions, archive: Archive) -> Iterator[Item]:
    draft, pictures = Draft(raw.source), Pictures(raw, options, archive)
    main = archive.main("xl/workbook.xml")
    stream = transitional(raw, archive, main)
    with _by_openpyxl(archive):
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    members = _members(archive, main)
    surroundings = Surroundings(raw, archive, main, draft, pictures)
    hidden = [name for name, (_, state) in members.items() if state != "visible"]
    left_out: list[str] = []
    beyond: list[str] = []
    without: dict[str, int] = {}
    for sheet in map(book.__getitem__, book.sheetnames):
        member, state = members.get(sheet.title, ("", "visible"))
        if state != "visible":
            continue
        layout = layout_of(archive, member, surroundings.rich)
        shown = Shown(layout.columns)
        _sheet(
            draft, sheet.title, _lines(_rows(archive, sheet, beyond), layout, shown), surroundings.of(member, layout)
        )
        left_out += shown.told(sheet.title)
        without |= {sheet.title: layout.without} if layout.without else {}
    metadata = declared(archive)
    title = metadata.pop("title", None)
    yield replace(draft.document(title, metadata), title=title)  # the first sheet's name says nothing of the others
    yield from pictures.notes()
    if hidden:
        yield Note(raw.source, f"hidden sheets are left out: {', '.join(hidden)}")
    if left_out:
        yield Note(raw.source, f"what is hidden is left out: {', '.join(left_out)}")
    if beyond:
        yield Note(raw.source, f"rows with a number above {LAST_ROW:,} are left out: {', '.join(beyond)}")
    if without:
        where = ", ".join(f"{count:,} in {name}" for name, count in without.items())
        yield Note(raw.source, f"formulas without a stored value are empty: {where}; a program that saves them has it")


def _members(archive: Archive, main: str) -> dict[str, tuple[str, str]]:
    """The member that holds each sheet and whether it is "visible", by the sheet's name."""
    relations = archive.relations(main)
    return {
        attribute(sheet, "name") or "": (
            relations.get(attribute(sheet, "id") or "", ("", ""))[1], attribute(sheet, "state") or "visible"
        ) for sheet in archive.maybe(main).iter("sheet")
    }  # fmt: skip


def _sheet(draft: Draft, name: str, lines: Iterable[tuple[int, list[str]]], beside: Iterable[Beside]) -> None:
    """A line for each row that holds something, and below it what stands beside its cells, under the sheet's name."""
    draft.at(sheet=name, cut=True)
    draft.put(name, level=1)
    gap = "\n\n"
    waiting = deque(beside)
    for number, cells in chain(lines, [(LAST_ROW + 1, [])]):
        draft.at(sheet=name, row=number)
        draft.put(" | ".join(cells), gap)
        gap = "\n" if cells else "\n\n"
        while waiting and waiting[0].row <= number:
            row, _, text, put = waiting.popleft()
            draft.at(sheet=name, row=row if row <= LAST_ROW else None)
            draft.put(text, gap)
            put()
            gap = "\n" if text else "\n\n"


def _rows(archive: Archive, sheet: Any, beyond: list[str]) -> Iterator[list[str]]:
    """The cells of each row as they are shown; of a sheet that is a chart nothing. beyond: takes the name of a sheet
    with rows below the last that there can be.
    """
    if not hasattr(sheet, "iter_rows"):
        return
    with _by_openpyxl(archive):
        sheet.reset_dimensions()  # which a file may state wrongly
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number > LAST_ROW:  # openpyxl gives an empty row for each number that it passes
                beyond.append(sheet.title)
                return
            yield [_shown(cell) for cell in row]


def _lines(rows: Iterable[list[str]], layout: Layout, seen: Shown) -> Iterator[tuple[int, list[str]]]:
    """The number of each row and its cells as they are shown, in each of a merged range what that says; none of a row
    that holds nothing of its own.
    """
    begun = sorted(layout.merged, reverse=True)
    open_: dict[int, tuple[int, str]] = {}  # by column: the last row, and the value that holds so far
    for number, shown in enumerate(rows, 1):
        if layout.pictures:
            shown = ["" if (number, at) in layout.pictures else cell for at, cell in enumerate(shown, 1)]
        while begun and begun[-1][0] <= number:
            top, left, bottom, _ = begun.pop()
            if top == number and left <= len(shown) and shown[left - 1]:
                open_[left] = bottom, shown[left - 1]
        if number in layout.rows:
            seen.leave_out(shown)
            continue
        if not any(shown):
            yield number, []
            continue
        for column, (bottom, value) in list(open_.items()):
            if number > bottom:
                del open_[column]
            elif column <= len(shown) and not shown[column - 1]:
                shown[column - 1] = value
        yield number, seen.cells(shown)


def _shown(cell: Any) -> str:
    """A cell as a person sees it, on one line."""
    value = cell.value
    if value is None or isinstance(value, str):
        return one_line(ESCAPED.sub(_escaped, value) if value and "_x" in value else value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float | int):
        return shown_number(value, str(cell.number_format or "")) or _number(value)
    if isinstance(value, datetime | time) and is_clock(form := str(cell.number_format or "")):
        clock = value if isinstance(value, time) else value.time()
        return clock.isoformat("seconds" if "s" in form.lower() else "minutes")
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, date | time):
        return str(value)
    return one_line(str(value))


def _escaped(found: re.Match[str]) -> str:
    """The character that stands behind its number, as Office writes those that XML has not; a space for these."""
    code = int(found[1], 16)
    return found[0] if 0xD800 <= code < 0xE000 else chr(code) if code >= 32 and code < 0xFFFE else " "


def _number(value: float) -> str:
    """As it is stored."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _moment(value: datetime) -> str:
    """A day where it begins with that, else the time too, as exactly as it is said."""
    if value.time() == MIDNIGHT:
        return value.date().isoformat()
    return value.isoformat(" ", "seconds" if value.second else "minutes")
