"""SQLite files of other programs: rows as documents, read whoever writes to them, and never written."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from searcher import Searcher
from searcher.readers import ReadOptions, databases, read
from searcher.records import Document, Failure, Note, Skipped

NOTES = [
    (1, "Boiler", "The boiler code is four digits long.", 5, 1.5, "2026-01-01", b"\x89PNG"),
    (2, "Garden", "Water the roses twice a week.", 2, None, None, None),
]
SCHEMA = """
    CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT, stars INT, price REAL, made TEXT, picture BLOB);
    CREATE TABLE config (name TEXT PRIMARY KEY, value TEXT);
    CREATE TABLE seen (book TEXT, page INT, remark TEXT, PRIMARY KEY (book, page)) WITHOUT ROWID;
    CREATE VIEW starred AS SELECT title, body FROM notes WHERE stars > 3;
    CREATE VIRTUAL TABLE words USING fts5(body);
    INSERT INTO config VALUES ('colour', 'green');
    INSERT INTO seen VALUES ('Emma', 12, 'a long remark'), ('Emma', 13, 'another remark');
"""


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[tuple[Path, sqlite3.Connection]]:
    """A database, and the connection of the program that has it open."""
    path = tmp_path / "notes.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?)", NOTES)
        connection.commit()
        yield path, connection


def items(path: Path, **options: object) -> list[Document | Failure]:
    return list(read(path, ReadOptions(**options)))  # type: ignore[arg-type]


def documents(path: Path, **options: object) -> dict[str, Document]:
    return {item.source.removeprefix(str(path)): item for item in items(path, **options) if isinstance(item, Document)}


def test_each_row_of_each_table_with_text_is_a_document_with_its_key_and_typed_metadata(
    notes: tuple[Path, sqlite3.Connection],
) -> None:
    path, _ = notes
    found = documents(path)
    assert list(found) == ["#notes#1", "#notes#2", "#seen#Emma,12", "#seen#Emma,13", "#starred#1"]
    boiler = found["#notes#1"]
    assert (boiler.id, boiler.title, boiler.text) == ("1", "Boiler", "The boiler code is four digits long.")
    assert boiler.metadata == {"stars": 5, "price": 1.5, "made": "2026-01-01"}
    assert found["#notes#2"].metadata == {"stars": 2}
    assert found["#seen#Emma,12"].id == "Emma,12"
    assert found["#seen#Emma,12"].text == "book: Emma\npage: 12\nremark: a long remark"


def test_what_is_left_out_is_told(notes: tuple[Path, sqlite3.Connection]) -> None:
    path, _ = notes
    told = [item for item in items(path) if isinstance(item, Failure)]
    assert Note(f"{path}#notes", "1 binary values were left out, of picture") in told
    assert Skipped(str(path), "1 tables without text: config; --table NAME reads one all the same") in told
    assert len(told) == 2


def test_tables_and_columns_of_text_can_be_named(notes: tuple[Path, sqlite3.Connection]) -> None:
    path, _ = notes
    assert list(documents(path, tables=("config",))) == ["#config#colour"]
    found = documents(path, tables=("notes",), text_field=("title", "body"))
    assert found["#notes#2"].text == "Garden\n\nWater the roses twice a week."
    assert documents(path, tables=("notes",), id_field="title")["#notes#Boiler"].id == "Boiler"


def test_a_table_that_is_not_there_is_named_with_those_that_are(
    notes: tuple[Path, sqlite3.Connection], tiny_bert: Path, tmp_path: Path
) -> None:
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        report = s.add(notes[0], tables=["nots"])
    assert [failure.reason for failure in report.failed] == [
        "no table 'nots'; its tables and views: notes, config, seen, starred"
    ]


def test_a_row_added_in_wal_mode_by_a_program_that_has_it_open_is_read_and_the_others_left_alone(
    notes: tuple[Path, sqlite3.Connection], tiny_bert: Path, tmp_path: Path
) -> None:
    path, connection = notes
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        assert s.add(path, tables=["notes"]).documents == 2
        before = path.read_bytes()
        connection.execute("INSERT INTO notes (id, title, body, stars) VALUES (3, 'Car', 'the boat is tied', 4)")
        connection.commit()
        assert path.read_bytes() == before  # the row is in the write-ahead log alone
        report = s.add(path, tables=["notes"])
        assert (report.documents, report.unchanged) == (1, 2)
        assert {hit.id for hit in s.search("boat", 9, "stars >= 4")} == {"3", "1"}
        connection.execute("DELETE FROM notes WHERE id = 1")
        connection.commit()
        assert s.add(path, tables=["notes"]).removed == 1
        assert path.read_bytes() == before


def test_a_wal_database_that_nobody_has_open_is_left_without_files_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "quiet.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (text TEXT); INSERT INTO t VALUES ('two words')"
        )
    before = path.read_bytes()
    assert [found.text for found in documents(path).values()] == ["two words"]
    assert [file.name for file in tmp_path.iterdir()] == ["quiet.sqlite3"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_a_program_that_died_had_committed_is_read_and_what_it_had_not_is_not(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "died.db"
    program = f"""
import os, sqlite3
c = sqlite3.connect({str(path)!r}, isolation_level=None)
c.execute("PRAGMA journal_mode = {mode}")
c.execute("PRAGMA cache_size = 1")  # so that changes reach the file before they are committed
c.execute("CREATE TABLE t (text TEXT)")
c.executemany("INSERT INTO t VALUES (?)", [(f"sound row {{n}}",) for n in range(500)])
c.execute("BEGIN")
c.execute("UPDATE t SET text = 'half a change ' || text")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    beside = sorted(file.name for file in tmp_path.iterdir())
    contents = {name: (tmp_path / name).read_bytes() for name in beside if not name.endswith("-shm")}
    assert len(beside) > 1
    assert [found.text for found in documents(path).values()] == [f"sound row {n}" for n in range(500)]
    assert {name: (tmp_path / name).read_bytes() for name in contents} == contents


def test_a_program_that_is_amid_a_write_is_waited_for_and_then_named(
    notes: tuple[Path, sqlite3.Connection], monkeypatch: pytest.MonkeyPatch, tiny_bert: Path, tmp_path: Path
) -> None:
    path, connection = notes
    monkeypatch.setattr(databases, "PATIENCE", 0.2)
    connection.execute("BEGIN EXCLUSIVE")
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        assert [failure.reason for failure in s.add(path).failed] == [
            "another program did not finish writing in 0.2 seconds"
        ]
        connection.rollback()
        assert s.add(path).documents == 5


def test_a_view_that_never_ends_is_a_failure_and_the_tables_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "MOST_LOOKS", 5)
    path = tmp_path / "endless.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE t (text TEXT); INSERT INTO t VALUES ('two words');"
            "CREATE VIEW v AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n WHERE x < 0;"
            "CREATE VIEW broken AS SELECT text FROM gone"
        )
    found = items(path)
    assert [item.text for item in found if isinstance(item, Document)] == ["two words"]
    assert {item.source.removeprefix(str(path)): item.reason for item in found if isinstance(item, Failure)} == {
        "#v": "interrupted",
        "#broken": "no such table: main.gone",
    }


def test_text_that_is_not_utf8_is_read_with_a_word_about_it(tmp_path: Path) -> None:
    path = tmp_path / "latin.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (text TEXT)")
        connection.execute("INSERT INTO t VALUES (CAST(x'63616661e92062617220' AS TEXT))")
        connection.commit()
    found = items(path)
    assert [item.text for item in found if isinstance(item, Document)] == ["cafa\ufffd bar "]
    assert [item.reason for item in found if isinstance(item, Note)] == [
        "1 values that are not UTF-8 were read with U+FFFD in them"
    ]


def test_a_damaged_database_our_own_and_a_text_that_ends_in_db_are_each_what_they_are(
    notes: tuple[Path, sqlite3.Connection], tiny_bert: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(notes[0].read_bytes()[:5000])
    (tmp_path / "plain.db").write_text("not a database, but a text", encoding="utf-8")
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["hello"])
        reasons = {
            Path(failure.source).name: failure.reason for failure in s.add([damaged, s.folder / "searcher.db"]).failed
        }
        assert reasons["damaged.db"].startswith("SQLite: ")
        assert reasons["searcher.db"].startswith("searcher's own index; ")
        assert s.add(tmp_path / "plain.db").documents == 1


def test_a_database_without_a_suffix_is_known_by_its_first_bytes(notes: tuple[Path, sqlite3.Connection]) -> None:
    path, connection = notes
    connection.execute("PRAGMA journal_mode = WAL")
    other = path.rename(path.with_name("History"))
    assert list(documents(other, tables=("notes",))) == ["#notes#1", "#notes#2"]


def test_a_database_comes_through_stdin_too(
    notes: tuple[Path, sqlite3.Connection], tiny_bert: Path, tmp_path: Path
) -> None:
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        report = s.add_bytes(notes[0].read_bytes(), "notes.db", suffix=".db", tables=["notes"])
        assert (report.documents, [row["source"] for row in s.listing()]) == (
            2,
            ["notes.db#notes#1", "notes.db#notes#2"],
        )


def test_what_sqlite_keeps_beside_a_file_in_use_is_passed_over_in_silence(
    notes: tuple[Path, sqlite3.Connection], tiny_bert: Path, tmp_path: Path
) -> None:
    path, connection = notes
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("UPDATE notes SET stars = 4")
    connection.commit()
    assert Path(f"{path}-wal").exists()
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        report = s.add(tmp_path)
    assert [Path(item.source).name for item in [*report.failed, *report.skipped]] == [
        "index",
        "notes.db",
    ]
