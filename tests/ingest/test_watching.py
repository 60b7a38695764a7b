"""A watched folder: what comes, changes, moves and goes is soon in the index, and nothing is removed by mistake."""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread

import pytest
from interrupted import heeding

from searcher import Searcher
from searcher.errors import BadValue
from searcher.ingest.watching import _may_matter
from searcher.records import AddReport

pytest.importorskip("watchfiles", reason="the extra 'watch' is not installed")
Next = Callable[[], AddReport]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "one.txt").write_text("the bank")
    (folder / "two.txt").write_text("the river")
    return folder


@pytest.fixture
def following(tiny_bert: Path, notes: Path) -> Iterator[Next]:
    """The next report of a watch over the notes; the index lies within them."""
    reports, stop = Queue[AddReport](), Event()

    def watch() -> None:
        with Searcher(notes / "index_data", tiny_bert) as searcher:
            for report in searcher.watch(notes, stop=stop):
                reports.put(report)

    thread = Thread(target=watch)
    thread.start()
    try:
        assert reports.get(timeout=60).documents == 2
        time.sleep(1.5)  # until it watches
        yield lambda: reports.get(timeout=60)
        with pytest.raises(Empty):  # its own writing is no change
            reports.get(timeout=2.5)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def texts(notes: Path) -> dict[str, str]:
    with Searcher(notes / "index_data") as searcher:
        listed = [each["source"] for each in searcher.listing()]
        return {Path(source).relative_to(notes).as_posix(): searcher.document(source).text for source in listed}


def test_what_comes_changes_moves_and_goes_is_followed(following: Next, notes: Path) -> None:
    (notes / "three.txt").write_text("money")
    assert following().documents == 1
    (notes / "one.txt").write_text("the sand")
    assert following().documents == 1
    (notes / "two.txt").rename(notes / "deux.txt")
    report = following()
    assert (report.moved, report.documents, report.removed) == (
        [(str(notes / "two.txt"), str(notes / "deux.txt"))],
        0,
        0,
    )
    (notes / "three.txt").unlink()
    assert following().removed == 1
    (notes / ".gitignore").write_text("deux.txt\n")
    assert following().removed == 1
    assert texts(notes) == {"one.txt": "the sand"}


def test_a_folder_that_is_away_is_not_taken_for_empty(tiny_bert: Path, notes: Path, tmp_path: Path) -> None:
    reports, stop = Queue[AddReport](), Event()

    def watch() -> None:
        with Searcher(tmp_path / "index", tiny_bert) as searcher:
            for report in searcher.watch(notes, stop=stop):
                reports.put(report)

    thread = Thread(target=watch)
    thread.start()
    reports.get(timeout=60)
    time.sleep(1.5)
    away = notes.rename(tmp_path / "away")
    time.sleep(1.5)
    notes.mkdir()  # as a place where a disk is mounted is empty without it
    time.sleep(1.5)
    notes.rmdir()
    shutil.copytree(away, notes)
    (notes / "new.txt").write_text("hello")
    report = reports.get(timeout=60)
    stop.set()
    thread.join(60)
    assert (report.documents, report.removed) == (1, 0)
    with Searcher(tmp_path / "index") as searcher:
        assert searcher.counts()["documents"] == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_in_peace(tiny_bert: Path, notes: Path, tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "searcher", "watch", notes, "-m", tiny_bert, "-i", tmp_path / "index"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heeding)
    assert running.stdout
    assert running.stdout.readline().startswith("added 2 documents")
    time.sleep(0.5)
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err.splitlines()[-1]) == (0, "stopped; the index is up to date")


def test_what_is_no_folder_is_named(tiny_bert: Path, notes: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        for path, said in ((notes / "one.txt", "a file"), (notes / "none", "not there")):
            with pytest.raises(BadValue, match=f"{path} is {said}"):
                searcher.watch(path)


@pytest.mark.parametrize(
    ("path", "matters"),
    [("/n/a.txt", True), ("/n/x/a.txt", True), ("/n/.git/HEAD", False), ("/n/.a.swp", False), ("/n/.gitignore", True),
     ("/n/index_data/searcher.db-wal", False), ("/m/a.txt", False), ("/n", True)],
)  # fmt: skip
def test_what_add_would_not_read_is_no_change(path: str, matters: bool) -> None:
    assert _may_matter(path, [Path("/n")], Path("/n/index_data")) == matters
