"""How a CSV or TSV file is written: what separates its cells, whether it quotes, and where its header stands."""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from searcher.readers import raw as limits
from searcher.readers.rows import NAMED

if TYPE_CHECKING:
    from _csv import Reader as Rows  # a name for type checkers only

__all__ = ["CSV", "TSV", "Dialect", "Layout", "fits", "layout_of"]

SEPARATOR = re.compile(
    r"""\ufeff?["']?sep=(?P<sign>\\t|\t|[^\s"'\w])["']?[ \t]*""", re.IGNORECASE
)  # Excel's first line
NUMBER = re.compile(r"[-+]?[.,\s%€$£]*\d[\d.,\s%€$£]*")  # begins with what is no digit: a cell is looked through once
WHOLE, FRACTION = re.compile(r"\d{1,9}"), re.compile(r"[-+]?\d{1,9}[.,]\d+")
YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
DATE = re.compile(r"\d{4}-\d\d?-\d\d?(?:[T ]\d\d:\d\d.*)?|\d\d?([./])\d\d?\1\d{2,4}(?: \d\d?:\d\d.*)?")
COMMENT = re.compile(r"\s*(?:#|//|--|%|;|\*|REM\b)")
MOST_LINES_ABOVE = 40  # a header
ESCAPED = re.compile(r'\\["\\]')
QUOTED = re.compile(r'"[^"]*"')
ODD = 0.1  # of a line: a quote that is open, or one that is text
LIKE_NUMBERS = 0.8  # of the cells of a column, where what stands above them does not


@dataclass(frozen=True)
class Dialect:
    """What separates cells, and whether quotes around a cell mean anything.

    spaced: a space after a separator is none of the cell. escaped: a quote within a cell is written behind a backslash.
    """

    delimiter: str
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL  # or QUOTE_NONE
    spaced: bool = False
    escaped: bool = False

    def reader(self, lines: Iterable[str], strict: bool = True) -> "Rows":
        """The rows; strict, so that a quote that is never closed is an error and not one endless cell."""
        # A setting of the whole process, so it is only ever raised; a line has passed our own limit before.
        csv.field_size_limit(max(csv.field_size_limit(), limits.MAX_TEXT_BYTES))
        lines = map(_doubled, lines) if self.escaped else lines
        return csv.reader(
            lines, delimiter=self.delimiter, quoting=self.quoting, strict=strict, skipinitialspace=self.spaced
        )


def _doubled(line: str) -> str:
    """The line with its quotes within cells as other files have them."""
    return ESCAPED.sub(lambda found: found[0] if found[0] == "\\\\" else '""', line)


TSV = (Dialect("\t"), Dialect("\t", csv.QUOTE_NONE))
CSV = (Dialect(","), Dialect(";"), *TSV, Dialect("|"))


class Layout(NamedTuple):
    """The dialect of a sheet, the cells of its header and the number of its line, counted from 1.

    above: lines above the header that are no part of the table, and not blank. headless: whether that line is
    a row like those below, and nothing names the columns.
    """

    dialect: Dialect
    header: list[str]
    line: int
    above: list[tuple[int, str]]
    headless: bool = False


class Parsed(NamedTuple):
    """A row of the sample: the line where it starts, how many lines it takes, its cells, or None if it is broken."""

    line: int
    lines: int
    cells: list[str] | None


def layout_of(sample: Sequence[str], dialects: Sequence[Dialect], whole: bool, given: Iterable[str]) -> Layout | None:
    """How the sheet is laid out that begins with these lines; None if there is nothing in them.

    whole: whether these are all of its lines. given: names that the caller says are in the header.
    """
    first = 0
    if sample and (separator := SEPARATOR.fullmatch(sample[0].rstrip("\r\n"))):
        sign = "\t" if separator["sign"] == "\\t" else separator["sign"]
        dialects, first = (Dialect(sign), Dialect(sign, csv.QUOTE_NONE)), 1
    names = {*NAMED, *(name.lower() for name in given)}
    dialects = [replace(dialect, spaced=_is_spaced(sample[first:], dialect)) for dialect in dialects]
    if any('\\"' in line for line in sample):
        dialects += [replace(each, escaped=True) for each in dialects if each.quoting == csv.QUOTE_MINIMAL]
    candidates = [_candidate(sample, first, dialect, whole, names) for dialect in dialects]
    _, layout = max(((fit, layout) for fit, layout in candidates if layout), key=lambda c: c[0], default=(None, None))
    return layout


def _is_spaced(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether a space follows each separator of the first line, or parts one from a cell in quotes."""
    if dialect.quoting != csv.QUOTE_MINIMAL or dialect.delimiter == "\t":
        return False
    header = next((line for line in lines if line.strip()), "")
    sign = re.escape(dialect.delimiter)
    quoted = re.compile(rf'{sign} +"[^"\r\n]*"[ ]*(?={sign}|\r?\n?\Z)')
    separators = header.count(dialect.delimiter)
    every = 0 < separators == len(re.findall(rf"{sign}[ ](?=\S)", header))
    return every or any(map(quoted.search, lines))


def _candidate(
    sample: Sequence[str], first: int, dialect: Dialect, whole: bool, names: set[str]
) -> tuple[tuple[bool, float, int], Layout | None]:
    """How well the sample fits a dialect, and its layout if it is in that one.

    A separator that the header has but few rows agree with is punctuation, unless it parts names that have a meaning;
    of equally fitting ones the widest is taken, then the first.
    """
    rows = [row for row in _parsed(sample, first, dialect) if row.cells is None or any(map(str.strip, row.cells))]
    at = _header(rows, names)
    if at is None:
        return (False, 0.0, 0), None
    header = rows[at].cells or []
    width = _width(header)
    fit, total = 1.0, 1.0
    for row in rows[at + 1 :]:
        if row.cells is not None:
            kept = dialect.quoting == csv.QUOTE_NONE and any(map(QUOTED.fullmatch, row.cells))
            fit += fits(row.cells, width) * (row.lines - ODD * kept)
            total += row.lines
        else:
            lines = sample[row.line - 1 : row.line - 1 + row.lines]
            good, *others = [fits(next(dialect.reader([line], strict=False), []), width) for line in lines]
            cut = row is rows[-1] and not whole  # the sample may end within a long cell
            fit += (1 - ODD) * good + sum(others)
            total += 1 + (sum(others) if cut else len(others))
    share = fit / total
    above = [(row.line, dialect.delimiter.join(row.cells or []).strip(dialect.delimiter)) for row in rows[:at]]
    sure = share > 0.5 or sum(cell.strip().lower() in names for cell in header) > 1
    passed_over = sum(row.lines for row in rows[:at])  # which speaks for a dialect that has a header before
    layout = Layout(dialect, header, rows[at].line, above, _is_row(header, rows[at + 1 :], names))
    return (width > 1 and sure, fit / (total + passed_over), width), layout


def _parsed(sample: Sequence[str], first: int, dialect: Dialect) -> list[Parsed]:
    reader = dialect.reader(sample[first:])
    rows: list[Parsed] = []
    while True:
        line = first + reader.line_num + 1
        try:
            cells: list[str] | None = next(reader)
        except StopIteration:
            return rows
        except csv.Error:
            cells = None
        rows.append(Parsed(line, first + reader.line_num + 1 - line, cells))


def _width(cells: Sequence[str]) -> int:
    """How many cells there are up to the last that holds something."""
    return max((number for number, cell in enumerate(cells, 1) if cell.strip()), default=0)


def fits(cells: Sequence[str], width: int) -> bool:
    """Whether a row may stand under a header so wide: shorter, or with empty cells at its end."""
    return (len(cells) > 1 or width == 1) and 0 < _width(cells) <= width


def _header(rows: Sequence[Parsed], names: set[str]) -> int | None:
    """Which row is the header: the first, unless it is narrower than the table, and a later one is plainly that."""
    good = [number for number, row in enumerate(rows) if row.cells is not None]
    if not good:
        return None
    first = good[0]
    cells = rows[first].cells or []
    if any(cell.strip().lower() in names for cell in cells):
        return first
    widths = sorted(_width(rows[number].cells or []) for number in good)
    usual = widths[len(widths) // 2]
    if _filled(cells) > 1 and _width(cells) >= usual:
        return first
    for number in good[1:MOST_LINES_ABOVE]:
        if _is_header(rows, number, usual, names):
            return number
    return first


def _is_header(rows: Sequence[Parsed], at: int, usual: int, names: set[str]) -> bool:
    """Whether a row below the first is the header: names over cells, and something that sets it off from the title."""
    cells = rows[at].cells or []
    width = _width(cells)
    named = [cell.strip() for cell in cells[:width]]
    if width < max(2, usual) or "" in named or len(set(named)) < width or any(map(NUMBER.fullmatch, named)):
        return False
    before = rows[at - 1]
    return (
        any(name.lower() in names for name in named)
        or (before.line + before.lines < rows[at].line and _goes_on(rows, at))  # a blank line
        or all(COMMENT.match((row.cells or [""])[0]) for row in rows[:at])
        or all(len(row.cells or []) == len(cells) and _filled(row.cells or []) == 1 for row in rows[:at])
        or _has_numbers_below(rows[at + 1 :], width)
    )


def _is_row(cells: Sequence[str], rows: Sequence[Parsed], names: set[str]) -> bool:
    """Whether the first row is one like those below: a number that the next row goes on counting, the only number with
    a fraction over such numbers, or a date over dates. Names of columns may be years, quantiles and the like.
    """
    below = [row.cells for row in rows if row.cells is not None and len(row.cells) >= len(cells)]
    if not below or any(cell.strip().lower() in names for cell in cells) or _are_numbered(cells):
        return False
    numbers = 0
    row_like = False
    for cell, *under in zip(cells, *below, strict=False):
        own = cell.strip()
        numbers += bool(NUMBER.fullmatch(own))
        if WHOLE.fullmatch(own):
            counted = under[0].strip() == str(int(own) + 1) and not YEAR.fullmatch(own)
            row_like |= counted and all(WHOLE.fullmatch(each.strip()) for each in under)
        elif DATE.fullmatch(own):
            row_like |= all(DATE.fullmatch(each.strip()) for each in under)
    fractions = [
        column
        for column, cell in enumerate(cells)
        if FRACTION.fullmatch(cell.strip()) and all(FRACTION.fullmatch(each[column].strip()) for each in below)
    ]
    return row_like or (len(fractions) == numbers == 1)


def _are_numbered(cells: Sequence[str]) -> bool:
    """Whether columns are called 0, 1, 2 or 1, 2, 3, as programs name those that have no names."""
    return len(cells) > 1 and [cell.strip() for cell in cells] in (
        [str(number) for number in range(first, first + len(cells))] for first in (0, 1)
    )


def _goes_on(rows: Sequence[Parsed], at: int) -> bool:
    """Whether the next row follows at once."""
    return at + 1 < len(rows) and rows[at].line + rows[at].lines == rows[at + 1].line


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _has_numbers_below(rows: Sequence[Parsed], width: int) -> bool:
    """Whether some column is mostly numbers."""
    full = [row.cells for row in rows if row.cells is not None and len(row.cells) >= width]
    return bool(full) and any(
        sum(bool(NUMBER.fullmatch(cells[column].strip())) for cells in full) >= LIKE_NUMBERS * len(full)
        for column in range(width)
    )
