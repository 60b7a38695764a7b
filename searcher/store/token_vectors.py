"""The vectors of passages' tokens, kept on request in a file of their own: a cache, whose loss costs only time."""

import json
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from searcher.embedding import OwnTokens
from searcher.errors import DamagedIndex, SearcherError
from searcher.store.database import Database
from searcher.store.rows import key_of
from searcher.store.state import ids_of

__all__ = ["TOKENS", "TokenVectors"]

TOKENS = "tokens.db"
# A row is of the passage of that id only if that has this text: ids of another history of the index can be alike.
SCHEMA = [
    "CREATE TABLE made_with (fingerprint TEXT NOT NULL)",
    """CREATE TABLE tokens (
        id INTEGER PRIMARY KEY, text_key INTEGER NOT NULL, count INTEGER NOT NULL, width INTEGER NOT NULL,
        kept BLOB NOT NULL, crc INTEGER NOT NULL)""",
]
COLUMNS = "id, text_key, count, width, kept, crc"


class TokenVectors:
    """The file of one index folder: for each passage its tokens' ids (int32) and unit vectors (float16).

    While the file is there, what comes in is kept too. To those who read, a damaged one holds nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / TOKENS
        self._database: Database | None = None

    def exist(self) -> bool:
        """Whether they are kept."""
        return os.path.lexists(self.path)

    def begin(self, fingerprint: str) -> None:
        """Keep them from now on, made with these settings; a file of other settings goes, and a damaged one."""
        with suppress(DamagedIndex):
            if self.exist() and self._fingerprint() == fingerprint:
                return
        self.end()
        self._database = Database(self.path, [*SCHEMA, f"INSERT INTO made_with VALUES ('{fingerprint}')"])

    def end(self) -> None:
        """Keep them no more: the file goes."""
        self.close()
        for name in (TOKENS, *(f"{TOKENS}-{kind}" for kind in ("journal", "wal", "shm"))):
            self.path.with_name(name).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    # -- reading

    def of(self, texts: Mapping[int, str], fingerprint: str) -> dict[int, OwnTokens]:
        """Those that are kept of passages, id → text, by these settings."""
        query = f"SELECT {COLUMNS} FROM tokens WHERE id IN (SELECT value FROM json_each(?))"
        with suppress(SearcherError):
            if self.exist() and self._fingerprint() == fingerprint:
                with self._opened().reading() as connection:
                    rows = connection.execute(query, [json.dumps(list(texts))]).fetchall()
                return {row[0]: _tokens(row) for row in rows if _is_sound(row) and row[1] == key_of(texts[row[0]])}
        return {}

    def ids(self, fingerprint: str) -> np.ndarray:
        """Of the passages whose vectors are kept by these settings, rising. (n,) int64"""
        with suppress(SearcherError):
            if self.exist() and self._fingerprint() == fingerprint:
                with self._opened().reading() as connection:
                    return ids_of(connection.execute("SELECT id FROM tokens ORDER BY id"))
        return np.empty(0, np.int64)

    def findings(self) -> list[str]:
        """A line if the file cannot be used, or for each row that is not what was kept."""
        if not self.exist():
            return []
        advice = "searcher check --repair makes it anew"
        try:
            with self._opened().reading() as connection:
                rows = connection.execute(f"SELECT {COLUMNS} FROM tokens ORDER BY id")
                return [
                    f"the token vectors of passage {row[0]} are not what was kept; {advice}"
                    for row in rows
                    if not _is_sound(row)
                ]
        except SearcherError as fault:
            return [f"{fault}; {advice}"]

    # -- writing

    def keep(self, texts: Mapping[int, str], tokens: Iterable[OwnTokens]) -> None:
        """Keep those of passages, id → text, in their order; one transaction."""
        rows = [_row(number, text, own) for (number, text), own in zip(texts.items(), tokens, strict=True)]
        with self._opened().writing(changes=False) as connection:
            connection.executemany("INSERT OR REPLACE INTO tokens VALUES (?, ?, ?, ?, ?, ?)", rows)

    def leave(self, present: np.ndarray) -> None:
        """Let go of those of all passages but these, which nobody could read any more. present: (n,) int64, rising."""
        with suppress(SearcherError):
            with self._opened().reading() as connection:
                gone = np.setdiff1d(ids_of(connection.execute("SELECT id FROM tokens")), present, assume_unique=True)
            if len(gone):
                with self._opened().writing(changes=False) as connection:
                    connection.executemany("DELETE FROM tokens WHERE id = ?", [[number] for number in gone.tolist()])

    def vacuum(self) -> None:
        """Write the file anew without the room of those that went."""
        with suppress(SearcherError):
            self._opened().vacuum()

    def _opened(self) -> Database:
        """DamagedIndex for a file that is laid out otherwise, IndexUnavailable for none."""
        if self._database is None:
            database = Database(self.path)
            with database.reading() as connection:
                found = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")}
            if found != set(SCHEMA):
                database.close()
                raise DamagedIndex(f"{self.path} is not as searcher makes it")
            self._database = database
        return self._database

    def _fingerprint(self) -> str | None:
        with self._opened().reading() as connection:
            row = connection.execute("SELECT fingerprint FROM made_with").fetchone()
        return None if row is None else str(row[0])


def _row(number: int, text: str, own: OwnTokens) -> tuple[Any, ...]:
    """COLUMNS."""
    vectors = own.vectors.astype("<f2")
    part = number, key_of(text), len(own.ids), vectors.shape[1]
    kept = own.ids.astype("<i4").tobytes() + vectors.tobytes()
    return (*part, kept, _crc(part, kept))


def _is_sound(row: tuple[Any, ...]) -> bool:
    *part, kept, crc = row
    if not isinstance(kept, bytes) or _crc(tuple(part), kept) != crc:
        return False
    count, width = part[2:]  # of a stranger's file the checksum may be right
    return count >= 0 and width > 0 and len(kept) >= 4 * count and not (len(kept) - 4 * count) % (2 * width)


def _crc(part: tuple[Any, ...], kept: bytes) -> int:
    return zlib.crc32(kept, zlib.crc32(ascii(part).encode()))


def _tokens(row: tuple[Any, ...]) -> OwnTokens:
    count, width, kept = row[2:5]
    vectors = np.frombuffer(kept, "<f2", offset=4 * count).reshape(-1, width)
    return OwnTokens(np.frombuffer(kept, "<i4", count).astype(np.int64), vectors.astype(np.float32))
