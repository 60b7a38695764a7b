"""An add every day: what is unchanged is not read, what was renamed is followed, what is cut short goes on."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interrupted import heeding

import searcher.ingest.files
import searcher.ingest.ingest
import searcher.ingest.marks
from searcher import Searcher
from searcher.embedding.encoder import Encoder
from searcher.errors import Interrupted
from searcher.ingest import UnderWay
from searcher.ingest.batches import Batch
from searcher.ingest.forecast import Forecast
from searcher.ingest.moving import common_move, nearest
from searcher.ingest.pipeline import Pipeline
from searcher.store import Store
from searcher.system import this_process

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(40)


@pytest.fixture
def index(tiny_bert: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", tiny_bert) as made:
        yield made


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two folders of two files each, and a table."""
    for name, text in {"a/one": "the bank", "a/two": "the river", "b/one": "hello world", "b/two": "money"}.items():
        file = tmp_path / "tree" / f"{name}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "tree" / "t.csv").write_text("id,text\n1,the boat\n2,the water\n")
    return tmp_path / "tree"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every file had been there for long."""
    monkeypatch.setattr(searcher.ingest.marks, "MOMENT_NS", -(10**12))


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read for their digest."""
    names: list[str] = []
    content = searcher.ingest.files._content

    def noted(path: Path) -> Any:
        names.append(path.name)
        return content(path)

    monkeypatch.setattr(searcher.ingest.files, "_content", noted)
    return names


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many sequences each call of an encoder was given."""
    counts: list[int] = []
    run = Encoder.run

    def counted(self: Encoder, sequences: Any, *rest: Any) -> Any:
        if len(sequences):
            counts.append(len(sequences))
        return run(self, sequences, *rest)

    monkeypatch.setattr(Encoder, "run", counted)
    return counts


def rows(index: Searcher, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(index.folder / "searcher.db")
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def sources(index: Searcher) -> set[str]:
    return {source for (source,) in rows(index, "SELECT source FROM documents")}


# -- what is unchanged


def test_a_file_that_looks_as_it_did_is_not_read(
    index: Searcher, tree: Path, settled: None, digested: list[str]
) -> None:
    index.add(tree)
    assert len(digested) == 5
    report = index.add(tree)
    assert (report.unchanged, report.documents, len(digested)) == (6, 0, 5)


def test_a_file_that_changed_a_moment_ago_is_read_again(index: Searcher, tree: Path, digested: list[str]) -> None:
    index.add(tree)
    assert index.add(tree).unchanged == 6
    assert len(digested) == 10


def test_another_content_of_the_same_size_and_time_is_found(index: Searcher, tree: Path, settled: None) -> None:
    file = tree / "a" / "one.txt"
    os.utime(file, ns=(10**18, 10**18))
    index.add(tree)
    time.sleep(0.05)  # a tick of the clock that stamps inodes
    file.write_text("the sand")
    os.utime(file, ns=(10**18, 10**18))
    report = index.add(tree)
    assert (report.documents, report.unchanged) == (1, 5)
    assert rows(index, "SELECT text FROM documents WHERE source LIKE '%a/one.txt'") == [("the sand",)]


def test_a_file_put_in_the_place_of_another_is_found(index: Searcher, tree: Path, settled: None) -> None:
    index.add(tree)
    other, file = tree / "a" / "new", tree / "a" / "one.txt"
    other.write_text("the sand")
    shutil.copystat(file, other)
    other.replace(file)
    assert index.add(tree).documents == 1


def test_a_file_read_otherwise_is_read_again(index: Searcher, tree: Path, settled: None) -> None:
    index.add(tree / "t.csv")
    assert index.add(tree / "t.csv", id_field="id").unchanged == 2  # the same documents, but not by the look alone
    assert index.add(tree / "t.csv", text_field="id").documents == 2


def test_documents_that_were_removed_come_back(index: Searcher, tree: Path, settled: None) -> None:
    index.add(tree)
    index.remove(tree / "a")
    report = index.add(tree)
    assert (report.documents, report.unchanged) == (2, 4)


def test_an_older_state_that_was_imported_is_not_taken_for_the_present_one(
    index: Searcher, tree: Path, settled: None, tmp_path: Path
) -> None:
    index.add(tree / "a" / "one.txt")
    with (tmp_path / "out").open("wb") as stream:
        index.export(stream)
    (tree / "a" / "one.txt").write_text("the sand")
    index.add(tree / "a" / "one.txt")
    with (tmp_path / "out").open("rb") as stream:
        index.import_(stream)
    index.add(tree / "a" / "one.txt")
    assert rows(index, "SELECT text FROM documents") == [("the sand",)]


def test_looks_make_no_new_state_of_the_index(
    index: Searcher, tree: Path, monkeypatch: pytest.MonkeyPatch, digested: list[str]
) -> None:
    index.add(tree)
    head = index.engine.head()
    monkeypatch.setattr(searcher.ingest.marks, "MOMENT_NS", -(10**12))
    index.add(tree)  # and remembers now how they look
    index.add(tree)
    assert (len(digested), index.engine.head()) == (10, head)


# -- what is skipped


def test_a_skipped_file_is_new_once_and_again_when_it_changes(index: Searcher, tree: Path, settled: None) -> None:
    for name in ("p.png", "q.png"):
        (tree / name).write_bytes(PNG)
    (tree / "out").symlink_to("/")
    assert [(Path(each.source).name, each.known) for each in index.add(tree).skipped] == [
        ("out", False), ("p.png", False), ("q.png", False),
    ]  # fmt: skip
    assert [each.known for each in index.add(tree).skipped] == [True, True, True]
    (tree / "q.png").write_bytes(PNG + b"\0")
    assert [each.known for each in index.add(tree).skipped] == [True, True, False]
    (tree / "p.png").unlink()
    index.add(tree)
    (tree / "p.png").write_bytes(PNG)
    assert [each.known for each in index.add(tree).skipped] == [True, False, True]
    moved = index.folder.rename(index.folder.with_name("moved"))
    with Searcher(moved) as again:
        assert [each.known for each in again.add(tree).skipped] == [True, True, True]


def test_a_dry_run_remembers_nothing(index: Searcher, tree: Path, settled: None) -> None:
    index.add(tree / "a")
    (tree / "p.png").write_bytes(PNG)
    for _ in range(2):
        assert [each.known for each in index.add(tree, dry_run=True).skipped] == [False]


# -- what has another path


def test_a_renamed_folder_keeps_its_passages_and_nothing_is_embedded(
    index: Searcher, tree: Path, encoded: list[int]
) -> None:
    index.add(tree)
    before = {text: number for number, text in rows(index, "SELECT id, text FROM passages")}
    made = sum(encoded)
    new = tree.rename(tree.with_name("other"))
    report = index.add(new)
    assert sorted(report.moved) == sorted(
        (str(tree / name), str(new / name)) for name in ("a/one.txt", "a/two.txt", "b/one.txt", "b/two.txt", "t.csv")
    )
    assert (report.documents, report.embedded, report.removed, report.gone, sum(encoded)) == (0, 0, 0, [], made)
    assert {text: number for number, text in rows(index, "SELECT id, text FROM passages")} == before
    assert sources(index) == {str(new / name) for name in (
        "a/one.txt", "a/two.txt", "b/one.txt", "b/two.txt", "t.csv#1", "t.csv#2")}  # fmt: skip
    assert index.check() == []
    assert {Path(hit.source).is_relative_to(new) for hit in index.search("river", k=9)} == {True}
    assert index.document(str(new / "a" / "two.txt")).text == "the river"
    report = index.add(new)
    assert (report.unchanged, report.moved) == (6, [])


def test_a_copy_is_no_move(index: Searcher, tree: Path) -> None:
    index.add(tree / "a")
    shutil.copytree(tree / "a", tree / "c")
    report = index.add(tree / "c")
    assert (report.documents, report.moved, len(sources(index))) == (2, [], 4)


def test_of_files_alike_the_one_of_the_same_name_is_the_one_that_moved(index: Searcher, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for name in ("x", "y", "z"):
        (old / name).mkdir(parents=True)
        (old / name / "same.txt").write_text("the bank")
    index.add(old)
    numbers = {Path(source).parent.name: number for source, number in rows(index, "SELECT source, id FROM documents")}
    old.rename(new)
    index.add(new)
    again = {Path(source).parent.name: number for source, number in rows(index, "SELECT source, id FROM documents")}
    assert again == numbers


def test_what_of_a_renamed_folder_changed_too_is_told_and_pruned(index: Searcher, tree: Path) -> None:
    index.add(tree)
    new = tree.rename(tree.with_name("other"))
    (new / "a" / "one.txt").write_text("the sand")
    report = index.add(new)
    assert (report.documents, len(report.moved), report.gone) == (1, 4, [str(tree / "a" / "one.txt")])
    (new / "b" / "one.txt").unlink()
    assert index.add(new).gone == [str(new / "b" / "one.txt")]
    assert index.add(new, prune=True).removed == 1
    assert str(new / "b" / "one.txt") not in sources(index)
    assert index.check() == []


def test_a_file_renamed_within_a_folder_is_followed_and_not_pruned(index: Searcher, tree: Path) -> None:
    index.add(tree)
    (tree / "a" / "one.txt").rename(tree / "b" / "three.txt")
    report = index.add(tree, prune=True)
    assert (report.moved, report.removed) == ([(str(tree / "a" / "one.txt"), str(tree / "b" / "three.txt"))], 0)


def test_a_file_that_gets_another_suffix_is_read_as_what_it_is_now(index: Searcher, tmp_path: Path) -> None:
    text = tmp_path / "notes" / "a.txt"
    text.parent.mkdir()
    text.write_text("# Boats\n\nThe boat is tied.\n", encoding="utf-8")
    index.add(text.parent)
    marked = text.rename(text.with_suffix(".md"))
    report = index.add(text.parent, prune=True)
    assert (report.documents, report.moved, report.removed) == (1, [], 1)
    assert [(each.source, each.title) for each in index.iterate()] == [(str(marked), "Boats")]
    (text.parent / "b.jsonl").write_text("")
    index.add(text.parent)
    (text.parent / "b.jsonl").rename(text.parent / "b.txt")
    index.add(text.parent, prune=True)
    assert {each.source for each in index.iterate()} == {str(marked), str(text.parent / "b.txt")}


def test_a_dry_run_says_what_would_move_and_moves_nothing(index: Searcher, tree: Path) -> None:
    index.add(tree)
    before = sources(index)
    new = tree.rename(tree.with_name("other"))
    assert len(index.add(new, dry_run=True).moved) == 5
    assert sources(index) == before


def test_a_label_that_is_the_new_path_gives_way(index: Searcher, tree: Path) -> None:
    index.add(tree / "a" / "one.txt")
    new = tree / "a" / "three.txt"
    index.add_texts(["a text"], ids=[str(new)])
    (tree / "a" / "one.txt").rename(new)
    index.add(new)
    assert rows(index, "SELECT source, text FROM documents") == [(str(new), "the bank")]
    assert index.check() == []


@pytest.mark.parametrize(
    ("path", "others", "expected"),
    [
        ("/n/x/a.txt", ["/o/y/a.txt", "/o/x/a.txt"], "/o/x/a.txt"),
        ("/n/x/a.txt", ["/n/y.txt", "/o/z.txt"], "/n/y.txt"),
        ("/n/x/a.txt", [], None),
    ],
)
def test_the_nearest_path_ends_most_alike(path: str, others: list[str], expected: str | None) -> None:
    assert nearest(path, others) == expected


def test_what_was_renamed_is_what_two_paths_do_not_share_at_their_ends() -> None:
    assert common_move("/h/old/a/b.txt", "/h/new/a/b.txt") == ("/h/old", "/h/new")
    assert common_move("/h/a.txt", "/h/b.txt") == ("/h/a.txt", "/h/b.txt")
    assert common_move("/a.txt", "/sub/a.txt") == ("/", "/sub")


# -- cut short


def many(folder: Path, count: int) -> Path:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:04}.txt").write_text(f"text number {number}")
    return folder


def test_ctrl_c_leaves_what_is_embedded_committed_and_the_same_add_goes_on(
    index: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 2)
    folder, events = many(tmp_path / "many", 20), list[str]()

    def pressed(event: str, count: int) -> None:
        events.append(event)
        if events.count("stored") == 3 and event == "stored":
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"files are done, .* passages were added and stay") as stop:
        index.add(folder, progress=pressed)
    kept = len(sources(index))
    assert 6 <= kept <= 10  # those embedded by then, and the batch in flight
    assert stop.value.report.documents in (kept, kept - 2)
    assert "stop" in events
    assert index.check() == []
    report = index.add(folder)
    assert (report.documents, report.unchanged) == (20 - kept, kept)


def test_ctrl_c_twice_lets_go_of_what_is_being_embedded(
    index: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 2)
    folder, told = many(tmp_path / "many", 20), Counter[str]()
    embedding, released = threading.Event(), threading.Event()

    def pressed(event: str, count: int) -> None:
        told[event] += 1
        if event == "passage" and told[event] == 2:  # in the encoder's thread
            embedding.set()
            released.wait(30)
        if event == "stop" or (event == "work" and told["passage"] and embedding.wait(30)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stop:
        index.add(folder, progress=pressed)
    assert stop.type is KeyboardInterrupt
    far = index.under_way()
    assert far and not far.is_going_on
    released.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ingest"):
            thread.join(30)
    assert told["passage"] == 2
    kept = len(sources(index))
    assert kept <= 2
    assert index.add(folder).documents == 20 - kept


@pytest.mark.parametrize("committed", [True, False])
def test_ctrl_c_within_a_write_loses_nothing(
    index: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 2)
    folder, write, calls = many(tmp_path / "many", 6), Store.write, []

    def pressed(self: Store, *arguments: Any, **rest: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            if committed:
                write(self, *arguments, **rest)
            raise KeyboardInterrupt
        write(self, *arguments, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", pressed)
        with pytest.raises(Interrupted) as stopped:
            index.add(folder)
    assert stopped.value.report.documents == len(sources(index))
    assert {"0000.txt", "0001.txt"} <= {Path(source).name for source in sources(index)}
    assert index.check() == []
    index.add(folder)
    assert len(sources(index)) == 6


def test_ctrl_c_just_after_a_commit_counts_it_once(
    index: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 2)
    written = searcher.ingest.ingest.Ingest._written
    calls: list[int] = []

    def pressed(self: Any, batch: Batch, embedded: int) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        written(self, batch, embedded)
        if len(calls) == 2:
            self._count(batch, embedded)

    monkeypatch.setattr(searcher.ingest.ingest.Ingest, "_written", pressed)
    with pytest.raises(Interrupted) as stopped:
        index.add(many(tmp_path / "many", 6))
    assert stopped.value.report.documents == stopped.value.report.passages == len(sources(index)) > 0


def test_ctrl_c_in_a_terminal_says_what_is_kept(tiny_bert: Path, tmp_path: Path) -> None:
    folder = many(tmp_path / "many", 4000)
    add = [sys.executable, "-m", "searcher", "add", str(folder), "-i", str(tmp_path / "index")]
    running = subprocess.Popen(
        [*add, "-m", str(tiny_bert)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=heeding
    )
    far = None
    while running.poll() is None and not (far and far.passages):
        time.sleep(0.02)
        with Searcher(tmp_path / "index") as other:
            far = other.under_way()
    assert far and far.first and far.is_going_on
    assert (far.of_files, far.files <= far.of_files) == (4000, True)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert "of 4,000 files are done" in err
    assert "Traceback" not in err
    search = [sys.executable, "-m", "searcher", "search", "zebra", "--mode", "keyword", "-i", str(tmp_path / "index")]
    done = subprocess.run(search, capture_output=True, text=True, check=True)
    assert "nothing found so far: the first add was cut short" in done.stdout
    with Searcher(tmp_path / "index") as index:
        kept = len(sources(index))
        assert kept >= far.passages
        assert f"{kept:,} passages were added" in err
        assert index.add(folder, dry_run=True).unchanged == kept


def test_a_search_amid_a_first_add_says_how_far_it_is(
    index: Searcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.ingest, "BATCH_DOCUMENTS", 2)
    seen: list[UnderWay | None] = []

    def look(event: str, count: int) -> None:
        if event == "file":
            with Searcher(index.folder) as other:
                seen.append(other.under_way())

    index.add(many(tmp_path / "many", 8), progress=look)
    told = [far for far in seen if far]
    assert [far.passages for far in told] == sorted(far.passages for far in told)
    assert {(far.first, far.is_going_on, far.of_files) for far in told} == {(True, True, 8)}
    assert str(told[0]).startswith("the first add is under way: 2 of about ")
    assert index.under_way() is None
    index.add_texts(["more"], ids=["more"])
    assert index.under_way() is None


def test_an_add_whose_process_was_killed_is_cut_short(index: Searcher) -> None:
    index.add_texts(["the bank"])
    dead = [this_process()[0], 2**22 + 1, 1]
    for process, going_on in [(this_process(), True), (dead, False), (None, False), (["elsewhere", 1, 1], True)]:
        note = {"first": True, "files": 1, "of_files": 9, "passages": 1200, "of_passages": 9000, "process": process}
        index.engine.look((), json.dumps(note))
        far = index.under_way()
        assert far and far.is_going_on == going_on
        assert "1,200 of about 9,000 passages" in str(far)
    for damaged in ("", "x", "[]", '{"files": []}', "null"):
        index.engine.look((), damaged)
        assert index.under_way() is None


# -- batches and what is left


@pytest.mark.parametrize(
    ("rate", "idle", "enough"), [(0, True, 2_000), (0, False, 8_000), (100, False, 2_000), (4_000, False, 12_000),
                                 (4_000, True, 2_000), (40_000, True, 10_000), (10**6, False, 32_000)]
)  # fmt: skip
def test_a_batch_is_what_the_encoder_takes_some_seconds_for(
    index: Searcher, monkeypatch: pytest.MonkeyPatch, rate: float, idle: bool, enough: int
) -> None:
    index.add_texts(["x"])
    pipeline = Pipeline(index.engine, index.settings, index.embedder, lambda *_: None, lambda *_: None, lambda _: None)
    pipeline._rate = rate
    monkeypatch.setattr(Pipeline, "_is_idle", property(lambda self: idle))
    assert not pipeline.is_full(Batch(tokens=enough - 1))
    assert pipeline.is_full(Batch(tokens=enough))
    pipeline.abandon()


def test_a_forecast_learns_how_many_tokens_a_kind_holds() -> None:
    forecast = Forecast()
    for number in range(100):
        forecast.expect(f"/{number}.html", 100_000)
        forecast.expect(f"/{number}.png", 0)
    for number in range(10):
        forecast.read(f"/{number}.html", 2_000, 20)
        forecast.passed_over(f"/{number}.png")
    assert forecast.tokens == 20_000
    assert forecast.tokens_in_all == pytest.approx(200_000, rel=0.1)
    assert forecast.passages_in_all == pytest.approx(2_000, rel=0.1)
    for number in range(10, 100):
        forecast.passed_over(f"/{number}.html")
    assert (forecast.tokens_in_all, forecast.passages_in_all) == (20_000, 200)


def test_the_work_that_is_told_ends_as_the_tokens_that_are_told(index: Searcher, tree: Path) -> None:
    told: dict[str, int] = {}

    def count(event: str, number: int) -> None:
        told[event] = told.get(event, 0) + number

    (tree / "p.png").write_bytes(PNG)
    report = index.add(tree, progress=count)
    assert told["work"] == told["token"] == report.tokens
    assert (told["total"], told["file"], told["stored"], told["passage"]) == (6, 6, 6, 6)
