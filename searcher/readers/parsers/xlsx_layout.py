"""What the bytes of a sheet of Excel say of how it is shown, which openpyxl does not while it reads rows one by one."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from openpyxl.utils.cell import column_index_from_string

from searcher.readers.parsers.zipped import Archive

__all__ = ["LAST_ROW", "Layout", "cell_place", "layout_of"]

LAST_ROW, LAST_COLUMN = 2**20, 2**14
OVERLAP = 300  # bytes, in which what is looked for stands whole
MOST_FOUND = 100_000  # of a kind
CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,9})")
# Elements by their attributes, in any order; Q stands for either quotation mark, P for the prefix of a namespace.
PATTERNS = {
    "merged": rb"<PmergeCell\s[^<>]*?\bref=Q([A-Z]+\d+):([A-Z]+\d+)Q",
    "without": rb"(?:</Pf>|<Pf\b[^<>]*/>)\s*(?:<Pv\s*/>|<Pv></Pv>)?\s*</Pc>",
    "rows": rb"<Prow\s(?=[^<>]*?\bhidden=Q(?:1|true)Q)[^<>]*?\br=Q(\d{1,7})Q",
    "columns": rb"<Pcol\s(?=[^<>]*?\bhidden=Q(?:1|true)Q)(?=[^<>]*?\bmin=Q(\d{1,5})Q)[^<>]*?\bmax=Q(\d{1,5})Q",
    "rich": rb"<Pc\s(?=[^<>]*?\bvm=Q(\d{1,9})Q)[^<>]*?\br=Q([A-Z]+\d+)Q",
}
SPELT = {b"Q": b"[\"']", b"P": rb"(?:\w+:)?"}
COMPILED = {
    name: re.compile(re.sub(rb"[QP]", lambda sign: SPELT[sign[0]], pattern)) for name, pattern in PATTERNS.items()
}


class Layout(NamedTuple):
    """How a sheet is shown; rows and columns count from 1.

    merged: ranges as first row and column, last row and column. without: how many formulas have no value. rows,
    columns: the hidden ones. pictures: members of those that cells hold as their values, by row and column.
    """

    merged: list[tuple[int, int, int, int]]
    without: int
    rows: set[int]
    columns: set[int]
    pictures: dict[tuple[int, int], str]


def layout_of(archive: Archive, name: str, rich: Mapping[int, str]) -> Layout:
    """That of the sheet in a member, which need not be there. rich: members of values that are pictures, by number."""
    found: dict[str, list[tuple[bytes, ...]]] = {kind: [] for kind in COMPILED}
    rest = b""
    for piece in archive.pieces(name) if archive.has(name) else ():
        data = rest + piece
        done = 0
        for kind, pattern in COMPILED.items():
            for each in pattern.finditer(data):
                found[kind].append(each.groups())
                done = max(done, each.end())
        rest = data[max(done, len(data) - OVERLAP) :]
    columns = ((int(first), min(int(last), LAST_COLUMN)) for first, last in found["columns"][:LAST_COLUMN])
    return Layout(
        [(*cell_place(first.decode()), *cell_place(last.decode())) for first, last in found["merged"][:MOST_FOUND]],
        len(found["without"]),
        {int(row) for (row,) in found["rows"]},
        {column for first, last in columns for column in range(first, last + 1)},
        {cell_place(cell.decode()): rich[int(value)] for value, cell in found["rich"] if int(value) in rich},
    )


def cell_place(cell: str) -> tuple[int, int]:
    """Row and column of a cell as "B12"; after all rows of what is none."""
    found = CELL.fullmatch(cell)
    return (min(int(found[2]), LAST_ROW + 1), column_index_from_string(found[1])) if found else (LAST_ROW + 1, 1)
