"""How the SQLite file is made, opened, locked and committed, and what its errors mean; it knows no table but `heads`.

Journal: versions of SQLite before 3.51.3 (3.50.7, 3.44.6) can lose commits in WAL mode (sqlite.org/wal.html, "the
WAL-reset bug"), so there the rollback journal is used, with synchronous=EXTRA; elsewhere WAL with synchronous=FULL.
"""

import os
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from searcher.errors import BadValue, DamagedIndex, IndexUnavailable, SearcherError
from searcher.records import Head
from searcher.store.locks import close_before_a_fork, holder, keep_from_forking, let_fork, patience
from searcher.store.transactions import Open, Reading, Writing
from searcher.system import named_once, private, private_folder, shown, sync_folder

__all__ = ["Database", "errors_of", "has_safe_wal"]

APPLICATION_ID = 0x73726368  # "srch" in the file's header
CACHE_KB = 16_384  # of pages that SQLite keeps: its own 2 MB hold too few of the inner ones of a large index
# SQLite's primary result codes; any other means that the file is damaged.
MEANINGS: dict[int, tuple[type[SearcherError], str]] = {
    sqlite3.SQLITE_BUSY: (IndexUnavailable, ""),  # says who, and for how long
    sqlite3.SQLITE_LOCKED: (IndexUnavailable, "it is locked"),
    sqlite3.SQLITE_READONLY: (IndexUnavailable, "it cannot be written"),
    sqlite3.SQLITE_PERM: (IndexUnavailable, "it cannot be written"),
    sqlite3.SQLITE_CANTOPEN: (IndexUnavailable, "it cannot be opened"),
    sqlite3.SQLITE_FULL: (IndexUnavailable, "the disk is full"),
    sqlite3.SQLITE_IOERR: (IndexUnavailable, "the disk failed"),
    sqlite3.SQLITE_NOMEM: (IndexUnavailable, "out of memory"),
    sqlite3.SQLITE_MISUSE: (IndexUnavailable, "it was closed"),
    sqlite3.SQLITE_TOOBIG: (BadValue, "a value is too long"),
}


Mark = tuple[int, int] | None  # device and inode
Opened = tuple[int, threading.Thread, sqlite3.Connection]  # the process and the thread that opened it
T = TypeVar("T")


def has_safe_wal(version: tuple[int, ...]) -> bool:
    """Whether a SQLite of that version keeps every commit in WAL mode.

    >>> has_safe_wal((3, 40, 1)), has_safe_wal((3, 44, 6)), has_safe_wal((3, 50, 7)), has_safe_wal((3, 52, 0))
    (False, True, True, True)
    """
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


class Database:
    """One SQLite file, a connection for each thread and process.

    schema: the statements that make a new file if there is none.

    Raises IndexUnavailable when the file is missing, not ours, locked or not writable; DamagedIndex when it is broken.
    """

    def __init__(self, path: Path, schema: Sequence[str] = ()) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: list[Opened] = []
        self._lock = threading.Lock()
        weakref.finalize(self, _close, self._connections).atexit = False  # what nobody closed
        close_before_a_fork(self)
        if schema and not path.exists():
            self._create(schema)
        if path.is_symlink():  # it could lead to a file that its owner never meant to be written to
            raise IndexUnavailable(f"{path} is a symbolic link; name the folder that it leads to")
        if not path.is_file():
            where = shown(path.parent.as_posix())
            raise IndexUnavailable(f"no index in {where}; make one: searcher add PATH -i {where}")
        with self.reading() as connection:
            (number,) = connection.execute("PRAGMA application_id").fetchone()
        if number != APPLICATION_ID:
            raise IndexUnavailable(f"{path} is not an index of searcher")

    def _create(self, schema: Sequence[str]) -> None:
        """Make the file whole before it gets its name: a crash leaves no half of one, and of two processes one wins."""
        draft = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.tmp")
        try:
            private_folder(self.path.parent)
            # Readable by nobody else: it will hold the text of every document.
            os.close(private(draft))
            try:
                with self.errors():
                    connection = sqlite3.connect(draft, isolation_level=None)
                    try:
                        for statement in (f"PRAGMA application_id = {APPLICATION_ID}", *schema):
                            connection.execute(statement)
                    finally:
                        connection.close()
                with suppress(FileExistsError):  # another process was quicker
                    named_once(draft, self.path)
            finally:
                draft.unlink(missing_ok=True)
            sync_folder(self.path.parent)
        except OSError as fault:
            why = f"{fault.filename} is no folder" if isinstance(fault, FileExistsError) else fault.strerror
            raise IndexUnavailable(f"no index can be made in {self.path.parent}: {why}") from None

    def connection(self) -> sqlite3.Connection:
        """The connection of this thread; a new one after a fork."""
        known: tuple[int, sqlite3.Connection, Mark] | None = getattr(self._local, "connection", None)
        if known is not None and known[0] == os.getpid():
            if known[1].in_transaction or known[2] == self._mark():
                return known[1]
            known[1].close()  # another file has taken its name: a repaired one, a backup
        mark = self._mark()
        uri = f"{self.path.absolute().as_uri()}?mode=rw"
        opened = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience(), check_same_thread=False)
        safe = has_safe_wal(sqlite3.sqlite_version_info)
        try:
            opened.execute("PRAGMA trusted_schema = OFF")
            opened.execute("PRAGMA cell_size_check = ON")  # what the file says of its own layout is not trusted either
            opened.execute("PRAGMA foreign_keys = ON")
            opened.execute("PRAGMA secure_delete = ON")  # what was removed is not to be found in the file any more
            opened.execute(f"PRAGMA cache_size = -{CACHE_KB}")
            opened.execute("PRAGMA fullfsync = ON")  # of macOS, whose fsync leaves it to the disk when it writes
            opened.execute(f"PRAGMA synchronous = {'FULL' if safe else 'EXTRA'}")
            if self.writable():
                opened.execute(f"PRAGMA journal_mode = {'WAL' if safe else 'DELETE'}").fetchone()
        except BaseException:
            opened.close()
            raise
        self._local.connection = os.getpid(), opened, mark
        self._keep(opened)
        return opened

    def writable(self) -> bool:
        """Whether this user may write to the file and its folder."""
        return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)

    def _drop(self) -> None:
        """Close this thread's connection; the next use opens another."""
        _, connection, _ = self._local.connection
        del self._local.connection
        connection.close()
        with self._lock:
            self._connections[:] = [own for own in self._connections if own[2] is not connection]

    def _mark(self) -> Mark:
        """Which file has the name now."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _keep(self, opened: sqlite3.Connection) -> None:
        """Remember a connection, and close those of threads that have ended.

        One that came over a fork stays as it is: closing it would drop the locks of the process that opened it.
        """
        with self._lock:
            ended = [own for own in self._connections if own[0] == os.getpid() and not own[1].is_alive()]
            for own in ended:
                own[2].close()
                self._connections.remove(own)
            self._connections.append((os.getpid(), threading.current_thread(), opened))

    def reading(self) -> Reading:
        """One state of the store for all that is read inside."""
        return Reading(self)

    def writing(self, changes: bool = True) -> Writing:
        """All that is written inside becomes visible and durable at its end, as a new generation, or none of it.

        changes: False for upkeep that changes nothing of what a reader sees; the generation stays.
        """
        return Writing(self, self._commit_change if changes else self._commit)

    def rehearsing(self) -> Writing:
        """Keep writers out; what is written inside is taken back at its end."""
        return Writing(self)

    def under_way(self) -> Open | None:
        """The transaction that this thread is in; one that was left behind is ended."""
        known: Open | None = getattr(self._local, "open", None)
        if known is None or known.process != os.getpid():
            return None
        if known.goes_on:
            return known
        with self.errors():
            self.end()
        return None

    def begin(self, statement: str, owner: FrameType, reads: bool = False) -> sqlite3.Connection:
        """Open a transaction for a block of `owner`."""
        if self.under_way() is not None:
            raise RuntimeError("a transaction begins within another one of its thread")
        with self.errors():
            try:
                keep_from_forking(self)
                connection = self.connection()
                # Noted first: what is open is known, whenever Ctrl-C comes.
                self._local.open, self._local.head = Open(os.getpid(), connection, owner, reads), None
                connection.execute(statement)
                if not reads and self._local.connection[2] != self._mark():  # while we waited
                    raise IndexUnavailable(f"{self.path} was replaced by another file; nothing was written, try again")
            except BaseException:
                self.end(failed=not reads)
                raise
        return connection

    def end(self, failed: bool = False) -> None:
        """Take back what is not committed of this thread's transaction.

        failed: whether a write was refused. Its connection is closed then: SQLite, which opened the file for reading
        only where the disk was full, would never try again.
        """
        known: Open | None = getattr(self._local, "open", None)
        if known is not None and failed:
            self._drop()
        elif known is not None:
            known.connection.rollback()
        let_fork(self)
        self._local.open = None  # last, and not in a finally: until then it is ended anew

    def _commit_change(self) -> None:
        query = "INSERT INTO heads SELECT max(generation) + 1, ? FROM heads"
        self.connection().execute(query, [secrets.token_hex(8)])
        self._commit()

    def _commit(self) -> None:
        self.connection().execute("COMMIT")

    def state(self) -> Head | None:
        """The state that this thread reads; None while it writes, and outside of both."""
        known = self.under_way()
        return self.head() if known is not None and known.reads else None

    def head(self) -> Head:
        """The state that a read would see now."""
        with self.reading() as connection:
            known = self.under_way()
            if known is None or not known.reads:  # but within a write
                return self._head(connection)
            if self._local.head is None:
                self._local.head = self._head(connection)
            head: Head = self._local.head
            return head

    def _head(self, connection: sqlite3.Connection) -> Head:
        query = "SELECT generation, nonce FROM heads ORDER BY generation DESC LIMIT 1"
        row = connection.execute(query).fetchone()
        if row is None or not isinstance(row[0], int) or not isinstance(row[1], str):
            raise DamagedIndex(f"{self.path} is damaged: it has no generation")
        return Head(*row)

    def was(self, head: Head) -> bool:
        """Whether the store was in that state, as far back as it remembers."""
        with self.reading() as connection:
            row = connection.execute("SELECT 1 FROM heads WHERE generation = ? AND nonce = ?", head).fetchone()
        return row is not None

    def vacuum(self) -> None:
        """Write the file anew without the room that removed rows left, the write-ahead log included."""
        from sqlite_utils import Database as Maintained

        with self.errors():
            Maintained(self.connection(), execute_plugins=False, recursive_triggers=False).vacuum()
            self.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def journal_mode(self) -> str:
        """How commits are made safe: "wal" or "delete"."""
        with self.errors():
            return str(self.connection().execute("PRAGMA journal_mode").fetchone()[0])

    def errors(self) -> "Errors[None]":
        """SQLite's errors as ours, in one line."""
        return errors_of(self.path)

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            _close(self._connections)
            self._connections[:] = [own for own in self._connections if own[0] != os.getpid()]
        self._local = threading.local()


def _close(connections: Sequence[Opened]) -> None:
    """Close those that this process opened."""
    for process, _, connection in connections:
        if process == os.getpid():
            connection.close()


def _code(fault: BaseException) -> int:
    """SQLite's primary result code of an error of sqlite3; the higher bits only refine it."""
    known = sqlite3.SQLITE_MISUSE if isinstance(fault, sqlite3.ProgrammingError) else sqlite3.SQLITE_ERROR
    return int(getattr(fault, "sqlite_errorcode", known)) & 0xFF


class Errors(Generic[T]):
    """A context in which SQLite's errors about a file become ours, in one line. A search enters many: no generator."""

    def __init__(self, path: Path, inner: T) -> None:
        self.path, self.inner = path, inner

    def __enter__(self) -> T:
        return self.inner

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: Any) -> None:
        if isinstance(fault, sqlite3.Error):
            known, meaning = MEANINGS.get(_code(fault), (DamagedIndex, "it is damaged or not an index"))
            meaning = meaning or f"{holder(self.path)} in {patience():g} seconds"
            raise known(f"{self.path}: {meaning} ({' '.join(str(fault).split())[:200]})") from fault
        if isinstance(fault, UnicodeDecodeError):  # SQLite's message quotes the damaged bytes
            raise DamagedIndex(f"{self.path}: it is damaged or not an index") from None
        if isinstance(fault, MemoryError):  # what sqlite3 makes of SQLITE_NOMEM: a damaged length can ask for anything
            raise IndexUnavailable(f"{self.path}: out of memory") from None
        if isinstance(fault, UnicodeEncodeError):
            sign = ord(fault.object[fault.start])
            raise BadValue(f"a lone surrogate (U+{sign:04X}) cannot be stored") from None


def errors_of(path: Path) -> Errors[None]:
    """SQLite's errors about that file as ours."""
    return Errors(path, None)
