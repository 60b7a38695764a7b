"""A damaged index is made sound again: what can be saved is, what is lost is named, and the damaged file is kept."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from searcher import Searcher
from searcher.cli.program import cli
from searcher.errors import DamagedIndex, IndexUnavailable, SearcherError
from searcher.store.schema import SCHEMA

WORDS = "the bank of the river money hello world a boat is tied near water".split()
COUNT = 60


def text(number: int) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=400 if number % 7 == 0 else 9)) + f" {number}"


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "index"
    with Searcher(folder, tiny_bert) as searcher:
        searcher.add_texts(
            [text(number) for number in range(COUNT)],
            ids=[f"d{number}" for number in range(COUNT)],
            metadatas=[{"n": number, 'a "b"\\c': 1} for number in range(COUNT)],
        )
    return folder


@pytest.fixture
def searcher(made: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(shutil.copytree(made, tmp_path / "index")) as searcher:
        yield searcher


def alter(searcher: Searcher, *statements: str) -> None:
    connection = sqlite3.connect(searcher.folder / "searcher.db", isolation_level=None)
    connection.execute("PRAGMA writable_schema = ON")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def everything(folder: Path) -> dict[str, tuple]:
    """Source → all that is stored of it, ids included, as sqlite3 reads it."""
    connection = sqlite3.connect(folder / "searcher.db")
    found = {}
    for number, source, *rest in connection.execute("SELECT id, source, text, metadata, digest, layout FROM documents"):
        query = "SELECT p.*, v.* FROM passages p JOIN vectors v USING (id) WHERE document = ? ORDER BY p.id"
        found[source] = (number, *rest, connection.execute(query, [number]).fetchall())
    connection.close()
    return found


def pages_of_the_layout() -> int:
    """How many pages an index has that holds nothing: its tables' first pages, and those that say what they are."""
    connection = sqlite3.connect(":memory:")
    for statement in SCHEMA:
        connection.execute(statement)
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.close()
    return int(pages)


def damaged_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("searcher.db.damaged-*"))


# -- rows

LOSSES = {
    "a vector": "UPDATE vectors SET vector = zeroblob(128) WHERE id = (SELECT id FROM passages WHERE document = 8)",
    "a passage": "UPDATE passages SET text = 'x' || substr(text, 2) WHERE document = 8",
    "bytes that are no text": "UPDATE passages SET text = CAST(X'FF41' AS TEXT) WHERE document = 8",
    "a document's text": "UPDATE documents SET text = 'x' || substr(text, 2) WHERE id = 8",
    "metadata that are no JSON": "UPDATE documents SET metadata = '{\"n\": ' WHERE id = 8",
    "a passage that is gone": "DELETE FROM passages WHERE document = 8",
    "a vector that is gone": "DELETE FROM vectors WHERE id = (SELECT id FROM passages WHERE document = 8)",
}


@pytest.mark.parametrize("loss", LOSSES)
def test_only_the_damaged_document_is_lost_and_it_is_named(searcher: Searcher, loss: str) -> None:
    sound = everything(searcher.folder)
    alter(searcher, LOSSES[loss])
    done = searcher.repair()
    assert done.findings
    assert done.lost == ["d7"]
    assert everything(searcher.folder) == {source: rows for source, rows in sound.items() if source != "d7"}
    assert searcher.check() == []
    assert done.kept == damaged_files(searcher.folder)[0]
    assert done.kept.stat().st_mode & 0o777 == 0o600
    assert len(searcher.search("river", k=10**6, where="n >= 0")) == searcher.engine.counts()["passages"]


def test_a_lost_document_can_be_added_again_under_ids_that_were_never_given(searcher: Searcher) -> None:
    alter(searcher, "UPDATE documents SET title = 'x' WHERE id = 60")
    highest = max(number for number, *_ in everything(searcher.folder).values())
    before = searcher.engine.database.head()
    assert searcher.repair().lost == ["d59"]
    assert searcher.engine.database.head().generation > before.generation
    searcher.add_texts([text(59)], ids=["d59"], metadatas=[{"n": 59}])
    assert everything(searcher.folder)["d59"][0] > highest
    assert searcher.check() == []


def test_a_document_whose_row_is_gone_is_named_by_its_id(searcher: Searcher) -> None:
    alter(searcher, "DELETE FROM documents WHERE id = 5")  # foreign keys are not on here: its passages stay
    assert searcher.repair().lost == ["document 5, whose source cannot be read"]
    assert searcher.check() == []


HARMLESS = {
    "a metadata key": ("DELETE FROM metadata_keys WHERE key = 'n'", "metadata key 'n' is not among"),
    "a value": ("UPDATE metadata_values SET value = 7000 WHERE document = 8", "document 8 has other values than"),
    "a value's kind": ("UPDATE metadata_values SET kind = 'text' WHERE document = 8", "document 8 has other values"),
    "a lost value": ("DELETE FROM metadata_values WHERE document = 8", "document 8 has other values than filters"),
    "a value too many": (
        "INSERT INTO metadata_values VALUES ('[\"n\"]', 'number', 1, 8)",
        "document 8 has other values",
    ),
    "a value of nothing": (
        "INSERT INTO metadata_values VALUES ('[\"n\"]', 'number', 1, 10000)",
        "a value of document 10000, which is not there",
    ),
    "the number of values": ("UPDATE held SET metadata_values = 3", "the number of values does not go with what is"),
    "a span": ("UPDATE spans SET first = first + 1 WHERE document = 8", "document 8 has other passages than filters"),
    "a lost span": ("DELETE FROM spans WHERE document = 8", "document 8 has other passages than filters are told"),
    "the count of ids": ("DELETE FROM sqlite_sequence WHERE name = 'passages'", "given to passages is behind"),
    "a file's digest": ("INSERT INTO files VALUES ('/f', 'text')", "file '/f' has no digest"),
    "an index": ("DELETE FROM sqlite_schema WHERE name = 'passages_text'", "index 'passages_text' is missing"),
    "a foreign table": ("CREATE TABLE extra (x)", "table 'extra' is not of searcher's making"),
}


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_can_be_made_again_loses_no_document(searcher: Searcher, fault: str) -> None:
    sound = everything(searcher.folder)
    statement, line = HARMLESS[fault]
    searcher.close()
    alter(searcher, statement)
    findings = searcher.check()
    assert any(line in finding for finding in findings), findings
    assert searcher.repair().lost == []
    assert everything(searcher.folder) == sound
    assert searcher.check() == []
    assert len(searcher.search("river", where="n = 3")) == 1


@pytest.mark.parametrize(
    "loss",
    [
        "DELETE FROM spans WHERE document = 8",
        "UPDATE held SET metadata_values = metadata_values + 1",  # as where the page of a value was lost
    ],
)
def test_what_filters_ask_is_there_as_a_whole_or_a_filter_is_an_error(searcher: Searcher, loss: str) -> None:
    searcher.close()
    alter(searcher, loss)
    with pytest.raises(DamagedIndex, match="not all that filters ask is there"):
        searcher.search("river", where="n = 3")
    assert searcher.search("river")


def test_a_value_that_leads_a_filter_to_what_it_forbids_is_an_error(searcher: Searcher) -> None:
    searcher.close()
    alter(searcher, "UPDATE metadata_values SET value = 3 WHERE document = 8")
    with pytest.raises(DamagedIndex, match="a filter led to what it forbids"):
        searcher.search("river", where="n = 3")


def test_damaged_settings_are_found_and_nothing_is_guessed(searcher: Searcher) -> None:
    searcher.close()
    alter(searcher, "UPDATE settings SET value = '\"cls\"' WHERE key = 'pooling'")
    before = (searcher.folder / "searcher.db").read_bytes()
    with Searcher(searcher.folder) as fresh:
        assert fresh.check() == ["the settings of the index: this is not what was stored; run: searcher check"]
        with pytest.raises(DamagedIndex, match="what its vectors were made with"):
            fresh.repair()
        with pytest.raises(DamagedIndex):
            fresh.search("river")
    assert (searcher.folder / "searcher.db").read_bytes() == before
    assert [file.name for file in searcher.folder.iterdir() if ".repaired-" in file.name] == []


# -- pages


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("how", ["zeros", "noise", "cut short"])
def test_of_a_file_with_pages_gone_all_that_can_be_read_is_saved(searcher: Searcher, how: str, seed: int) -> None:
    sound, first = everything(searcher.folder), pages_of_the_layout()
    searcher.close()
    path = searcher.folder / "searcher.db"
    data, chance = bytearray(path.read_bytes()), random.Random(seed)
    pages = len(data) // 4096
    if how == "cut short":
        data = data[: 4096 * chance.randrange(pages // 2, pages)]
    else:
        for page in chance.sample(range(first, pages), 2):
            data[4096 * page : 4096 * (page + 1)] = bytes(4096) if how == "zeros" else chance.randbytes(4096)
    path.write_bytes(data)
    try:
        done = searcher.repair()
    except SearcherError as fault:  # a root or the settings are behind the cut
        assert how == "cut short"
        assert "\n" not in str(fault)
        assert path.read_bytes() == data
        return
    left = everything(searcher.folder)
    assert all(sound[source] == rows for source, rows in left.items())
    assert searcher.check() == []
    if how != "cut short":
        assert len(left) >= COUNT - 30
    named = {line for line in done.lost if "cannot be read" not in line}
    assert named <= sound.keys() - left.keys()
    assert len(done.lost) >= len(sound) - len(left) or how == "cut short"
    if done.findings:
        assert damaged_files(searcher.folder)[0].read_bytes() == data
    searcher.search("river", k=99)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "searcher.db").write_bytes(b"not a database at all" * 500)
    with Searcher(tmp_path) as searcher:
        assert len(searcher.check()) == 1
        with pytest.raises(SearcherError):
            searcher.repair()
    assert (tmp_path / "searcher.db").read_bytes() == b"not a database at all" * 500
    assert [file.name for file in tmp_path.iterdir()] == ["searcher.db"]


def test_an_index_of_which_nothing_can_be_read_is_left_as_it_is(searcher: Searcher) -> None:
    connection = sqlite3.connect(searcher.folder / "searcher.db")
    (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'documents'").fetchone()
    connection.close()
    searcher.close()
    path = searcher.folder / "searcher.db"
    data = bytearray(path.read_bytes())
    data[4096 * (root - 1) : 4096 * root] = bytes(4096)
    path.write_bytes(data)
    with pytest.raises(DamagedIndex, match="no document can be read"):
        searcher.repair()
    assert path.read_bytes() == data
    assert damaged_files(searcher.folder) == []


# -- the cache


@pytest.mark.parametrize("how", ["cut short", "a flipped bit", "other bytes"])
def test_a_damaged_cache_is_found_and_made_anew(searcher: Searcher, how: str) -> None:
    cache = searcher.folder / "vectors.faiss"
    data = bytearray(cache.read_bytes())
    data[99] ^= 1
    cache.write_bytes({"cut short": data[:-9], "a flipped bit": data, "other bytes": b"x" * 999}[how])
    assert searcher.check() == [
        "vectors.faiss is damaged or was made by another user; searcher check --repair makes it anew"
    ]
    done = searcher.repair()
    assert (done.lost, done.kept) == ([], None)
    assert searcher.check() == []
    assert damaged_files(searcher.folder) == []


def test_a_cache_that_is_gone_or_of_an_older_state_is_no_finding(searcher: Searcher) -> None:
    cache = searcher.folder / "vectors.faiss"
    old = cache.read_bytes()
    searcher.add_texts(["hello"], ids=["new"])
    cache.write_bytes(old)
    assert searcher.check() == []
    cache.unlink()
    assert searcher.check() == []


def test_a_damaged_cache_of_an_index_without_passages_is_no_finding(tmp_path: Path, tiny_bert: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add_texts(["hello"], ids=["only"])
        searcher.remove(ids="only")
        (searcher.folder / "vectors.faiss").write_bytes(b"left by a process that was killed")
        assert searcher.search("hello") == []
        assert searcher.check() == []


# -- killed, and others beside

KILLED = """
    import os, sys
    from searcher import Searcher
    step = int(sys.argv[2])
    count = 0
    def counted(call):
        def wrapper(*given, **named):
            global count
            count += 1
            if count == step:
                os.kill(os.getpid(), 9)
            return call(*given, **named)
        return wrapper
    os.link, os.fsync, os.rename, os.replace, os.unlink = map(counted, (os.link, os.fsync, os.rename, os.replace, os.unlink))
    Searcher(sys.argv[1]).repair()
"""


def test_a_repair_killed_anywhere_leaves_the_old_index_or_the_new_one(searcher: Searcher, tmp_path: Path) -> None:
    sound = everything(searcher.folder)
    alter(searcher, LOSSES["a vector"])
    searcher.close()
    whole = {source: rows for source, rows in sound.items() if source != "d7"}
    states = set()
    for step in range(1, 30):
        folder = shutil.copytree(searcher.folder, tmp_path / f"killed-{step}")
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(folder), str(step)]
        code = subprocess.run(command, check=False, capture_output=True, timeout=60).returncode
        repaired = "d7" not in everything(folder)
        states.add((code, repaired))
        with Searcher(folder) as fresh:
            assert bool(fresh.check()) is not repaired
            fresh.repair()
            assert everything(folder) == whole
            assert fresh.check() == []
        assert [file.name for file in folder.iterdir() if ".repaired-" in file.name] == []
        if code == 0:
            break
    assert states == {(-signal.SIGKILL, False), (-signal.SIGKILL, True), (0, True)}


def test_a_searcher_that_was_open_goes_on_with_the_repaired_index(searcher: Searcher) -> None:
    other = Searcher(searcher.folder)
    other.search("river")
    alter(searcher, LOSSES["a vector"])
    searcher.repair()
    assert "d7" not in {hit.id for hit in other.search("river", k=999)}
    other.add_texts(["hello"], ids=["from the other"])
    assert "from the other" in everything(searcher.folder)
    assert other.check() == searcher.check() == []


def test_a_repair_waits_for_nobody_who_writes(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    alter(searcher, LOSSES["a vector"])
    monkeypatch.setenv("SEARCHER_BUSY_SECONDS", "0.1")
    holder = sqlite3.connect(searcher.folder / "searcher.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    refused = pytest.raises(IndexUnavailable, match=r"did not finish writing in 0\.1 seconds")
    with Searcher(searcher.folder) as another, refused:  # one that was opened before waits as it did then
        another.repair()
    holder.rollback()
    holder.close()
    assert searcher.repair().lost == ["d7"]


def test_a_write_ahead_log_goes_into_the_kept_file(searcher: Searcher) -> None:
    searcher.close()
    alter(searcher, "PRAGMA journal_mode = WAL", LOSSES["a vector"])
    assert searcher.repair().lost == ["d7"]
    names = {file.name for file in searcher.folder.iterdir()}
    assert not {"searcher.db-wal", "searcher.db-shm"} & (
        names if searcher.engine.database.journal_mode() == "delete" else set()
    )
    assert searcher.check() == []


# -- the command


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, arguments)
    return result.exit_code, result.output


def test_the_command_says_what_to_add_again(searcher: Searcher) -> None:
    folder = str(searcher.folder)
    assert run("check", "-i", folder) == (0, "all well: 60 documents, 114 passages\n")
    (searcher.folder / "vectors.faiss").write_bytes(b"x")
    code, output = run("check", "-i", folder)
    assert (code, output) == (
        1,
        "vectors.faiss is damaged or was made by another user; searcher check --repair makes it anew\n",
    )
    code, output = run("check", "--repair", "-i", folder)
    assert (code, output.splitlines()[-1]) == (0, "all well: 60 documents, 114 passages")
    alter(searcher, LOSSES["a vector"])
    code, output = run("check", "--repair", "-i", folder)
    assert code == 1
    assert "add again: d7\n" in output
    assert f"the damaged database is kept as {damaged_files(searcher.folder)[0]}" in output
    assert run("check", "-i", folder)[0] == 0


def test_files_are_read_again_after_a_repair_and_what_is_there_is_not_embedded_again(
    searcher: Searcher, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number}.txt" for number in range(3)]
    for number, file in enumerate(files):
        file.write_text(f"hello {number}")
    searcher.add(files)
    source = os.fspath(files[1])
    alter(searcher, f"UPDATE documents SET title = 'x' WHERE source = '{source}'")
    assert searcher.repair().lost == [source]
    report = searcher.add(files)
    assert (report.documents, report.unchanged, report.embedded) == (1, 2, 1)
