"""The records of a CSV, one after the other, also where a quote is opened and never closed."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from searcher.readers import raw as limits
from searcher.readers.rows import Broken
from searcher.readers.sheets import Dialect, fits

__all__ = ["Quotes", "records"]

OPEN_CHARACTERS = 2**25  # of one record; beyond that it is looked at whether it is an open quote
OPEN_QUOTE = "a quote that is never closed"
CSV_FAULTS = {"unexpected end of data": OPEN_QUOTE}
CLEAR = 0.5  # of the lines that an open quote swallows are rows of the table


@dataclass
class Quotes:
    """What was done about open quotes: the lines whose quotes were read as text, and a cell that goes to the end; and
    the lines on which the header stands again.
    """

    literal: list[int] = field(default_factory=list)
    to_the_end: tuple[int, int] | None = None  # the line, and how many lines follow it
    headers: list[int] = field(default_factory=list)

    def told(self) -> list[str]:
        """What is to be said of them."""
        said = []
        if self.headers:
            others = f" and {len(self.headers) - 1:,} more" if len(self.headers) > 1 else ""
            said.append(f"line {self.headers[0]}{others}: the header once more, left out")
        if len(self.literal) == 1:
            said.append(f"line {self.literal[0]}: a quote that is never closed was read as text")
        elif self.literal:
            where = f"the first in line {self.literal[0]}"
            said.append(f"{len(self.literal):,} quotes that are never closed were read as text, {where}")
        if self.to_the_end:
            line, more = self.to_the_end
            said.append(f"line {line}: {OPEN_QUOTE}; the {more:,} lines after it were read as more of its cell")
        return said


class TooLong(Exception):
    """A record has so many lines that its quote may be open."""


class Lines:
    """Lines that can be pushed back; those of the record at hand are remembered."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.ahead: list[str] = []
        self.record: list[str] = []
        self.characters = 0
        self.number = 0
        self.most = OPEN_CHARACTERS

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.characters > self.most:
            raise TooLong
        line = self.ahead.pop() if self.ahead else next(self.lines)
        self.number += 1
        self.characters += len(line)
        self.record.append(line)
        return line

    def begin(self) -> None:
        """The next line begins a record."""
        self.record, self.characters = [], 0

    def push_back(self, lines: list[str]) -> None:
        """Have the last lines come again."""
        self.ahead += reversed(lines)
        self.number -= len(lines)


def records(
    lines: Iterator[str], dialect: Dialect, width: int, skip: int, quotes: Quotes
) -> Iterator[tuple[int, list[str] | Broken]]:
    """The cells of each record and the line on which it starts, or what is wrong with it.

    width: of the header. skip: how many lines come before the first record. quotes: takes what was done about open
    quotes. Where one swallows lines that are rows of the table, they are read as rows, and the quote as text.
    """
    source = Lines(iter(lines))
    for _ in islice(source, skip):
        source.begin()
    reader = dialect.reader(source)
    lengths: set[int] = set()  # of the records so far
    while True:
        source.begin()
        start = source.number + 1
        try:
            cells: list[str] | Broken = next(reader)
            if len(source.record) > 1 and _closed_by_chance(source.record, dialect, width):
                raise csv.Error(OPEN_QUOTE)
        except StopIteration:
            return
        except (csv.Error, TooLong) as error:
            first, *rest = source.record
            ended = str(error) == "unexpected end of data"
            if not rest and not ended:
                cells = Broken(str(error))
            elif _are_rows(rest, dialect, width, lengths):
                source.push_back(rest)
                cells = _with_open_quote(first, dialect, width)
                quotes.literal += [start] * (not isinstance(cells, Broken))
            elif isinstance(error, TooLong):
                source.push_back([first, *rest])
                source.most = limits.MAX_TEXT_BYTES
                reader = dialect.reader(source)
                continue
            elif ended:
                cells = next(dialect.reader([first, *rest], strict=False))
                quotes.to_the_end = start, len(rest)
            else:
                problem = CSV_FAULTS.get(str(error), error)
                cells = Broken(f"{problem}; the {len(rest):,} lines after it are lost with it")
            reader = dialect.reader(source)
        source.most = OPEN_CHARACTERS
        if not isinstance(cells, Broken) and any(cells):
            lengths.add(len(cells))
        yield start, cells


def _are_rows(lines: list[str], dialect: Dialect, width: int, lengths: set[int]) -> bool:
    """Whether lines that an open quote swallowed read as rows of the table, as long as those before; none do."""
    rows = [_cells(line, dialect) for line in lines if line.strip()]
    return sum(fits(cells, width) and len(cells) in lengths for cells in rows) >= CLEAR * len(rows)


def _cells(line: str, dialect: Dialect) -> list[str]:
    return next(dialect.reader([line], strict=False), [])


def _closed_by_chance(lines: list[str], dialect: Dialect, width: int) -> bool:
    """Whether each line of a quoted cell is a row like the first: what closed its quote belongs elsewhere."""
    if width < 2:
        return False
    plain = Dialect(dialect.delimiter, csv.QUOTE_NONE)
    rows = [_cells(line, plain) for line in lines]
    return all(len(cells) == width and cells[0].strip().isdigit() for cells in rows)


def _with_open_quote(line: str, dialect: Dialect, width: int) -> list[str] | Broken:
    """The cells of a line whose last cell that begins with a quote does not end with one."""
    opened = max(line.rfind(f'{dialect.delimiter}"') + 1, 0)
    before = _cells(line[:opened], dialect)[:-1] if opened else []
    after = _cells(line[opened:], Dialect(dialect.delimiter, csv.QUOTE_NONE))
    cells = [*before, *after]
    return cells if any(cells) and all(not cell.strip() for cell in cells[width:]) else Broken(OPEN_QUOTE)
