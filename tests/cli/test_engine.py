"""`--engine` and $SEARCHER_ENGINE: the same commands on an index that is no folder, tried with Milvus Lite."""

import json
import sys
from pathlib import Path

import pytest
from running import Run, one_line

from searcher import Searcher
from searcher.errors import BadValue, IndexUnavailable, UnknownName


@pytest.fixture
def lite(run: Run, tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs commands on `milvus:x.db`, into which notes were added."""
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    monkeypatch.setenv("SEARCHER_ENGINE", "milvus:x.db")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "river.md").write_text("# Rivers\n\nThe bank of the river.\n")
    (tmp_path / "notes" / "t.csv").write_text("id,text,lang\n1,hello world,en\n2,money in the bank,de\n")
    added = run("add", "notes", "--model", tiny_bert, "--json")
    assert json.loads(added.out)["passages"] == 3
    return run


def test_commands_find_what_was_added_and_add_it_once(lite: Run, tmp_path: Path) -> None:
    again = json.loads(lite("add", "notes", "--json").out)
    assert (again["documents"], again["unchanged"]) == (0, 3)
    hits = json.loads(lite("search", "money", "--where", "lang = 'de'", "--json").out)
    assert [hit["text"] for hit in hits] == ["money in the bank"]
    assert json.loads(lite("status", "--json").out)["folder"] == f"milvus:{tmp_path}/x.db#searcher"
    (tmp_path / "notes" / "river.md").rename(tmp_path / "notes" / "moved.md")
    assert json.loads(lite("add", "notes", "--json").out)["moved"] == [
        [f"{tmp_path}/notes/river.md", f"{tmp_path}/notes/moved.md"]
    ]
    assert lite("show", "moved.md").out.startswith("# Rivers")
    assert lite("remove", "t.csv").out == "removed 2 documents\n"
    assert lite("check").out == "all well: 1 document, 1 passage\n"


def test_an_export_of_a_folder_is_that_of_the_server_that_took_it_in(lite: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert lite("export", str(first)).code == 0
    assert lite("import", str(first), "-i", "folder").code == 0
    assert lite("export", str(second), "-i", "folder").code == 0
    assert sorted(first.read_text().splitlines()) == sorted(second.read_text().splitlines())


def test_a_copy_to_a_folder_and_back_to_another_collection_loses_nothing(lite: Run, tmp_path: Path) -> None:
    with Searcher(engine="milvus:x.db") as searcher:
        searcher.engine.notes.set("calibration", "x" * 40_000)
        searcher.engine.notes.log("why is there no answer?")
    assert "copied 3 documents, 3 passages" in lite("copy", "milvus:x.db", "folder").out
    assert "copied 3 documents, 3 passages" in lite("copy", "folder", "milvus:x.db#again").out
    assert "3 were there already" in lite("copy", "folder", "milvus:x.db#again").out
    for name, place in {"first": "milvus:x.db", "second": "milvus:x.db#again"}.items():
        assert lite("export", str(tmp_path / name), "--engine", place).code == 0
    lines = [sorted((tmp_path / name).read_text().splitlines()) for name in ("first", "second")]
    assert lines[0] == lines[1]
    with Searcher(engine="milvus:x.db#again") as searcher:
        assert searcher.engine.notes.texts() == {"calibration": "x" * 40_000}
        assert [each.question for each in searcher.engine.notes.unanswered()] == ["why is there no answer?"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("check --repair", "cannot be repaired"),
        ("compact", "cannot be made smaller"),
        ("reindex", "cannot be indexed or embedded again in its place"),
        ("status --tables", "cannot list its tables"),
        ("add notes --token-vectors", "cannot keep token vectors"),
        ("add notes --ray local", "say where the pieces go"),
        ("search bank --nprobe 3", "has no nprobe; it has ef"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_line(lite: Run, words: str, told: str) -> None:
    one_line(lite(*words.split()), told)


def test_a_document_that_it_cannot_hold_fails_alone(lite: Run, tmp_path: Path) -> None:
    (tmp_path / "more.jsonl").write_text(
        "".join(
            json.dumps({"text": f"text {n}", "id": n, "long": "x" * size}) + "\n"
            for n, size in enumerate([9, 70_000, 99])
        )
    )
    report = json.loads(lite("add", "more.jsonl", "--json").out)
    assert report["documents"] == 2
    [failed] = report["failed"]
    assert failed["source"].endswith("more.jsonl#1")
    assert "Milvus can hold 6" in failed["reason"]


def test_another_model_is_refused(lite: Run) -> None:
    done = lite("search", "bank", "--pooling", "max")
    assert (done.code, "pooling 'mean', not 'max'" in done.err) == (1, True)


def test_a_search_makes_nothing(lite: Run, tmp_path: Path) -> None:
    done = lite("search", "bank", "--engine", "milvus:none.db")
    assert (done.code, "no index at milvus:none.db" in done.err) == (1, True)
    assert not (tmp_path / "none.db").exists()


def test_a_folder_on_the_command_line_comes_before_the_engine_of_the_environment(lite: Run) -> None:
    done = lite("search", "bank", "-i", "folder")
    assert "no index in" in done.err
    assert lite("search", "bank", "-i", "folder", "--engine", "milvus:x.db").code == 2


@pytest.mark.parametrize(
    ("engine", "fault", "told"),
    [
        ("elastic:x", UnknownName, "known: faiss, milvus:URI"),
        ("milvus", UnknownName, "known: faiss"),
        ("milvus:", BadValue, "ends in .db"),
        ("milvus:x", BadValue, "ends in .db"),
        ("milvus:ftp://host", BadValue, "no address of a server"),
        ("milvus:http://", BadValue, "no address of a server"),
        ("milvus:http://host:1#a-b", BadValue, "a collection is 'a-b'"),
        ("milvus:http://u:secret@host:1", BadValue, "holds no password"),
    ],
)
def test_an_engine_that_is_none_is_told_without_a_password(engine: str, fault: type[Exception], told: str) -> None:
    with pytest.raises(fault, match=told) as caught:
        Searcher(engine=engine)
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_told_after_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
    monkeypatch.setenv("SEARCHER_MILVUS_TIMEOUT", "0.3")
    monkeypatch.setenv("SEARCHER_MILVUS_TOKEN", "root:secret")
    with pytest.raises(IndexUnavailable, match=r"milvus:http://127.0.0.1:9#searcher: ") as caught:
        Searcher(engine="milvus:http://127.0.0.1:9")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("TIMEOUT", "soon"), ("TIMEOUT", "0"), ("CONSISTENCY", "some"), ("SHARDS", "0"), ("REPLICAS", "two")],
)
def test_what_the_environment_says_wrong_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SEARCHER_MILVUS_{name}", value)
    with pytest.raises(BadValue, match=f"SEARCHER_MILVUS_{name}"):
        Searcher(engine="milvus:http://127.0.0.1:9")


def test_a_copy_and_a_pickle_open_the_same_index(lite: Run) -> None:
    import pickle

    with Searcher(engine="milvus:x.db") as searcher, pickle.loads(pickle.dumps(searcher)) as other:
        assert other.place == searcher.place
        assert [hit.text for hit in other.search("money", 1)] == [hit.text for hit in searcher.search("money", 1)]


@pytest.mark.parametrize("engine", ["milvus:http://127.0.0.1:9", "milvus:x.db"])
def test_without_pymilvus_a_line_says_what_to_install(
    engine: str, run: Run, tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pymilvus", "pymilvus.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "a.txt").write_text("a text")
    one_line(run("add", "a.txt", "--engine", engine, "-m", tiny_bert), "needs pymilvus: pip install 'searcher[milvus]'")
