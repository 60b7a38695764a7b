"""`copy`: what it prints, what it refuses in a line, how it is stopped."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Run, one_line

import searcher.ingest.copying
from searcher.engines import LocalEngine
from searcher.errors import IndexUnavailable


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where named indexes are; and a model for new ones that is none of this copy's."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SEARCHER_MODEL", "/nowhere/model")
    return tmp_path / "home"


def test_a_copy_is_told_compared_and_searched(run: Run, index: Path) -> None:
    result = run("copy", "index_data", "@copy")
    first, second = result.out.splitlines()
    assert (result.code, result.err) == (0, "")
    assert first.startswith("copied 3 documents, 3 passages; 0 were there already; ")
    assert second.startswith("3 vectors searched in both: at least 100% of the 10 nearest are the same, cosines differ")
    hits = [json.loads(run("search", "river", "--json", "-i", name).out) for name in ("index_data", "@copy")]
    assert hits[0] == hits[1]
    again = json.loads(run("copy", "index_data", "@copy", "--json").out)
    again.pop("seconds")
    assert again == {
        "documents": 0, "passages": 0, "unchanged": 3, "removed": 0, "kept": 0, "files": 0, "stayed": [],
        "likeness": {"searched": 3, "overlap": 1.0, "difference": 0.0, "wrong": None},
    }  # fmt: skip
    assert json.loads(run("add", "texts", "-i", "@copy", "--json").out)["unchanged"] == 3


def test_what_has_gone_since_is_removed_where_that_is_asked(run: Run, index: Path) -> None:
    assert run("copy", "index_data", "copy").code == 0
    run("remove", "texts/bank.txt")
    one_line(
        run("copy", "index_data", "copy"),
        "1 document there, such as ",
        "bank.txt, not in the index that is copied",
        "--others keep",
    )
    assert "1 others kept" in run("copy", "index_data", "copy", "--others", "keep").out
    assert "1 others removed" in run("copy", "index_data", "copy", "--others", "remove").out
    assert "2 were there already" in run("copy", "index_data", "copy").out


def test_wrong_use_is_told_in_a_line_and_makes_no_index(run: Run, index: Path, tiny_bert: Path, tmp_path: Path) -> None:
    one_line(run("copy", "index_data", "index_data"), "would be copied to itself")
    one_line(run("copy", "index_data", "./texts/../index_data/"), "would be copied to itself")
    one_line(run("copy", "nowhere", "new"), "no index in nowhere")
    one_line(run("copy", "@nowhere", "new"), "no index in ")
    one_line(run("copy", "texts", "new"), "no index in texts")
    one_line(run("copy", "index_data", "texts/bank.txt"), "texts/bank.txt")
    one_line(run("copy", "index_data"), "Missing argument 'TO'", code=2)
    one_line(run("copy", "index_data", "new", "--others", "all"), "'all' is not one of keep, remove", code=2)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "searcher.db").write_bytes(b"no index at all" * 100)
    for pair in (("bad", "new"), ("index_data", "bad")):
        one_line(run("copy", *pair), "bad/searcher.db")
    assert not (tmp_path / "new").exists()
    assert run("add", "texts", "-i", "other", "-m", tiny_bert, "--overlap", "3").code == 0
    one_line(run("copy", "index_data", "other"), "made with overlap 3, not 0", "a copy goes into a new index")


def test_a_copy_that_is_not_like_its_source_is_an_error_after_the_report(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = LocalEngine.write
    monkeypatch.setattr(LocalEngine, "write", lambda self, items=(), **how: write(self, list(items)[1:], **how))
    result = run("copy", "index_data", "copy")
    assert result.code == 1 and result.out.startswith("copied 3 documents")
    assert result.err.count("\n") == 1 and "copy is not like " in result.err
    assert "2 documents are there, not 3" in result.err


def test_a_disk_that_is_full_is_told_in_a_line(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> int:
        raise IndexUnavailable("searcher.db: the disk is full")

    monkeypatch.setattr(LocalEngine, "write", full)
    one_line(run("copy", "index_data", "copy"), "the disk is full")


def test_a_place_that_cannot_be_written_to_is_named(
    run: Run, index: Path, tmp_path: Path, powerless: list[str]
) -> None:
    assert run("copy", "index_data", "there").code == 0
    run("remove", "texts/bank.txt", "-i", "there")
    (tmp_path / "locked").mkdir()
    for place in (tmp_path / "locked", tmp_path / "there", tmp_path / "there" / "searcher.db"):
        place.chmod(0o555)
    for to in ("locked/new", "there"):
        command = [*powerless, sys.executable, "-m", "searcher", "copy", "index_data", to]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 1 and done.stderr.startswith("Error: ") and done.stderr.count("\n") == 1, done.stderr
        assert to.partition("/")[0] in done.stderr
    (tmp_path / "there").chmod(0o755)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C is heard, also where these tests were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_is_no_fault_and_says_how_it_goes_on(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher.ingest.copying, "BATCH_DOCUMENTS", 1)
    write, calls = LocalEngine.write, 0

    def slow(self: LocalEngine, *arguments: object, **named: object) -> int:
        nonlocal calls
        if (calls := calls + 1) == 2:
            os.kill(os.getpid(), signal.SIGINT)  # while the batch is being written
            time.sleep(0.1)
        return write(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalEngine, "write", slow)
    result = run("copy", "index_data", "copy")
    assert (result.code, result.out) == (130, "")
    assert "2 documents are in, 2 passages were added and stay; the same command goes on from there" in result.err
    monkeypatch.setattr(LocalEngine, "write", write)
    assert "copied 1 document, 1 passage; 2 were there already" in run("copy", "index_data", "copy").out


PAGE = Path(__file__).parents[2] / "docs" / "many-machines.md"


def test_the_python_of_the_page_on_many_machines_copies(
    run: Run, index: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [code] = [
        code for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL) if "copy_from" in code
    ]
    exec(code, {})
    assert capsys.readouterr().out.startswith("3 3 vectors searched in both: at least 100%")
    assert "3 were there already" in run("copy", "index_data", "index_copy").out
