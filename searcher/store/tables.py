"""What the tables of a database are and hold, in sqlite-utils' words; for people who look after one, not for searches.

sqlite-utils takes 0.1 s to import, so only these functions do.
"""

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from searcher.store.schema import SCHEMA

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Held", "contents", "unlike_columns"]


class Held(NamedTuple):
    """A table, its rows and its columns."""

    table: str
    rows: int
    columns: list[str]


def contents(connection: sqlite3.Connection) -> list[Held]:
    """Every table of the schema but those in which SQLite keeps a full-text index."""
    database = _opened(connection)
    virtual = [table.name for table in database.tables if table.virtual_table_using]
    inner = ("sqlite_", *(f"{name}_" for name in virtual))
    tables = [table for table in database.tables if not table.name.startswith(inner)]
    return [Held(table.name, table.count, [column.name for column in table.columns]) for table in tables]


def unlike_columns(connection: sqlite3.Connection, table: str) -> str:
    """In which columns a table differs from what searcher makes, in a phrase; empty where it is something else."""
    made = sqlite3.connect(":memory:")
    try:
        for statement in SCHEMA:
            made.execute(statement)
        expected, found = (_opened(each)[table].columns_dict for each in (made, connection))
    finally:
        made.close()
    problems = [
        *(f"column {name!r} is missing" for name in expected.keys() - found.keys()),
        *(f"column {name!r} is not of searcher's making" for name in found.keys() - expected.keys()),
        *(
            f"column {name!r} is of another type"
            for name in expected.keys() & found.keys()
            if expected[name] != found[name]
        ),
    ]
    return ", ".join(sorted(problems))


def _opened(connection: sqlite3.Connection) -> "Database":
    from sqlite_utils import Database

    return Database(connection, execute_plugins=False, recursive_triggers=False)
