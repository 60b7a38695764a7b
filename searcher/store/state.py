"""One state of an index's database: what it was made with, how much it holds, what came and went."""

import json
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from searcher.embedding import IndexSettings
from searcher.errors import DamagedIndex
from searcher.records import Head
from searcher.store.database import Database
from searcher.store.given import NOWHERE
from searcher.store.layout import check_layout
from searcher.store.migrations import migrate
from searcher.store.rows import as_settings, settings_rows
from searcher.store.schema import SCHEMA
from searcher.store.tables import Held, contents
from searcher.vectors import Indexing

__all__ = ["DATABASE", "FORGET", "State", "enter_settings", "ids_of"]

DATABASE = "searcher.db"
FORGET = 1000  # states and removed passages that are kept although nobody should need them: less than a page each


class State:
    """The database of one index folder, opened.

    Every method sees or makes one state of it; several reads inside `reading()` see the same one.
    Raises IndexUnavailable, DamagedIndex, SettingsMismatch (a newer format; an older one is migrated).
    """

    def __init__(self, folder: Path, create: bool = False) -> None:
        self.folder = folder
        self._settings: tuple[Head, IndexSettings | None] | None = None  # each search asks for them several times
        self._indexing: tuple[Head, Indexing] | None = None
        self.database = Database(folder / DATABASE, SCHEMA if create else [])
        migrate(self.database)
        with self.database.reading() as connection:
            check_layout(connection, self.database.path)

    def reading(self) -> AbstractContextManager[object]:
        """One state for all that is read inside."""
        return self.database.reading()

    def head(self) -> Head:
        """Which state a read would see now."""
        return self.database.head()

    def tables(self) -> list[Held]:
        """What each table of the database holds."""
        with self.database.reading() as connection:
            return contents(connection)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def settings(self) -> IndexSettings | None:
        """What the index was made with; None before the first `add`."""
        with self.database.reading() as connection:
            state, known = self.database.state(), self._settings
            if known is not None and known[0] == state:
                return known[1]
            rows = connection.execute("SELECT key, value FROM settings").fetchall()
            if not rows and self.held():
                raise DamagedIndex(f"the settings of {self.database.path} are gone; run: searcher check")
        settings = as_settings(dict(rows)) if rows else None
        if state is not None:
            self._settings = state, settings
        return settings

    def settle(self, settings: IndexSettings) -> None:
        """Enter the settings of a new index; SettingsMismatch if it has others already."""
        if (known := self.settings()) is None:
            with self.database.writing() as connection:
                if (known := self.settings()) is None:
                    enter_settings(connection, settings)
                    return
        known.check(asdict(settings) | {"model": None, "dtype": None})

    def indexing(self) -> Indexing:
        """What kind of FAISS index is wanted. DamagedIndex if that is not what was stored."""
        state, known = self.database.state(), self._indexing
        if known is not None and known[0] == state:
            return known[1]
        value = self._one("SELECT value FROM indexing WHERE id = ?", 1)
        try:
            indexing = Indexing(**json.loads(value)) if value else Indexing()
        except (TypeError, ValueError):
            raise DamagedIndex("the kind of FAISS index is not what was stored; run: searcher reindex --type") from None
        if state is not None:
            self._indexing = state, indexing
        return indexing

    def want(self, indexing: Indexing) -> None:
        """Enter what kind of FAISS index is wanted."""
        with self.database.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO indexing VALUES (1, ?)", [json.dumps(asdict(indexing))])

    def passages_held(self) -> int:
        """How many passages there are, as the last commit left it."""
        held = self._one("SELECT passages FROM held WHERE id = ?", 1)
        if not isinstance(held, int):
            raise DamagedIndex(f"{self.database.path} is damaged: it does not say how many passages it holds")
        return held

    def held(self) -> int:
        """How many passages with a direction there should be, as the last commit left it."""
        with self.database.reading() as connection:
            (nowhere,) = connection.execute(f"SELECT count(*) FROM ({NOWHERE})").fetchone()
            return self.passages_held() - int(nowhere)

    # -- history

    def changes(self, generation: int, last: int) -> int:
        """How many passages came and went since a generation in which `last` was the greatest id."""
        came, went = "SELECT count(*) FROM passages WHERE id > ?", "SELECT count(*) FROM removed WHERE generation > ?"
        return int(self._one(came, last) + self._one(went, generation))

    def removed(self, since: int) -> np.ndarray:
        """Ids of the passages that went after that generation, rising. -> (n,) int64."""
        with self.database.reading() as connection:
            return ids_of(connection.execute("SELECT id FROM removed WHERE generation > ? ORDER BY id", [since]))

    def forget(self, before: int, least: int = FORGET) -> None:
        """Let go what only an index of an earlier generation than that would need to catch up, if it is that much."""
        heads = self._one("SELECT count(*) FROM heads WHERE generation < ?", before)
        if heads + self._one("SELECT count(*) FROM removed WHERE generation <= ?", before) > least:
            with self.database.writing(changes=False) as connection:
                connection.execute("DELETE FROM heads WHERE generation < ?", [before])
                connection.execute("DELETE FROM removed WHERE generation <= ?", [before])

    def _one(self, query: str, value: str | int) -> Any:
        with self.database.reading() as connection:
            row = connection.execute(query, [value]).fetchone()
        return None if row is None else row[0]


def enter_settings(connection: Any, settings: IndexSettings) -> None:
    """Inside a write."""
    connection.executemany("INSERT OR REPLACE INTO settings VALUES (?, ?)", settings_rows(settings))


def ids_of(cursor: Any) -> np.ndarray:
    """Rows of one whole number each. -> (n,) int64"""
    return np.fromiter(chain.from_iterable(cursor), dtype=np.int64)
