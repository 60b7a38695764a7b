"""Bugs that stores like this one have had, each to be put into the product for a while; none is in the product.

    python tests/faults/bugs.py NAME PROGRAM ARGUMENT…        # a program with a bug in it; NAME "none": without

`reads`: the bug is in what is read too; else only the writer has it, and what it left is looked at with sound eyes.
"""

import os
import re
import runpy
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

import xxhash

import searcher.store.database
import searcher.store.rows
from searcher.engines.snapshots import Snapshots
from searcher.store import Store
from searcher.store.database import APPLICATION_ID, Database

__all__ = ["BUGS", "Bug", "broken"]


class Bug(NamedTuple):
    """install: a context in which the product has it. found_by: the names of detectors in `bugs_found.DETECTORS`."""

    install: Callable[[], AbstractContextManager[object]]
    found_by: str
    reads: bool = False


# -- bugs in statements: the product's own, said differently


class Statements(sqlite3.Connection):
    """A connection whose statements pass through `said`."""

    def execute(self, query: str, values: Any = (), /) -> sqlite3.Cursor:
        return super().execute(self.said(query), values)

    def executemany(self, query: str, rows: Any, /) -> sqlite3.Cursor:
        return super().executemany(self.said(query), rows)

    def said(self, query: str) -> str:
        """What is executed instead."""
        return query


@contextmanager
def connections(kind: type[sqlite3.Connection]) -> Iterator[None]:
    """All connections made inside are of that kind."""
    connect = sqlite3.connect
    with patch.object(sqlite3, "connect", lambda *given, **named: connect(*given, factory=kind, **named)):
        yield


def instead(pattern: str, replacement: str) -> Callable[[], AbstractContextManager[object]]:
    """Statements that match are executed with something else in the place of the match."""

    class Replaced(Statements):
        def said(self, query: str) -> str:
            return re.sub(pattern, replacement, query)

    return lambda: connections(Replaced)


class Late(Statements):
    """A COMMIT that waits for what comes next: the caller is told before it is true."""

    late = False

    def execute(self, query: str, values: Any = (), /) -> sqlite3.Cursor:
        if query == "COMMIT":
            self.late = True
            return super().execute("SELECT 1")
        if self.late and query in ("BEGIN IMMEDIATE", "VACUUM"):
            self.late = False
            super().execute("COMMIT")
        return super().execute(query, values)


class Apart(Statements):
    """Vectors go into a transaction of their own, after that of their passages."""

    held: tuple[str, list[Any]] = "", []

    def executemany(self, query: str, rows: Any, /) -> sqlite3.Cursor:
        if query.startswith("INSERT INTO vectors"):
            self.held = query, [*self.held[1], *rows]
            return super().execute("SELECT 1")
        return super().executemany(query, rows)

    def execute(self, query: str, values: Any = (), /) -> sqlite3.Cursor:
        done = super().execute(query, values)
        if query == "COMMIT" and self.held[1]:
            statement, rows = self.held
            self.held = "", []
            super().execute("BEGIN IMMEDIATE")
            super().executemany(statement, rows)
            super().execute("COMMIT")
        return done


class Counted(Statements):
    """A state is known by its number alone: its random mark is always the same."""

    def execute(self, query: str, values: Any = (), /) -> sqlite3.Cursor:
        if "generation" in query and "+ 1, " in query and values:
            values = ["0" * 16]
        return super().execute(query, values)


# -- bugs in the order of things

write = Store.write


def one_by_one(self: Store, prepared: Sequence[Any] = (), *given: Any, **named: Any) -> None:
    """Each document of a batch in a transaction of its own."""
    for item in prepared[:-1]:
        write(self, [item], made_with=named.get("made_with"))
    write(self, prepared[-1:], *given, **named)


def old_ones_first(self: Store, prepared: Sequence[Any] = (), *given: Any, **named: Any) -> None:
    """What a batch replaces goes in a transaction of its own before it."""
    old = [number for item in prepared for number in self.documents_of("source", item.document.source).values()]
    if old:
        write(self, remove=old)
    write(self, prepared, *given, **named)


def named_first(self: Database, schema: Sequence[str]) -> None:
    """The database has its name before it is whole."""
    self.path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(self.path, isolation_level=None)
    for statement in (f"PRAGMA application_id = {APPLICATION_ID}", *schema):
        connection.execute(statement)
    connection.close()


current = Snapshots.current


def never_again(self: Snapshots) -> Any:
    """The index of the state that was read first, for ever."""
    if getattr(self, "_first", None) is None:
        self._first = current(self)  # type: ignore[attr-defined]
    return self._first  # type: ignore[attr-defined]


# -- bugs in checks


class Blind:
    """A checksum of nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def update(self, *_: object) -> None:
        pass

    def digest(self) -> bytes:
        return bytes(16)


def unchecked_cache() -> AbstractContextManager[object]:
    """The bytes of a cache file are believed."""
    return patch.object(xxhash, "xxh3_128", Blind)


def unchecked_rows() -> AbstractContextManager[object]:
    """The rows of the database are believed."""
    return patch.object(searcher.store.rows, "zlib", SimpleNamespace(crc32=lambda *_: 0))


def no_cache() -> AbstractContextManager[object]:
    """No cache file is written."""
    return patch.object(Snapshots, "publish", lambda *_, **__: None)


fsync = os.fsync


def unsynced_files(descriptor: int) -> None:
    """Folders are synced, files are not."""
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        fsync(descriptor)


@contextmanager
def both(*bugs: AbstractContextManager[object]) -> Iterator[None]:
    """Several at once."""
    with ExitStack() as stack:
        for bug in bugs:
            stack.enter_context(bug)
        yield


BUGS: dict[str, Bug] = {
    "no fsync": Bug(instead(r"(?<=PRAGMA synchronous = )\w+", "OFF"), "power cut, delete"),
    "no fsync of the log": Bug(instead(r"(?<=PRAGMA synchronous = )\w+", "NORMAL"), "power cut, wal"),
    # Without a cache file, whose own fsync of the folder would come before the acknowledgement.
    "no fsync of the folder": Bug(
        lambda: both(instead(r"(?<=PRAGMA synchronous = )EXTRA", "FULL")(), no_cache()),
        "power cut, delete",
    ),
    "journal in memory": Bug(instead(r"(?<=PRAGMA journal_mode = )DELETE", "MEMORY"), "power cut, delete"),
    "acknowledged before the commit": Bug(lambda: connections(Late), "power cut, delete"),
    "vectors in a second transaction": Bug(lambda: connections(Apart), "power cut, delete"),
    "a batch in several transactions": Bug(lambda: patch.object(Store, "write", one_by_one), "power cut, wal"),
    "an update in two transactions": Bug(lambda: patch.object(Store, "write", old_ones_first), "power cut, wal"),
    "database named before it is whole": Bug(
        lambda: patch.object(Database, "_create", named_first), "power cut, delete"
    ),
    "cache neither synced nor checked": Bug(
        lambda: both(patch.object(os, "fsync", unsynced_files), unchecked_cache()), "power cut, delete", reads=True
    ),
    "ids used again": Bug(
        instead("SELECT name, seq FROM sqlite_sequence", "SELECT 'documents', coalesce(max(id), 0) FROM documents"
                " UNION SELECT 'passages', coalesce(max(id), 0) FROM passages"), "power cut, delete"),
    "no checksum of the cache": Bug(unchecked_cache, "damaged cache", reads=True),
    "no checksum of the rows": Bug(unchecked_rows, "damaged rows", reads=True),
    "states known by their number": Bug(lambda: connections(Counted), "cache of another history", reads=True),
    "what was removed is forgotten": Bug(
        instead("INSERT OR REPLACE INTO removed SELECT", "SELECT"), "another writer", reads=True
    ),
    "others' commits not seen": Bug(
        lambda: patch.object(Snapshots, "current", never_again), "another writer", reads=True
    ),
}  # fmt: skip


@contextmanager
def broken(bug: str | None, reading: bool = False) -> Iterator[None]:
    """The product with that bug; while reading, only if the bug is there too."""
    known = BUGS[bug] if bug else None
    with nullcontext() if known is None or (reading and not known.reads) else known.install():
        yield


if __name__ == "__main__":
    name, program = sys.argv[1:3]
    sys.argv = sys.argv[2:]
    sys.path.insert(0, str(Path(program).parent))
    with broken(None if name == "none" else name):
        runpy.run_path(program, run_name="__main__")
