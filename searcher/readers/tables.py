"""Table files, read row by row: JSON Lines, CSV and TSV in any usual dialect, and JSON that holds a list of objects."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Any, NoReturn

from searcher.errors import BadValue
from searcher.readers.columns import Columns, columns_of
from searcher.readers.decoding import Encoding, encoding_of, lines
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.readers.records import Quotes, records
from searcher.readers.rows import NAMED, Broken, Row, documents, id_of
from searcher.readers.sheets import CSV, TSV, Dialect, Layout, layout_of

__all__ = ["jsonl_rows", "read_csv", "read_jsonl", "read_tsv"]

SNIFFED_LINES = 200
SNIFFED_CHARACTERS = 2**20
SHOWN = 40  # characters of a line that was left out
RULE = re.compile(" *-{2,} *")  # that SQL Server draws under each name
NOT_IN_A_NAME = re.compile("[\\s\ufeff\u200b]+")


def read_jsonl(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """An object on each line, its values of the types that JSON gave them."""
    return documents(jsonl_rows(raw, encoding_of(raw), options), raw, options, Columns(options.column_types))


def read_csv(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """Rows under a header; the dialect is told from the first rows, the type of a column from all of its cells."""
    return _read_sheet(raw, CSV, options)


def read_tsv(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same with tabs only."""
    return _read_sheet(raw, TSV, options)


def jsonl_rows(raw: Raw, encoding: Encoding, options: ReadOptions) -> Iterator[Row]:
    """The objects of JSON Lines, by the numbers of their lines."""
    for number, line in enumerate(lines(raw, encoding, "", tell=True), 1):
        if line.strip():
            yield number, _object(line.removeprefix("\ufeff"), options)


def _object(line: str, options: ReadOptions) -> Any:
    """What a line of JSON holds, or what is wrong with it."""
    try:
        value = json.loads(line, parse_constant=_refuse)
    except BadValue as problem:
        return Broken(str(problem), _id_in(line, options))
    except json.JSONDecodeError as error:
        return Broken(f"not JSON: {error.msg} at character {error.pos + 1}", _id_in(line, options))
    except RecursionError:
        return Broken("nested too deeply")
    except ValueError as error:  # an integer of thousands of digits
        return Broken(f"not JSON: {error}", _id_in(line, options))
    return value if isinstance(value, dict) else Broken("not a JSON object")


def _refuse(constant: str) -> NoReturn:
    raise BadValue(f"{constant} is not JSON")


def _id_in(line: str, options: ReadOptions) -> str | None:
    """The id that stands in a broken line of JSON, if it can be made out."""
    name = "_?id" if options.id_field is None else re.escape(json.dumps(options.id_field)[1:-1])
    found = re.search(rf'"{name}"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)(?=\s*[,}}]|\s*$)', line)
    try:
        return str(json.loads(found[1])) if found else None
    except ValueError:
        return None


def _read_sheet(raw: Raw, dialects: tuple[Dialect, ...], options: ReadOptions) -> Iterator[Item]:
    encoding = encoding_of(raw)
    with closing(lines(raw, encoding, "")) as found:
        sample = list(islice(found, SNIFFED_LINES + 1))
    whole = len(sample) <= SNIFFED_LINES
    given = [name for name in (*options.text_fields, options.id_field) if name is not None]
    layout = layout_of(_clipped(sample[:SNIFFED_LINES]), dialects, whole, given)
    if layout is None:
        return
    names = _names([""] * len(layout.header) if layout.headless else layout.header)
    columns = columns_of(
        ((line, row) for line, row in _rows(raw, encoding, layout, names, options, Quotes()) if isinstance(row, dict)),
        options.column_types,
        [name for name in names if name.lower() in NAMED or name in given],
        commas=layout.dialect.delimiter != ",",
    )
    _tell_above(raw, layout)
    quotes = Quotes()
    empty = True
    for item in documents(_rows(raw, encoding, layout, names, options, quotes, tell=True), raw, options, columns):
        empty = False
        yield item
    if empty:
        raw.note(f"no rows under the header, which is line {layout.line}")
    for said in quotes.told():
        raw.note(said)


def _clipped(sample: list[str]) -> list[str]:
    """So many of the lines as it takes to tell the layout."""
    characters = 0
    for number, line in enumerate(sample, 1):
        characters += len(line)
        if characters > SNIFFED_CHARACTERS:
            return sample[:number]
    return sample


def _tell_above(raw: Raw, layout: Layout) -> None:
    if layout.headless:
        raw.note(f"no header: line {layout.line} is a row as those below it are, and the columns have no names")
    if layout.above:
        (first, text), (last, _) = layout.above[0], layout.above[-1]
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        raw.note(f"{where} above the header left out: {shown!r}")


def _rows(
    raw: Raw,
    encoding: Encoding,
    layout: Layout,
    names: list[str],
    options: ReadOptions,
    quotes: Quotes,
    tell: bool = False,
) -> Iterator[Row]:
    """The rows of a sheet under the names of its header.

    Of the first row all of them, which tells what fields there are, then those that are looked for by their name: under
    a header of 100,000 columns a short row costs no more than it is long.
    """
    missing = names
    given = {*options.text_fields, options.id_field}
    named = [name for name in names if name.lower() in NAMED or name in given]
    width = len(names)
    found = records(lines(raw, encoding, "", tell), layout.dialect, width, layout.line - 1, quotes)
    for number, cells in islice(found, 0 if layout.headless else 1, None):
        if isinstance(cells, Broken):
            yield number, cells
        elif not any(cells):
            continue
        elif cells == layout.header and not layout.headless:  # of a file that others were joined to
            quotes.headers.append(number)
        elif number == layout.line + 1 and all(map(RULE.fullmatch, cells)):
            continue
        else:
            cells = [cell.rstrip(" ") for cell in cells] if layout.dialect.spaced else cells
            fields: dict[str, Any] = dict(zip(names, cells, strict=False))
            if any(cells[width:]):
                yield number, Broken(f"{len(cells)} cells under a header of {width}", id_of(fields, options))
                continue
            for name in missing:
                fields.setdefault(name, None)
            yield number, fields
            missing = named


def _names(header: list[str]) -> list[str]:
    """Column names, each different: "column 3" for an empty one, "a 2" for the second a."""
    last: dict[str, int] = {}  # each name there is, and the number that its last repetition has
    for position, cell in enumerate(header, 1):
        name = own = NOT_IN_A_NAME.sub(" ", cell).strip() or f"column {position}"
        while name in last:
            last[own] += 1
            name = f"{own} {last[own]}"
        last[name] = 1
    return list(last)
