"""Rows and columns of spreadsheets: what of a sheet is hidden, how much that is, and what columns are called."""

from collections.abc import Iterable, Sequence

__all__ = ["Shown", "column_name", "trimmed"]


class Shown:
    """Which cells of a sheet are shown, and a count of the rows and columns that hold something and are not.

    hidden: columns, from 1.
    """

    def __init__(self, hidden: Iterable[int] = ()) -> None:
        self.hidden = set(hidden)
        self._rows = 0
        self._columns: set[int] = set()

    def leave_out(self, cells: Sequence[str], times: int = 1) -> None:
        """Count a hidden row."""
        self._rows += times if any(cells) else 0

    def cells(self, cells: Sequence[str]) -> list[str]:
        """Those of a row that are shown, up to the last that holds something."""
        if self.hidden:
            self._columns.update(column for column, cell in enumerate(cells, 1) if cell and column in self.hidden)
            cells = [cell for column, cell in enumerate(cells, 1) if column not in self.hidden]
        return trimmed(cells)

    def told(self, sheet: str) -> list[str]:
        """What is left out of the sheet in words, as "2 rows and 1 column of Costs"; nothing where nothing is."""
        counts = ((self._rows, "row"), (len(self._columns), "column"))
        words = " and ".join(f"{count:,} {kind}{'s' * (count != 1)}" for count, kind in counts if count)
        return [f"{words} of {sheet}"] if words else []


def trimmed(cells: Sequence[str]) -> list[str]:
    """A row up to its last cell that holds something."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return list(cells[:end])


def column_name(column: int) -> str:
    """What a column is called that counts from 1.

    >>> column_name(1), column_name(27), column_name(703)
    ('A', 'AA', 'AAA')
    """
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
