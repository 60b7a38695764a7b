"""A database of the present format without what the formats before did not have."""

import re
import sqlite3

from searcher.store.schema import BESIDE, PLACES, SEEN, TITLES, TOKENIZER

__all__ = ["as_format_5", "as_format_6"]


def as_format_6(connection: sqlite3.Connection) -> None:
    """The keyword index as it was, of words as they stand in the texts."""
    for statement in (
        "DROP TABLE keywords",
        "DROP VIEW keyword_texts",
        "DROP TABLE keyword_spaced",
        "CREATE TABLE keyword_spaced (id INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE, text TEXT NOT NULL)",
        "CREATE VIEW keyword_texts AS SELECT p.id AS id, coalesce(s.text, p.text) AS text"
        " FROM passages p LEFT JOIN keyword_spaced s ON s.id = p.id",
        f"""CREATE VIRTUAL TABLE keywords USING fts5(text, content=keyword_texts, content_rowid=id,
        tokenize="{TOKENIZER}")""",
        "INSERT INTO keywords (keywords) VALUES ('rebuild')",
        "PRAGMA user_version = 6",
    ):
        connection.execute(statement)


def as_format_5(connection: sqlite3.Connection) -> None:
    """That, and without the tables and indexes that came with format 6; what is in the others is the caller's."""
    as_format_6(connection)
    for statement in [*PLACES, *BESIDE, *SEEN, *TITLES]:
        if made := re.match(r"CREATE (TABLE|INDEX) (\w+)", statement):
            connection.execute(f"DROP {made[1]} IF EXISTS {made[2]}")
    connection.execute("PRAGMA user_version = 5")
