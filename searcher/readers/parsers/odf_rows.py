"""Rows, columns and cells of OpenDocument's tables, which stand for several where it says that they are repeated."""

from collections.abc import Iterator

from searcher.readers.numerals import whole
from searcher.readers.parsers.drafting import one_line
from searcher.readers.parsers.grids import column_name, trimmed
from searcher.readers.parsers.odf_styles import is_shown
from searcher.readers.parsers.odf_text import GONE, SHAPES, Text
from searcher.readers.parsers.zipped import Element, attribute

__all__ = ["MOST_REPEATED", "cells", "hidden_columns", "rows"]

MOST_REPEATED, MOST_COLUMNS = 1000, 2**14
VALUES = ("string-value", "date-value", "time-value", "boolean-value", "value")


def rows(table: Element, kind: str = "row") -> Iterator[tuple[Element, int]]:
    """Rows, those in groups too, and how often each is repeated. kind: "column" for columns."""
    for element in table:
        if element.tag == f"table-{kind}":
            yield element, _times(element, f"number-{kind}s-repeated")
        elif element.tag in (f"table-header-{kind}s", f"table-{kind}-group", f"table-{kind}s"):
            yield from rows(element, kind)


def cells(row: Element, text: Text, below: list[Element], number: int = 0) -> list[str]:
    """The texts of a row up to its last cell that holds something; what is set below them goes to `below`.

    number: the row's, where its comments name their cells: in an attribute "cell" of theirs.
    """
    found: list[str] = []
    for cell in row.iterchildren("table-cell", "covered-table-cell"):
        times = min(_times(cell, "number-columns-repeated"), MOST_REPEATED)
        if cell.tag == "covered-table-cell":  # by one that is merged with it, whatever it held before
            found += [""] * times
            continue
        for comment in cell.findall("annotation"):
            comment.set("cell", f"{column_name(len(found) + 1)}{number}" if number else "")
            below.append(comment)
        below += cell.iterchildren(*SHAPES)  # which lie over the sheet
        parts = (part for part in cell if part.tag not in GONE and part.tag != "annotation" and part.tag not in SHAPES)
        said = one_line("\n".join(text.of(part, below) for part in parts))
        if cell.find("p") is None:  # which programs may leave out
            said = said or next((value for name in VALUES if (value := attribute(cell, name))), "")
        found += [said] * times
    return trimmed(found)


def hidden_columns(table: Element) -> Iterator[int]:
    """Those that are not shown, from 1."""
    count = 0
    for column, times in rows(table, "column"):
        yield from () if is_shown(column) else range(count + 1, min(count + times, MOST_COLUMNS) + 1)
        count += times


def _times(element: Element, name: str) -> int:
    return whole(attribute(element, name), 1, least=1)
