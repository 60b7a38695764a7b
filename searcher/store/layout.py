"""Whether a database has the tables, indexes and triggers that searcher makes, and nothing else.

An index folder may come from a stranger: a trigger, a view in the place of a table or a generated column would run
with every statement of ours.
"""

import sqlite3
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from searcher.errors import DamagedIndex
from searcher.store.schema import SCHEMA
from searcher.store.tables import unlike_columns

__all__ = ["FOREIGN", "Difference", "check_layout", "differences"]

STATISTICS = "sqlite_stat"  # what ANALYZE makes


class Difference(NamedTuple):
    """An object that is not there, is another, or should not be."""

    kind: str
    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r} {self.problem}"


MISSING, OTHER, FOREIGN = "is missing", "is not as searcher makes it", "is not of searcher's making"


def check_layout(connection: sqlite3.Connection, path: Path) -> None:
    """DamagedIndex, naming the object, where the database is laid out otherwise."""
    if found := sorted(differences(connection), key=lambda own: own.kind != "table"):  # of which the others are
        first, detail = found[0], ""
        if (first.kind, first.problem) == ("table", OTHER):
            with suppress(sqlite3.Error, UnicodeDecodeError):  # what a stranger made of it may be unreadable
                detail = unlike_columns(connection, first.name)
        reason = f"{first}: {detail}" if detail else str(first)
        raise DamagedIndex(f"{path}: {reason}; searcher check --repair keeps only what is sound")


def differences(connection: sqlite3.Connection) -> list[Difference]:
    """Every object in which the database differs from one that searcher makes; reading them runs nothing of it."""
    expected, found = _expected(), _objects(connection)
    problems = {
        MISSING: expected.keys() - found.keys(),
        OTHER: {key for key in expected.keys() & found.keys() if expected[key] != found[key]},
        FOREIGN: found.keys() - expected.keys(),
    }
    return [Difference(kind, name, problem) for problem, keys in problems.items() for kind, name in sorted(keys)]


@cache
def _expected() -> dict[tuple[str, str], tuple[str, str | None]]:
    connection = sqlite3.connect(":memory:")
    try:
        for statement in SCHEMA:
            connection.execute(statement)
        return _objects(connection)
    finally:
        connection.close()


def _objects(connection: sqlite3.Connection) -> dict[tuple[str, str], tuple[str, str | None]]:
    """(type, name) → (its table, its SQL)."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
    return {(kind, name): (table, sql) for kind, name, table, sql in rows if not str(name).startswith(STATISTICS)}
