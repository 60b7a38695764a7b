"""A new database out of what is sound in a damaged one, which is kept; the cache made anew.

Documents go over whole, under their ids, or not at all. The new file takes the name of the old one in one step after
all of it is on the disk: whoever is killed at any point leaves either the old index or the new one.
"""

import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from searcher.embedding import IndexSettings
from searcher.errors import DamagedIndex, IndexUnavailable
from searcher.records import Document
from searcher.store.audit import lenient
from searcher.store.database import Database, errors_of
from searcher.store.given import check_given
from searcher.store.keyword_index import enter
from searcher.store.layout import FOREIGN, differences
from searcher.store.locks import patience
from searcher.store.lookup import enter as enter_values
from searcher.store.placed import place_rows
from searcher.store.rows import (
    DOCUMENT_PART,
    FAQ_COLUMNS,
    METADATA,
    PASSAGE_PART,
    TEXT,
    WHOLE_DOCUMENT,
    as_document,
    as_settings,
    check_part,
    settings_rows,
    vector_bytes,
)
from searcher.store.schema import BESIDE, SCHEMA
from searcher.system import renames_over_open_files, sync_folder

__all__ = ["repair_database"]

SALVAGED = {"settings", "documents", "passages", "vectors"}  # the tables that all others can be made of
PROBES = 100_000  # ids that are tried one by one where nothing can be read, before larger and larger steps


def repair_database(path: Path) -> tuple[list[str], Path]:
    """Replace a damaged database by one of its sound documents. -> (what was lost, where the damaged one is kept).

    Raises DamagedIndex where nothing can be read, or the settings are damaged; IndexUnavailable while others use it.
    Nothing is changed then.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with errors_of(path):
        old = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience())
        try:
            _hold(old, path)
            return _replace(old, path)
        finally:
            old.close()


def _hold(old: sqlite3.Connection, path: Path) -> None:
    """Keep other writers out, and everything in the one file: no write-ahead log may lie beside the new one."""
    old.text_factory = lenient
    for pragma in ("trusted_schema = OFF", "writable_schema = ON", "cell_size_check = ON"):  # reads a file cut short
        old.execute(f"PRAGMA {pragma}")
    (mode,) = old.execute("PRAGMA journal_mode = DELETE").fetchone()
    if mode != "delete":
        raise IndexUnavailable(f"{path} is in use by another process; end it first")
    old.execute("BEGIN IMMEDIATE")
    there = {name for (name,) in old.execute("SELECT name FROM sqlite_schema")}
    for statement in BESIDE:  # an older format has none of them
        kind, name = statement.split()[1:3]
        if kind == "TABLE" and name not in there:
            old.execute(statement.replace("TABLE", "TEMP TABLE", 1))
    for found in differences(old):
        if found.name in SALVAGED and found.problem != FOREIGN:
            raise DamagedIndex(f"{path} cannot be repaired: {found}")


def _replace(old: sqlite3.Connection, path: Path) -> tuple[list[str], Path]:
    try:
        settings = as_settings(dict(old.execute("SELECT key, value FROM settings").fetchall()))
    except DamagedIndex:
        raise DamagedIndex(f"{path} cannot be repaired: what its vectors were made with is damaged") from None
    for abandoned in path.parent.glob(f"{path.name}.*-*"):  # of a repair that was killed: we hold the lock
        if ".repaired-" in abandoned.name or abandoned.samefile(path):
            abandoned.unlink()
    draft = path.with_name(f"{path.name}.repaired-{secrets.token_hex(4)}.tmp")
    kept = path.with_name(f"{path.name}.damaged-{datetime.now().strftime('%Y%m%dT%H%M%S.%f')}")
    try:
        lost = _salvage(old, draft, settings)
        with draft.open("r+b") as stream:
            os.fsync(stream.fileno())
        _keep(path, kept)
        if not renames_over_open_files():
            old.close()
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        raise IndexUnavailable(f"{path} cannot be repaired: {fault.strerror}") from None
    finally:
        for rest in path.parent.glob(f"{draft.name}*"):
            rest.unlink()
    return lost, kept


def _keep(path: Path, kept: Path) -> None:
    try:
        os.link(path, kept)
    except FileExistsError:
        raise
    except (AttributeError, OSError):  # a system or file system without links
        shutil.copyfile(path, kept)
        kept.chmod(0o600)


def _salvage(old: sqlite3.Connection, draft: Path, settings: IndexSettings) -> list[str]:
    """Write every sound document of the old database to a new one. -> a line for each that is not."""
    database = Database(draft, SCHEMA)
    lost: list[str] = []
    try:
        with database.writing() as new:
            new.executemany("INSERT INTO settings VALUES (?, ?)", settings_rows(settings))
            # The table of files stays empty: the next `add` reads them all, and embeds what is not there.
            new.execute("UPDATE heads SET generation = ?", [_generation(old)])
            _salvage_faq(old, new)
            passages_of = _passages(old)
            for number, values in _rows(old, "documents", f"{DOCUMENT_PART}, crc"):
                passages = passages_of.pop(number, [])
                try:
                    document, rows = _document(old, number, values, passages, settings)
                except (DamagedIndex, sqlite3.Error):
                    lost.append(_name(number, values))
                    continue
                try:
                    for name, row in rows:
                        new.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
                except sqlite3.IntegrityError:  # a second document of that source: its own row is the first to go in
                    lost.append(_name(number, values))
                    continue
                enter(new, [(row[0], row[TEXT]) for name, row in rows if name == "passages"])
                enter_values(new, number, rows[0][1][METADATA], min(passages, default=0), len(passages))
                new.executemany("INSERT OR IGNORE INTO metadata_keys VALUES (?)", [[key] for key in document.metadata])
            lost += [_name(number, None) for number in sorted(passages_of)]
            if lost and not new.execute("SELECT count(*) FROM documents").fetchone()[0]:
                raise DamagedIndex(
                    f"{draft.parent} cannot be repaired: no document can be read; add your files to a new one"
                )
            for name in ("documents", "passages"):  # no id is given twice
                new.execute("DELETE FROM sqlite_sequence WHERE name = ?", [name])
                new.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", [name, _highest(old, name)])
    finally:
        database.close()
    return lost


def _salvage_faq(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Take over what is sound of what is kept about a FAQ; a calibration that is lost can be made again."""
    for table, columns in FAQ_COLUMNS.items():
        with suppress(sqlite3.DatabaseError):  # what stands behind a damaged page
            for row in old.execute(f"SELECT {columns}, crc FROM {table}"):
                with suppress(DamagedIndex):
                    check_part(row, table)
                    new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def _document(
    old: sqlite3.Connection, number: int, values: tuple[Any, ...] | None, passages: list[int], settings: IndexSettings
) -> tuple[Document, list[tuple[str, tuple[Any, ...]]]]:
    """A document, and (table, row) of it, its passages and vectors, all verified.

    Raises DamagedIndex, or sqlite3.Error, if one of them is not what was stored.
    """
    if values is None:
        raise DamagedIndex(f"document {number} cannot be read")
    check_part(values, f"document {number}")
    document = as_document(_row(old, f"{WHOLE_DOCUMENT} FROM documents d", number))
    if values[6] != len(passages):
        raise DamagedIndex(f"document {number} has more or fewer passages than were stored")
    rows = [("documents", _row(old, "* FROM documents", number))]
    rows += [("payloads", row) for row in old.execute("SELECT * FROM payloads WHERE document = ?", [number])]
    for passage in passages:
        part = _row(old, f"{PASSAGE_PART}, crc FROM passages p", passage)
        check_part(part, f"passage {passage}")
        if part[1] != number or document.text[part[2] : part[3]] != part[TEXT]:
            raise DamagedIndex(f"passage {passage} is not of document {number}")
        blob, crc = _row(old, "vector, crc FROM vectors", passage)
        vector_bytes(passage, blob, crc, settings.dimension)
        lengths = old.execute("SELECT * FROM given WHERE id = ?", [passage]).fetchall()
        if settings.given and not lengths and not any(blob):
            raise DamagedIndex(f"passage {passage} has a vector of zeros, and it is lost why")
        rows.append(("passages", _row(old, "* FROM passages", passage)))
        rows.append(("vectors", _row(old, "* FROM vectors", passage)))
        for row in lengths:
            check_given(row)
            rows.append(("given", row))
    starts = [(part[0], part[2]) for name, part in rows if name == "passages"]
    rows += [("places", row) for row in place_rows(number, document, starts)]
    return document, rows


def _passages(old: sqlite3.Connection) -> dict[int, list[int]]:
    """Document → ids of its passages, rising; those that are not what was stored are left out."""
    found: dict[int, list[int]] = {}
    for number, values in _rows(old, "passages", f"{PASSAGE_PART}, crc"):
        with suppress(DamagedIndex):
            if values is not None:
                check_part(values, f"passage {number}")
                found.setdefault(values[1], []).append(number)
    return found


def _name(number: int, values: tuple[Any, ...] | None) -> str:
    """A lost document, by its source where that can be read."""
    if values is None or not isinstance(values[1], str):
        return f"document {number}, whose source cannot be read"
    return values[1].encode("utf-8", "replace").decode()


# -- reading round what cannot be read


def _rows(old: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[int, tuple[Any, ...] | None]]:
    """Id and columns of each row in the order of ids; None for a row that is there but cannot be read."""
    query = f"SELECT {columns} FROM {table} {table[0]} NOT INDEXED WHERE id > ? ORDER BY id"
    last, misses, highest = 0, 0, _highest(old, table)
    while last < highest:
        try:
            for row in old.execute(query, [last]):
                last, misses = row[0], 0
                yield last, row
            return
        except sqlite3.DatabaseError:  # what stands there cannot be read: go on behind it
            misses += 1
            last += 1 << max(0, misses - PROBES)
        found = _probed(old, table, columns, last)
        if found is not False:
            yield last, found


def _probed(old: sqlite3.Connection, table: str, columns: str, number: int) -> Any:
    """A row, None if it cannot be read, False if there is none."""
    try:
        row = old.execute(f"SELECT {columns} FROM {table} {table[0]} WHERE id = ?", [number]).fetchone()
        return False if row is None else row
    except sqlite3.DatabaseError:
        return None


def _row(old: sqlite3.Connection, what: str, number: int) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = old.execute(f"SELECT {what} WHERE id = ?", [number]).fetchone()
    if row is None:
        raise DamagedIndex(f"row {number} is gone")
    return row


def _highest(old: sqlite3.Connection, table: str) -> int:
    """The highest id that was given in a table, as far as can be read."""
    found = [0]
    for query in (f"SELECT max(id) FROM {table}", f"SELECT max(seq) FROM sqlite_sequence WHERE name = '{table}'"):
        with suppress(sqlite3.DatabaseError):
            found += [number for (number,) in old.execute(query) if isinstance(number, int)]
    return max(found)


def _generation(old: sqlite3.Connection) -> int:
    """A generation that is not below any that was."""
    with suppress(sqlite3.DatabaseError):
        (generation,) = old.execute("SELECT max(generation) FROM heads").fetchone()
        if isinstance(generation, int):
            return generation
    return int(time.time())  # nobody commits more than once a second for ever
