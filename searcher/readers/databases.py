"""SQLite files of other programs: a document for each row of their tables and views.

What is read is a copy, made in one moment and then let go: nobody waits for us however long the rows take, nothing is
written beside the file, and a program that has it open, in WAL mode or not, goes on as if we were not there.
"""

import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from searcher.errors import UnreadableFile
from searcher.readers.apart import is_child
from searcher.readers.binary import is_sqlite
from searcher.readers.columns import Columns, missing
from searcher.readers.plain import read_plain
from searcher.readers.raw import Item, Raw, ReadOptions, Unsupported
from searcher.readers.rows import Row, documents
from searcher.records import Failure, Note, Skipped

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.db import Table, View

__all__ = ["COMPANIONS", "copied", "is_database", "read_database"]

WAL = b"\2\2"  # bytes 18 and 19 of the header (sqlite.org/fileformat2.html, 1.3.3)
COMPANIONS = ("-wal", "-journal", "-shm")  # what lies beside a file that is in use, or was when its program died
PATIENCE = 30.0  # seconds to wait for a program that is writing
TRIES = 3  # copies made of a file that changes meanwhile
SAMPLE = 100  # rows that tell whether a table has text
ROW_NUMBER = "rowid"
CANNOT_OPEN = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
STEPS, MOST_LOOKS = 100_000, 20_000  # of SQLite's machine between two looks, and looks for a row: about half a minute
OURS = "searcher's own index; ask it with -i FOLDER, or bring in what `searcher export` writes"


def is_database(raw: Raw) -> bool:
    """Whether a file is one of SQLite's, whatever it is called; many programs give theirs no suffix."""
    found = is_sqlite(raw.stream)
    raw.stream.seek(0)
    return found


def read_database(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The rows of the tables and views named in the options, else of every one that has text; a file that calls itself
    a database and is none of SQLite's is read as text.

    A row's source is `path#table#key`, its id the key: the primary key, of several columns joined by commas, else the
    row's number. Raises UnreadableFile for a table that is not there, and a file that is locked or damaged.
    """
    if not is_database(raw):
        yield from read_plain(raw, options)
        return
    if is_child():
        raise Unsupported(raw.source, "a database within another file is not read; unpack it")
    import sqlite_utils

    damaged = Counter[str]()
    try:
        with _copied_raw(raw) as connection:
            connection.text_factory = partial(_text, damaged)
            # Not its plugins: what somebody installed for another program has no business here.
            database = sqlite_utils.Database(connection, execute_plugins=False, recursive_triggers=False)
            if {"metadata_keys", "heads", "passages"} <= set(database.table_names()):
                raise UnreadableFile(raw.source, OURS)
            chosen, others = _chosen(database, raw, options)
            damaged.clear()  # rows that were only looked at
            columns = dict.fromkeys(column for name in chosen for column in _columns(database[name]))
            for said in missing(options.column_types, columns):
                raw.note(said)
            for name in chosen:
                yield from _rows(database, name, raw, options)
            if others:
                what = f"{len(others)} tables without text: {', '.join(others)}; --table NAME reads one all the same"
                yield Skipped(raw.source, what)
    except sqlite3.Error as fault:
        raise UnreadableFile(raw.source, f"SQLite: {' '.join(str(fault).split())}") from None
    except (UnicodeDecodeError, MemoryError):  # its message quotes damaged bytes; a damaged length asks for anything
        raise UnreadableFile(raw.source, "SQLite: database disk image is malformed") from None
    if damaged:
        yield Note(raw.source, f"{damaged.total():,} values that are not UTF-8 were read with U+FFFD in them")


def _text(damaged: "Counter[str]", value: bytes) -> str:
    """Text as SQLite holds it, which checks nothing of it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        damaged["values"] += 1
        return value.decode(errors="replace")


# -- which tables


def _chosen(database: "Database", raw: Raw, options: ReadOptions) -> tuple[list[str], list[str]]:
    """The tables and views that are read, and those that are passed over because they have no text."""
    virtual = [table.name for table in database.tables if table.virtual_table_using]
    names = [name for name in database.table_names() if not name.startswith("sqlite_") and name not in virtual]
    # What a full-text index keeps its words in is the same text once more.
    names = [name for name in names if not any(name.startswith(f"{index}_") for index in virtual)]
    names += database.view_names()
    if unknown := [name for name in options.tables if name not in names]:
        raise UnreadableFile(raw.source, f"no table {unknown[0]!r}; its tables and views: {', '.join(names) or 'none'}")
    if options.tables:
        return list(options.tables), []
    having = [name for name in names if _has_text(database, database[name])]
    return having, [name for name in names if name not in having]


def _has_text(database: "Database", table: "Table | View") -> bool:
    """Whether some value among the first rows consists of words; so it is where these cannot be had, which is told."""
    try:
        with _never_endless(database.conn):
            sample = table.rows_where(limit=SAMPLE)
            return any(isinstance(value, str) and len(value.split()) > 1 for row in sample for value in row.values())
    except sqlite3.OperationalError:
        return True


# -- rows


def _rows(database: "Database", name: str, raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The documents of one table or view."""
    table = database[name]
    keys = list(getattr(table, "pks", ())) or [ROW_NUMBER]
    key = options.id_field or ", ".join(keys)
    binary, source = Counter[str](), f"{raw.source}#{name}"
    try:
        rows = _fields(database, table, key, binary)
        there = _columns(table)
        types = Columns({one: kind for one, kind in options.column_types.items() if one in there})
        yield from documents(rows, replace(raw, source=source), replace(options, id_field=key), types, "row")
    except sqlite3.OperationalError as fault:  # a view over what is gone, or one that never ends
        yield Failure(source, " ".join(str(fault).split()))
    if binary:
        columns = ", ".join(sorted(binary))
        yield Note(source, f"{binary.total():,} binary values were left out, of {columns}")


def _columns(table: "Table | View") -> list[str]:
    """The names of its columns, none of a view over what is gone."""
    try:
        return list(table.columns_dict)
    except sqlite3.OperationalError:
        return []


def _fields(database: "Database", table: "Table | View", key: str, binary: "Counter[str]") -> Iterator[Row]:
    """Number and fields of each row, its key among them; binary: counts what is left out by column."""
    with _never_endless(database.conn) as row_came:
        pairs = table.pks_and_rows_where() if hasattr(table, "pks") else enumerate(table.rows, 1)
        for number, (value, row) in enumerate(pairs, 1):
            row_came()
            fields = {name: cell for name, cell in row.items() if not isinstance(cell, bytes)}
            binary.update(row.keys() - fields.keys())
            if key not in row:  # a row's number, or a key of several columns
                fields = {key: ",".join(map(str, value)) if isinstance(value, tuple) else value, **fields}
            yield number, fields


@contextmanager
def _never_endless(connection: sqlite3.Connection) -> Iterator[Callable[[], None]]:
    """A query inside is interrupted when it works for long without a row; what is given is called for each row."""
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        return looks > MOST_LOOKS

    def row_came() -> None:
        nonlocal looks
        looks = 0

    connection.set_progress_handler(look, STEPS)
    try:
        yield row_came
    finally:
        connection.set_progress_handler(None, 0)


# -- a copy of one moment


@contextmanager
def copied(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a copy of a file, which is gone afterwards; nothing can be written with it. UnreadableFile where
    no copy can be made.
    """
    with _place() as copy:
        _copy(path, copy)
        with _connected(copy) as connection:
            yield connection


@contextmanager
def _copied_raw(raw: Raw) -> Iterator[sqlite3.Connection]:
    path = getattr(raw.stream, "name", None)
    if isinstance(path, str):
        with copied(Path(path)) as connection:
            yield connection
        return
    with _place() as copy:
        raw.stream.seek(0)
        with copy.open("wb") as stream:
            shutil.copyfileobj(raw.stream, stream)
        with _connected(copy) as connection:
            yield connection


@contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="searcher-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "copy.db"


@contextmanager
def _connected(copy: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(copy)) as connection:
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "journal_mode = MEMORY"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("PRAGMA query_only = ON")
        yield connection


def _copy(path: Path, copy: Path) -> None:
    with path.open("rb") as stream:
        is_wal = stream.read(20)[18:20] == WAL
    # In WAL mode SQLite itself would make files beside one that nobody has open.
    if not is_wal or Path(f"{path}-shm").exists():
        try:
            _copy_under_lock(path, copy)
            return
        except sqlite3.OperationalError as fault:
            if getattr(fault, "sqlite_errorcode", 0) & 0xFF not in CANNOT_OPEN:
                raise
            copy.unlink(missing_ok=True)  # what a program that died left to be undone, or a folder that is not ours
    _copy_unchanged(path, copy)


def _copy_under_lock(path: Path, copy: Path) -> None:
    """As SQLite reads it, between two commits of whoever writes."""
    end = time.monotonic() + PATIENCE

    def wait(status: int, left: int, total: int) -> None:
        if time.monotonic() > end:
            raise UnreadableFile(path.as_posix(), f"another program did not finish writing in {PATIENCE:g} seconds")

    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target, progress=wait, sleep=0.05)


def _copy_unchanged(path: Path, copy: Path) -> None:
    """Its bytes and those of what lies beside it, if nothing of it changes meanwhile."""
    for _ in range(TRIES):
        before = _marks(path)
        for suffix in ("", *COMPANIONS[:2]):  # SQLite makes the -shm again
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
            if Path(f"{path}{suffix}").exists():
                shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        if _marks(path) == before:
            return
    raise UnreadableFile(path.as_posix(), "another program is writing to it; try again")


def _marks(path: Path) -> list[tuple[int, int, int] | None]:
    """What changes when somebody writes to a database."""
    marks: list[tuple[int, int, int] | None] = []
    for suffix in ("", *COMPANIONS[:2]):
        try:
            status = Path(f"{path}{suffix}").stat()
        except FileNotFoundError:
            marks.append(None)
        else:
            marks.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return marks
