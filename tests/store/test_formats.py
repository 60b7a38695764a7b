"""An index of every format that was ever written opens, answers as it did, and can be written to."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from searcher import Searcher

# Made by tests/indexes/make.py with the searcher of each format.
INDEXES = sorted((Path(__file__).parents[1] / "indexes").glob("format-*"))
EXPECTED = json.loads((Path(__file__).parents[1] / "indexes" / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(params=INDEXES, ids=lambda folder: folder.name)
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return shutil.copytree(request.param, tmp_path / "index")


def hits(searcher: Searcher) -> list:
    question = np.random.default_rng(0).standard_normal(384).astype(np.float32)
    return [
        [hit.passage_id, hit.id, hit.source, hit.section, hit.start, hit.end, hit.text, hit.metadata, hit.score]
        for hit in searcher.search(question, k=20)
    ]


def same(found: list, expected: list) -> bool:
    return [hit[:-1] for hit in found] == [hit[:-1] for hit in expected] and np.allclose(
        [hit[-1] for hit in found], [hit[-1] for hit in expected], atol=1e-6
    )


def test_an_index_of_any_format_answers_as_it_did(index: Path) -> None:
    with Searcher(index) as searcher:
        assert same(hits(searcher), EXPECTED)
        assert searcher.check() == []
        assert searcher.status()["format"] == 7
    with Searcher(index) as searcher:
        assert same(hits(searcher), EXPECTED)


def test_what_was_added_before_stays_known_and_ids_go_on(index: Path, bundled: str) -> None:
    with Searcher(index) as searcher:
        report = searcher.add_texts(["A boat is tied to the pier.", "New."], ids=["boat", "new"])
        assert (report.unchanged, report.documents) == (1, 1)
        newest = max(hits(searcher))
        assert (newest[0], newest[6]) == (8, "New.")
        assert searcher.search("Who tied up the boat?", k=1)[0].id == "boat"
        assert searcher.remove(ids=["new"]) == 1
        assert same(hits(searcher), EXPECTED)


def test_a_migrated_index_has_the_tables_of_a_new_one(index: Path, tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "new", tiny_bert) as new, Searcher(index) as old:
        new.add_texts(["x"])
        assert schema(new.folder) == schema(old.folder)


def schema(folder: Path) -> set[tuple[str, ...]]:
    connection = sqlite3.connect(folder / "searcher.db")
    rows = set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall())
    connection.close()
    return rows


def test_an_old_index_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path, powerless: list[str]) -> None:
    folder = shutil.copytree(INDEXES[0], tmp_path / "index")
    (folder / "searcher.db").chmod(0o400)
    folder.chmod(0o500)
    done = subprocess.run(
        [*powerless, sys.executable, "-m", "searcher", "status", "-i", folder], capture_output=True, text=True
    )
    folder.chmod(0o700)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "cannot be written" in done.stderr


def test_a_migration_that_fails_leaves_the_old_format_whole(tmp_path: Path) -> None:
    folder = shutil.copytree(INDEXES[0], tmp_path / "index")
    blocking = sqlite3.connect(folder / "searcher.db", isolation_level=None)
    blocking.execute("CREATE VIEW removed AS SELECT 1")  # the second statement of the migration finds its name taken
    before = blocking.execute("SELECT * FROM head").fetchall()
    with pytest.raises(Exception, match="removed"):
        Searcher(folder).search(np.ones(384, np.float32))
    assert blocking.execute("SELECT * FROM head").fetchall() == before
    assert blocking.execute("PRAGMA user_version").fetchone() == (1,)
    blocking.execute("DROP VIEW removed")
    blocking.close()
    with Searcher(folder) as searcher:
        assert same(hits(searcher), EXPECTED)


def test_an_index_that_is_locked_while_it_should_be_migrated_waits(tmp_path: Path) -> None:
    folder = shutil.copytree(INDEXES[0], tmp_path / "index")
    blocking = sqlite3.connect(folder / "searcher.db", isolation_level=None)
    blocking.execute("BEGIN IMMEDIATE")
    program = "import sys; from searcher.store import Store; from pathlib import Path; Store(Path(sys.argv[1]))"
    waiting = subprocess.Popen([sys.executable, "-c", program, str(folder)])
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(1.5)
    blocking.execute("ROLLBACK")
    blocking.close()
    assert waiting.wait(20) == 0
