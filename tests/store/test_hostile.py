"""An index folder that came from a stranger runs nothing, reads nothing else, and hides nothing from other users."""

import ast
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from searcher import Searcher
from searcher.errors import BadValue, DamagedIndex, IndexUnavailable
from searcher.store.layout import check_layout

PACKAGE = Path(__file__).parents[2] / "searcher"


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "index"
    with Searcher(folder, tiny_bert) as searcher:
        searcher.add_texts(["the bank of the river", "money in the bank"], ids=["a", "b"])
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Iterator[Path]:
    yield shutil.copytree(made, tmp_path / "index")


def alter(folder: Path, *statements: str) -> None:
    connection = sqlite3.connect(folder / "searcher.db", isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        connection.execute(statement)
    connection.close()


# -- what is in the database

FOREIGN = {
    "trigger 'thief'": "CREATE TRIGGER thief AFTER INSERT ON documents BEGIN DELETE FROM vectors; END",
    "view 'window'": "CREATE VIEW window AS SELECT load_extension('/tmp/evil.so') AS x",
    "table 'more'": "CREATE TABLE more (x)",
    "index 'slow'": "CREATE INDEX slow ON passages (hex(text))",
    "table 'passages'": "ALTER TABLE passages ADD COLUMN evil AS (zeroblob(1000000000))",
    "table 'vectors'": "DROP TABLE vectors",
    "index 'documents_key'": "DROP INDEX documents_key",
    "trigger 'incomplete'": "DROP TRIGGER incomplete",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_database_laid_out_otherwise_is_refused_by_the_objects_name(folder: Path, name: str) -> None:
    alter(folder, FOREIGN[name])
    before = (folder / "searcher.db").read_bytes()
    for use in (
        lambda searcher: searcher.search("river"),
        lambda searcher: searcher.add_texts(["more"], ids=["c"]),
        lambda searcher: searcher.remove(ids=["a"]),
        lambda searcher: searcher.status(),
    ):
        with Searcher(folder) as searcher, pytest.raises(DamagedIndex, match=name):
            use(searcher)
    assert (folder / "searcher.db").read_bytes() == before


def test_a_view_in_the_place_of_a_table_is_refused_and_never_read(folder: Path) -> None:
    alter(
        folder,
        "ALTER TABLE passages RENAME TO hidden",
        "CREATE VIEW passages AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    )
    with Searcher(folder) as searcher:
        with pytest.raises(DamagedIndex, match="'passages'"):
            searcher.search("river")
        with pytest.raises(DamagedIndex, match="'passages' is missing"):
            searcher.repair()


def test_a_repair_drops_foreign_triggers_and_keeps_the_documents(folder: Path) -> None:
    alter(folder, "CREATE TRIGGER thief AFTER INSERT ON documents BEGIN DELETE FROM vectors; END")
    with Searcher(folder) as searcher:
        assert len(searcher.check()) == 1
        assert searcher.repair().lost == []
        searcher.add_texts(["more"], ids=["c"])
        assert sorted(hit.id for hit in searcher.search("river")) == ["a", "b", "c"]


def test_functions_of_a_strangers_schema_are_not_called(folder: Path) -> None:
    """Were the layout not looked at, SQLite itself would still refuse what is not innocuous."""
    called = []
    with Searcher(folder) as searcher:
        connection = searcher.engine.database.connection()  # opened before the view was there
        connection.create_function("evil", 0, lambda: called.append(1))
        alter(
            folder,
            "CREATE VIEW window AS SELECT evil() AS x",
            "CREATE TRIGGER thief AFTER INSERT ON documents BEGIN SELECT evil(); END",
        )
        with pytest.raises(sqlite3.OperationalError, match="unsafe use of evil"):
            connection.execute("SELECT x FROM window").fetchall()
        with pytest.raises(DamagedIndex, match="unsafe use of evil"):
            searcher.add_texts(["more"], ids=["c"])
    assert called == []


def test_every_connection_trusts_no_schema(folder: Path) -> None:
    with Searcher(folder) as searcher:
        connection = searcher.engine.database.connection()
        assert connection.execute("PRAGMA trusted_schema").fetchone() == (0,)
        assert connection.execute("PRAGMA cell_size_check").fetchone() == (1,)


def test_statistics_of_analyze_are_let_pass(folder: Path) -> None:
    alter(folder, "ANALYZE")
    with Searcher(folder) as searcher:
        assert len(searcher.search("river")) == 2
        assert searcher.check() == []


def test_no_module_unpickles_or_evaluates_anything() -> None:
    found = []
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                found += [(file.name, name) for name in names if name.split(".")[0] in DANGEROUS]
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                if called in ("eval", "exec", "yaml.load", "yaml.unsafe_load"):
                    found.append((file.name, called))
                if given.get("allow_pickle", "False") != "False":
                    found.append((file.name, called))
                if called == "torch.load" and given.get("weights_only") != "True":
                    found.append((file.name, called))
                if given.get("trust_remote_code", "False") != "False":
                    found.append((file.name, called))
    assert found == []


DANGEROUS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


# -- what is in the folder


def test_a_link_in_the_place_of_the_database_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "stranger").mkdir()
    (tmp_path / "stranger" / "searcher.db").symlink_to(folder / "searcher.db")
    before = (folder / "searcher.db").read_bytes()
    with pytest.raises(IndexUnavailable, match="is a symbolic link"):
        Searcher(tmp_path / "stranger").remove(ids=["a"])
    assert (folder / "searcher.db").read_bytes() == before


def test_a_link_to_an_index_folder_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    with Searcher(tmp_path / "link") as searcher:
        assert len(searcher.search("river")) == 2


def test_a_link_in_the_place_of_the_cache_is_replaced_and_its_target_left(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (folder / "vectors.faiss").unlink()
    (folder / "vectors.faiss").symlink_to(target)
    with Searcher(folder) as searcher:
        searcher.add_texts(["more"], ids=["c"])
        assert len(searcher.search("river")) == 3
    assert target.read_text() == "precious"
    assert not (folder / "vectors.faiss").is_symlink()


def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "piped").mkdir()
    os.mkfifo(tmp_path / "piped" / "searcher.db")
    with pytest.raises(IndexUnavailable, match="no index"):
        Searcher(tmp_path / "piped").search("river")
    (folder / "vectors.faiss").unlink()
    os.mkfifo(folder / "vectors.faiss")
    with Searcher(folder) as searcher:
        assert searcher.check() == ["vectors.faiss is not a file; move it away"]
        assert len(searcher.search("river")) == 2


def test_every_file_that_is_made_is_its_owners_alone_whatever_the_umask(tiny_bert: Path, tmp_path: Path) -> None:
    code = """
        import os, sys
        os.umask(0)
        from pathlib import Path
        from click.testing import CliRunner
        from searcher import Searcher
        from searcher.cli import cli
        folder = Path(sys.argv[1]) / "index"
        made = set()
        fresh = os.open
        def noted(path, flags, mode=0o777, **rest):
            if flags & os.O_CREAT:
                made.add((Path(path).suffix, oct(mode)))
            return fresh(path, flags, mode, **rest)
        os.open = noted
        searcher = Searcher(folder, sys.argv[2])
        searcher.add_texts(["one", "two"], ids=["a", "b"])
        with searcher.engine.database.writing() as connection:
            connection.execute("UPDATE documents SET crc = 1 WHERE id = 1")
            connection.execute("PRAGMA cache_spill = 1")
            print([(file.name, oct(file.stat().st_mode & 0o777)) for file in folder.iterdir()])
        searcher.repair()
        result = CliRunner().invoke(cli, ["export", sys.argv[1] + "/export.jsonl", "-i", str(folder)])
        assert result.exit_code == 0, result.output
        print(sorted(made))
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path), str(tiny_bert)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    during, made = map(ast.literal_eval, run.stdout.splitlines())
    assert any(name.startswith("searcher.db-") for name, _ in during)  # the journal or the log
    assert {mode for _, mode in during} == {"0o600"}
    assert {mode for _, mode in made} == {"0o600"}
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o700
    files = [*(tmp_path / "index").iterdir(), tmp_path / "export.jsonl"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert any(".damaged-" in file.name for file in files)


# -- what is asked


def test_a_question_of_more_than_a_million_characters_is_refused(folder: Path) -> None:
    with Searcher(folder) as searcher:
        with pytest.raises(BadValue, match="the query has 1,000,001 characters; at most 1,000,000"):
            searcher.search("x" * 1_000_001)
        with pytest.raises(BadValue, match="query 2 has 1,000,001"):
            searcher.search(["river", "x" * 1_000_001])


@pytest.mark.parametrize(
    ("bad", "problem"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "infinite"), (0, "all zeros")]
)
def test_a_vector_without_a_direction_is_refused_by_its_row(folder: Path, bad: float, problem: str) -> None:
    vectors = np.ones((4, 32), dtype=np.float32)
    vectors[2] = bad
    with Searcher(folder) as searcher:
        with pytest.raises(BadValue, match=f"query vector 3 .*{problem}"):
            searcher.search(vectors)
        with pytest.raises(BadValue, match=f"the query vector .*{problem}"):
            searcher.search(vectors[2])


@pytest.mark.parametrize("k", [10**9, 2**70])
def test_any_k_finds_what_there_is(folder: Path, k: int) -> None:
    with Searcher(folder) as searcher:
        assert len(searcher.search("river", k=k)) == 2


def test_looking_at_the_layout_reads_nothing_but_the_schema(folder: Path) -> None:
    connection = sqlite3.connect(folder / "searcher.db")
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    check_layout(connection, folder)
    connection.close()
    assert seen == ["SELECT type, name, tbl_name, sql FROM sqlite_schema"]
