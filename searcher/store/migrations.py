"""How an index of an older format becomes one of this format: one transaction, at its first opening."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from searcher.errors import SettingsMismatch
from searcher.store.database import Database
from searcher.store.keyword_index import rebuild
from searcher.store.lookup import value_rows
from searcher.store.rows import settings_values, stored_settings
from searcher.store.schema import BESIDE, FAQ, FORMAT, HELD, HISTORY, INDEXING, KEYWORDS, LOOKUP, PLACES, SEEN, TITLES

__all__ = ["migrate"]


def migrate(database: Database) -> None:
    """Bring an index up to this format. SettingsMismatch if it has a newer one; IndexUnavailable if it is read-only.

    Not sqlite-utils' `Migrations`: that keeps its own table of what was done, to which a file that was made with the
    present schema looks like one that was never migrated; the format in the file's header is one number that commits
    with the change itself.
    """
    if _format(database) == FORMAT:
        return
    with database.writing() as connection:
        found = _format(database)  # another process may have been quicker
        if not 1 <= found <= FORMAT:
            raise SettingsMismatch("format", found, FORMAT, "use the version of searcher that made it")
        for number in range(found + 1, FORMAT + 1):
            STEPS[number](connection)
        connection.execute(f"PRAGMA user_version = {FORMAT}")


def _format(database: Database) -> int:
    with database.reading() as connection:
        (number,) = connection.execute("PRAGMA user_version").fetchone()
        return int(number)


def _history(connection: Any) -> None:
    """Format 2: the states the store was in, and what was removed; the format is no setting any more."""
    for statement in HISTORY:
        connection.execute(statement)
    connection.execute("INSERT INTO heads SELECT generation, nonce FROM head")
    connection.execute("DROP TABLE head")
    rows = dict(connection.execute("SELECT key, value FROM settings").fetchall())
    if rows:
        values = settings_values(rows)
        values.pop("format", None)
        connection.execute("DELETE FROM settings")
        connection.executemany("INSERT INTO settings VALUES (?, ?)", stored_settings(values))


def _answers(connection: Any) -> None:
    """Format 3: the keyword index, made of the stored passages; the kind of FAISS index; what is kept about a FAQ."""
    for statement in [*KEYWORDS, *INDEXING, *FAQ]:
        connection.execute(statement)
    rebuild(connection)


def _held(connection: Any) -> None:
    """Format 4: how many passages there are."""
    for statement in HELD_4:
        connection.execute(statement)


def _lookup(connection: Any) -> None:
    """Format 5: what filters ask, made of the stored metadata, and how much of it there is."""
    for statement in ["DROP TRIGGER came", "DROP TRIGGER went", "DROP TABLE held", *LOOKUP]:
        connection.execute(statement)
    connection.execute("INSERT INTO spans SELECT document, min(id), count(*) FROM passages GROUP BY document")
    for document, metadata in connection.execute("SELECT id, metadata FROM documents").fetchall():
        with suppress(TypeError, ValueError, AttributeError):  # damaged, which `check` says
            connection.executemany(VALUES, value_rows(document, metadata))
    for statement in HELD:
        connection.execute(statement)


def _lists_and_more(connection: Any) -> None:
    """Format 6: what filters ask of lists and of titles; places of passages and what is kept beside documents, which
    none has yet; what the last `add` saw. (Words without what is invisible in them, and composed: format 7 has more.)
    """
    for statement in [*PLACES, *BESIDE, *SEEN]:
        connection.execute(statement)
    listed = "SELECT document FROM metadata_values WHERE kind = 'other'"
    query = f"SELECT id, metadata FROM documents WHERE id IN ({listed})"
    for document, metadata in connection.execute(query).fetchall():
        with suppress(TypeError, ValueError, AttributeError):  # damaged, which `check` says
            connection.executemany(VALUES, value_rows(document, metadata))
    connection.execute("DELETE FROM metadata_values WHERE kind = 'other'")
    for statement in TITLES:
        connection.execute(statement)


def _signs(connection: Any) -> None:
    """Format 7: names and numbers by their signs, and pictures, as words; the keyword index is made anew."""
    for statement in ["DROP VIEW keyword_texts", "DROP TABLE keyword_spaced", *KEYWORDS[:2]]:
        connection.execute(statement)
    rebuild(connection)


VALUES = "INSERT OR IGNORE INTO metadata_values VALUES (?, ?, ?, ?)"
HELD_4 = [
    "CREATE TABLE held (id INTEGER PRIMARY KEY CHECK (id = 1), passages INTEGER NOT NULL)",
    "INSERT INTO held SELECT 1, count(*) FROM vectors",
    "CREATE TRIGGER came AFTER INSERT ON vectors BEGIN UPDATE held SET passages = passages + 1; END",
    "CREATE TRIGGER went AFTER DELETE ON vectors BEGIN UPDATE held SET passages = passages - 1; END",
]
STEPS: dict[int, Callable[[Any], None]] = {
    2: _history, 3: _answers, 4: _held, 5: _lookup, 6: _lists_and_more, 7: _signs,
}  # fmt: skip
