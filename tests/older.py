"""A database of the present format without what the format before did not have."""

import re
import sqlite3

from searcher.store.schema import BESIDE, PLACES, SEEN, TITLES

__all__ = ["as_format_5"]


def as_format_5(connection: sqlite3.Connection) -> None:
    """Take away the tables and indexes that came with format 6; what is in the others is the caller's."""
    for statement in [*PLACES, *BESIDE, *SEEN, *TITLES]:
        if made := re.match(r"CREATE (TABLE|INDEX) (\w+)", statement):
            connection.execute(f"DROP {made[1]} IF EXISTS {made[2]}")
    connection.execute("PRAGMA user_version = 5")
