"""Table files, read row by row: JSON Lines, CSV and TSV in any usual dialect, and JSON that is a list of objects."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from searcher.errors import BadValue, UnreadableFile
from searcher.readers import raw as limits
from searcher.readers.decoding import decoded, encoding_of, lines
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.readers.rows import NAMED, Row, documents
from searcher.readers.values import storable, typed
from searcher.records import Document

if TYPE_CHECKING:
    from _csv import Reader as Rows  # a name for type checkers only

__all__ = ["read_csv", "read_json", "read_jsonl", "read_tsv"]

SNIFFED_LINES = 200
HEAD_CHARACTERS = 2**20
CSV_FAULTS = {"unexpected end of data": "a quote that is never closed"}


@dataclass(frozen=True)
class Dialect:
    """What separates cells, and whether quotes around a cell mean anything."""

    delimiter: str
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL  # or QUOTE_NONE

    def reader(self, lines: Iterable[str]) -> "Rows":
        """The rows; strict, so that a quote that is never closed is an error and not one endless cell."""
        # A setting of the whole process, so it is only ever raised; a line has passed our own limit before.
        csv.field_size_limit(max(csv.field_size_limit(), limits.MAX_TEXT_BYTES))
        return csv.reader(lines, delimiter=self.delimiter, quoting=self.quoting, strict=True)


TSV = (Dialect("\t"), Dialect("\t", csv.QUOTE_NONE))
CSV = (Dialect(","), Dialect(";"), *TSV, Dialect("|"))


def read_jsonl(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """An object on each line, its values of the types that JSON gave them."""
    rows = ((number, _object(line)) for number, line in enumerate(_lines(raw, "\n"), 1) if line.strip())
    return documents(rows, raw.source, options, storable)


def read_json(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """A list of objects as rows; anything else as plain text."""
    text = decoded(raw)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return iter([Document(raw.source, text)])
    return documents(enumerate(value, 1), raw.source, options, storable, unit="item")


def read_csv(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """Rows under a header; the dialect is told from the first rows, the types from each cell."""
    return documents(_cells(raw, CSV, options), raw.source, options, typed)


def read_tsv(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same with tabs only."""
    return documents(_cells(raw, TSV, options), raw.source, options, typed)


def _lines(raw: Raw, newline: str) -> Iterator[str]:
    """The decoded lines, endings kept; `newline` as in `open`."""
    return lines(raw, encoding_of(raw), newline, tell=True)


def _object(line: str) -> Any:
    """What a line of JSON holds, or the error that says why it is no object."""
    try:
        value = json.loads(line, parse_constant=_refuse)
    except BadValue as problem:
        return problem
    except json.JSONDecodeError as error:
        return BadValue(f"not JSON: {error.msg} at character {error.pos + 1}")
    except RecursionError:
        return BadValue("nested too deeply")
    except ValueError as error:  # an integer of thousands of digits
        return BadValue(f"not JSON: {error}")
    return value if isinstance(value, dict) else BadValue("not a JSON object")


def _refuse(constant: str) -> NoReturn:
    raise BadValue(f"{constant} is not JSON")


def _cells(raw: Raw, dialects: tuple[Dialect, ...], options: ReadOptions) -> Iterator[Row]:
    """The rows of a CSV under the names of its header; a missing cell is None.

    Of the first row all of them, which tells what fields there are, then those that are looked for by their name: under
    a header of 100,000 columns a short row costs no more than it is long.
    """
    lines = _lines(raw, "")
    sample = _sample(lines)
    names: list[str] = []
    missing: list[str] = []
    named: list[str] = []
    for number, cells in _numbered(_dialect(sample, dialects).reader(chain(sample, lines))):
        if not names and isinstance(cells, BadValue):
            raise UnreadableFile(raw.source, f"line {number}, where the header should be: {cells}")
        if isinstance(cells, BadValue):
            yield number, cells
        elif not any(cells):
            continue
        elif not names:
            missing = names = _names(cells)
            given = {options.text_field, options.id_field}
            named = [name for name in names if name.lower() in NAMED or name in given]
        elif any(cells[len(names) :]):
            yield number, BadValue(f"{len(cells)} cells under a header of {len(names)}")
        else:
            fields: dict[str, Any] = dict(zip(names, cells, strict=False))
            for name in missing:
                fields.setdefault(name, None)
            yield number, fields
            missing = named


def _numbered(rows: "Rows") -> Iterator[tuple[int, list[str] | BadValue]]:
    """Each row and the line on which it starts, or what is wrong with it."""
    while True:
        number = rows.line_num + 1
        try:
            yield number, next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, BadValue(CSV_FAULTS.get(str(error), str(error)))


def _names(header: list[str]) -> list[str]:
    """Column names, each different: "column 3" for an empty one, "a 2" for the second a."""
    last: dict[str, int] = {}  # each name there is, and the number that its last repetition has
    for position, cell in enumerate(header, 1):
        name = own = cell.strip() or f"column {position}"
        while name in last:
            last[own] += 1
            name = f"{own} {last[own]}"
        last[name] = 1
    return list(last)


def _sample(lines: Iterator[str]) -> list[str]:
    """The first lines, so many as it takes to tell the dialect."""
    sample: list[str] = []
    characters = 0
    for line in islice(lines, SNIFFED_LINES):
        sample.append(line)
        characters += len(line)
        if characters > HEAD_CHARACTERS:
            break
    return sample


def _dialect(sample: list[str], dialects: tuple[Dialect, ...]) -> Dialect:
    """The dialect in which the most rows are as wide as the header; of equal ones the widest, then the first."""

    def fit(dialect: Dialect) -> tuple[bool, float, int]:
        rows = [cells for _, cells in _numbered(dialect.reader(sample)) if cells]
        if len(rows) > 1 and isinstance(rows[-1], BadValue):
            rows.pop()  # the sample may end within a quoted cell
        widths = [0 if isinstance(cells, BadValue) else len(cells) for cells in rows]
        width = widths[0] if widths else 0
        share = widths.count(width) / len(widths) if width else 0
        # A separator that the header has but few rows agree with is punctuation.
        return width > 1 and share > 0.5, share, width

    return max(dialects, key=fit)
