"""What the tables of an index hold, and in what one that was tampered with differs."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from searcher import Searcher
from searcher.cli import main
from searcher.errors import DamagedIndex


@pytest.fixture
def folder(tiny_bert: Path, tmp_path: Path) -> Path:
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["the river", "the bank"], metadatas=[{"n": 1}, {"n": 2, "lang": "en"}])
    return tmp_path / "index"


def test_every_table_is_listed_with_its_rows_and_columns(folder: Path) -> None:
    with Searcher(folder) as s:
        held = {table.table: table for table in s.tables()}
    assert {name: held[name].rows for name in ("documents", "passages", "vectors", "metadata_values", "faq")} == {
        "documents": 2, "passages": 2, "vectors": 2, "metadata_values": 3, "faq": 0,
    }  # fmt: skip
    assert held["vectors"].columns == ["id", "vector", "crc"]
    with closing(sqlite3.connect(folder / "searcher.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    inner = {name for name in names if name.startswith(("sqlite_", "keywords_"))}  # SQLite's own, FTS5's own
    assert set(held) == names - inner


def test_status_prints_them_as_a_table_and_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--json"]):
        with pytest.raises(SystemExit):
            main(["status", "--tables", "-i", str(folder), *options])
    *table, last = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["table", "rows", "columns"]
    assert {row["table"]: row["rows"] for row in json.loads(last)}["passages"] == 2


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE files ADD COLUMN note TEXT", "column 'note' is not of searcher's making"),
        ("ALTER TABLE files RENAME COLUMN digest TO hash", "column 'digest' is missing"),
    ],
)
def test_a_table_with_other_columns_is_refused_with_their_names(folder: Path, statement: str, said: str) -> None:
    with closing(sqlite3.connect(folder / "searcher.db")) as connection:
        connection.execute(statement)
        connection.commit()
    with (
        pytest.raises(DamagedIndex, match=f"table 'files' is not as searcher makes it: .*{said}"),
        Searcher(folder) as s,
    ):
        s.search("river")


def test_a_search_does_not_load_sqlite_utils(folder: Path) -> None:
    code = (
        "import sys; from searcher import Searcher; s = Searcher(sys.argv[1]); s.search('river', where='n = 1');"
        "print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
