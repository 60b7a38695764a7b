"""A copy of an index is equal to it, whoever stopped it and however often it is made again, and never mixes with others."""

import io
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from any_documents import documents, made, names, of_documents, settings_of, with_passages
from hypothesis import given, settings
from hypothesis import strategies as st

import searcher.ingest.copying
import searcher.ingest.files
import searcher.ingest.marks
from searcher import Document, Interrupted, Searcher
from searcher.engines import Engine, LocalEngine, Look
from searcher.errors import BadValue, IndexUnavailable, SettingsMismatch, UnknownName
from searcher.ingest.copying import Copied, Copying
from searcher.ingest.exchange import write_export
from searcher.records import Prepared

MADE_WITH = settings_of()


def copied(source: Engine, target: Engine, **how: Any) -> Copied:
    made_with = source.settings()
    assert made_with is not None
    return Copying(source, target, made_with, how.pop("progress", lambda event, count: None)).run(**how)


def lines(engine: Engine) -> bytes:
    stream = io.BytesIO()
    write_export(engine, stream, "base64")
    return stream.getvalue()


def beside(engine: LocalEngine) -> tuple[Any, ...]:
    """What an export leaves out."""
    notes = engine.notes
    return engine.indexing(), engine.seen_under("/"), notes.texts(), notes.unanswered()


def equal(source: LocalEngine, target: LocalEngine) -> bool:
    return lines(source) == lines(target) and beside(source) == beside(target) and target.check() == []


@pytest.fixture
def source(tmp_path: Path) -> LocalEngine:
    """Ten documents of five files, four of them wholly in."""
    files = [(f"/files/{number}.md", bytes([number])) for number in range(4)]
    engine = made(tmp_path / "source", of_documents(10, MADE_WITH), MADE_WITH, files)
    engine.look([Look("/files/1.md", b"mark"), Look("/files/x.png", b"look", "no text in it")])
    return engine


@pytest.fixture
def target(tmp_path: Path) -> LocalEngine:
    """A new index."""
    return LocalEngine(tmp_path / "target", create=True)


@pytest.fixture
def in_twos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two documents in a batch."""
    monkeypatch.setattr(searcher.ingest.copying, "BATCH_DOCUMENTS", 2)


# -- equal


@settings(max_examples=12)
@given(
    st.lists(st.tuples(documents, st.none() | names), max_size=5, unique_by=lambda item: item[0].source),
    st.booleans(), st.sampled_from(["auto", "hnsw"]), st.dictionaries(names, names, max_size=2), st.data(),
)  # fmt: skip
def test_any_index_is_equal_to_its_copy_and_a_second_copy_writes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    items: list[tuple[Document, str | None]], is_given: bool, kind: str, notes: dict[str, str], data: st.DataObject,
) -> None:  # fmt: skip
    folder, made_with = tmp_path_factory.mktemp("any"), settings_of(is_given)
    prepared = []
    for document, file in items:
        size = len(document.text)
        cuts = data.draw(st.lists(st.integers(0, size - 1), max_size=5, unique=True)) if size else []
        prepared.append(with_passages(document, made_with, cuts, file))
    source = made(folder / "a", prepared, made_with, [(file, b"digest") for _, file in items if file])
    source.want(replace(source.indexing(), type=kind))
    source.notes.take_in(notes, [])
    for question in notes.values():
        source.notes.log(question)
    target = LocalEngine(folder / "b", create=True)
    done = copied(source, target)
    assert equal(source, target)
    assert (done.documents, done.unchanged) == (len(items), 0)
    assert done.likeness is not None and done.likeness.wrong is None and done.likeness.overlap in (None, 1.0)
    head = target.head()
    again = copied(source, target)
    assert (again.documents, again.unchanged, target.head()) == (0, len(items), head)
    source.close()
    target.close()
    shutil.rmtree(folder)


def test_what_decides_nothing_of_the_digest_is_compared_too(tmp_path: Path) -> None:
    made_with = settings_of(given=True)
    document = Document("s", "one two three", "T", "k")
    source = made(tmp_path / "a", [with_passages(document, made_with, [0, 4])], made_with)
    target = LocalEngine(tmp_path / "b", create=True)
    copied(source, target)
    for changed in (
        with_passages(document, made_with, [0, 4], seed=1),  # other vectors
        with_passages(document, made_with, [0, 8], seed=1),  # cut elsewhere
        with_passages(document, made_with, [0, 8], file="/f", seed=1),  # from a file
        replace(with_passages(document, made_with, [0]), given=[None], vectors=np.zeros((1, 8), np.float32)),
    ):
        source.write([changed])
        assert copied(source, target).documents == 1
        assert equal(source, target)


def test_what_changed_since_is_copied_again_and_only_that(source: LocalEngine, target: LocalEngine) -> None:
    copied(source, target)
    source.amend([3], {"n": "changed"})
    source.write([with_passages(Document("s7", "another text"), MADE_WITH, [0])])
    source.write([with_passages(Document("new", "a new text"), MADE_WITH, [0])], files=[("/files/0.md", None)])
    done = copied(source, target)
    assert (done.documents, done.passages, done.unchanged, done.files) == (3, 5, 8, 2)
    assert sorted(lines(source).splitlines()) == sorted(lines(target).splitlines())


def test_an_index_of_nothing_is_copied_with_its_settings(tmp_path: Path, target: LocalEngine) -> None:
    source = made(tmp_path / "empty", [], MADE_WITH)
    done = copied(source, target)
    assert target.settings() == MADE_WITH and done.likeness is not None
    assert (done.likeness.searched, done.likeness.overlap, done.likeness.wrong) == (0, None, None)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_is_written_meanwhile_is_copied_too_until_it_does_not_end(
    source: LocalEngine, target: LocalEngine, in_twos: None, times: int
) -> None:
    other, calls = LocalEngine(source.folder), 0

    def meanwhile(event: str, count: int) -> None:
        nonlocal calls
        if event == "total" and calls < times:
            calls += 1
            other.write([with_passages(Document(f"later {calls}", "a later text"), MADE_WITH, [0])])
            other.amend([1], {"n": calls})

    done = copied(source, target, progress=meanwhile)
    assert (done.likeness is None) == (times == 3) == bool(done.stayed)
    assert times == 3 or sorted(lines(source).splitlines()) == sorted(lines(target).splitlines())
    assert copied(source, target).documents == (times == 3)
    assert sorted(lines(source).splitlines()) == sorted(lines(target).splitlines())


def test_documents_that_go_meanwhile_are_left_out_and_those_copied_already_are_told(
    source: LocalEngine, target: LocalEngine, in_twos: None
) -> None:
    def meanwhile(event: str, count: int) -> None:
        if event == "stored" and source.document_count() == 10:
            source.write(remove=[1, 10])

    done = copied(source, target, progress=meanwhile)
    assert done.likeness is not None and done.likeness.wrong is not None
    assert done.likeness.wrong.startswith("9 documents are there, not 8")
    assert copied(source, target, others="remove").removed == 1
    assert lines(source) == lines(target)


def test_an_index_that_is_embedded_again_meanwhile_is_not_mixed(
    source: LocalEngine, target: LocalEngine, in_twos: None
) -> None:
    def meanwhile(event: str, count: int) -> None:
        if event == "stored":
            source.write(of_documents(10, MADE_WITH), settings=settings_of(pooling="cls"))

    with pytest.raises(IndexUnavailable, match="embedded again with other settings meanwhile"):
        copied(source, target, progress=meanwhile)
    assert target.document_count() < 10 and target.settings() == MADE_WITH


def test_the_owner_of_a_copy_may_choose_another_index_type_and_keeps_it(
    source: LocalEngine, target: LocalEngine
) -> None:
    copied(source, target)
    target.want(replace(target.indexing(), type="sq8"))
    copied(source, target)
    assert (source.indexing().type, target.indexing().type) == ("auto", "sq8")


def test_a_later_add_finds_files_and_what_was_passed_over_unchanged(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searcher.ingest.marks, "MOMENT_NS", -(10**12))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.md").write_text("# Title\n\nthe bank of the river\n")
    (tmp_path / "tree" / "t.csv").write_text("id,text\n1,hello\n2,world\n")
    (tmp_path / "tree" / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    with Searcher(tmp_path / "a", tiny_bert) as one, Searcher(tmp_path / "b") as two:
        one.add(tmp_path / "tree")
        two.copy_from(one)
        read, content = [], searcher.ingest.files._content
        monkeypatch.setattr(searcher.ingest.files, "_content", lambda path: read.append(path.name) or content(path))
        report = two.add(tmp_path / "tree")
        assert (report.documents, report.unchanged, [each.known for each in report.skipped]) == (0, 3, [True])
        assert read == ["p.png"]
        assert two.search("river", k=1)[0].text == one.search("river", k=1)[0].text
        assert two.settings == one.settings


# -- others


def test_other_documents_are_refused_kept_or_removed_as_is_asked(source: LocalEngine, target: LocalEngine) -> None:
    copied(source, target)
    others = [with_passages(Document(name, "other text"), MADE_WITH, [0], "/files/o.md") for name in ("o1", "o2")]
    target.write(others, files=[("/files/o.md", b"o")])
    target.notes.take_in({"note": "its own"}, [])
    source.notes.take_in({"note": "theirs", "more": "theirs"}, [])
    before = lines(target)
    with pytest.raises(
        BadValue, match=r"^2 documents there, such as o1, not in the index that is copied; --others keep"
    ):
        copied(source, target)
    assert lines(target) == before
    kept = copied(source, target, others="keep")
    assert (kept.kept, kept.removed, kept.documents) == (2, 0, 0)
    assert kept.likeness is not None and kept.likeness.wrong is None and kept.likeness.overlap == 1
    assert lines(target) == before and target.notes.texts() == {"note": "its own", "more": "theirs"}
    gone = copied(source, target, others="remove")
    assert (gone.kept, gone.removed, gone.files) == (0, 2, 0)
    assert equal(source, target)


def test_other_documents_that_are_nearer_are_no_fault_of_the_copy(source: LocalEngine, target: LocalEngine) -> None:
    copied(source, target)
    same = of_documents(10, MADE_WITH)
    target.write([replace(item, document=replace(item.document, source=f"o{at}")) for at, item in enumerate(same)])
    done = copied(source, target, others="keep")
    assert done.kept == 10 and done.likeness is not None
    assert (done.likeness.overlap, done.likeness.wrong) == (1, None)


def test_a_word_for_others_that_is_none_is_told(source: LocalEngine, target: LocalEngine) -> None:
    with pytest.raises(UnknownName, match="known: keep, refuse, remove"):
        copied(source, target, others="keeps")


def test_other_settings_are_refused_with_both_values_and_nothing_is_written(
    source: LocalEngine, tmp_path: Path
) -> None:
    target = made(tmp_path / "other", of_documents(2, MADE_WITH), settings_of(overlap=3))
    before = lines(target)
    with pytest.raises(SettingsMismatch, match=r"made with overlap 3, not 0; a copy goes into a new index"):
        copied(source, target)
    assert lines(target) == before


def test_an_index_is_not_copied_to_itself_nor_from_one_that_is_none(source: LocalEngine, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source.folder)
    with pytest.raises(BadValue, match="would be copied to itself"):
        Searcher(tmp_path / "link").copy_from(Searcher(source.folder))
    with pytest.raises(IndexUnavailable, match=r"no index in .*nowhere"):
        Searcher(tmp_path / "new").copy_from(Searcher(tmp_path / "nowhere"))
    LocalEngine(tmp_path / "unused", create=True).close()
    with pytest.raises(IndexUnavailable, match="nothing was ever added to it"):
        Searcher(tmp_path / "new").copy_from(Searcher(tmp_path / "unused"))
    with pytest.raises(SettingsMismatch, match=r"given vectors|theirs"):
        Searcher(tmp_path / "new", vectors="ours").copy_from(Searcher(source.folder))
    assert not (tmp_path / "new").exists()


# -- stopped

KILLED = """
import os, signal, sys
from pathlib import Path
from searcher import Searcher
from searcher.engines import LocalEngine
import searcher.ingest.copying

searcher.ingest.copying.BATCH_DOCUMENTS = 2
method, count, before = sys.argv[3], int(sys.argv[4]), sys.argv[5] == "before"
calls, original = 0, getattr(LocalEngine, method)

def killed(*arguments, **named):
    global calls
    calls += 1
    if calls == count and before:
        os.kill(os.getpid(), signal.SIGKILL)
    done = original(*arguments, **named)
    if calls == count:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(LocalEngine, method, killed)
Searcher(sys.argv[2]).copy_from(Searcher(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("method", "count", "when", "there"),
    [("write", 3, "after", 6), ("look", 1, "before", 10)],
)  # fmt: skip
def test_a_copy_that_was_killed_goes_on_from_there(
    source: LocalEngine, tmp_path: Path, method: str, count: int, when: str, there: int
) -> None:
    command = [sys.executable, "-c", KILLED, source.folder, tmp_path / "target", method, count, when]
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    target = LocalEngine(tmp_path / "target")
    assert target.document_count() == there
    report = copied(source, target)
    assert (report.documents, report.unchanged) == (10 - there, there)
    assert equal(source, target)


def test_a_file_whose_documents_are_half_copied_does_not_count_as_wholly_in(
    source: LocalEngine, target: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied(source, target)
    source.amend([1, 2], {"n": "changed"})
    source.write(files=[("/files/0.md", b"other")])

    def fail(**_: Any) -> None:
        raise IndexUnavailable("the disk is full")

    write = target.write
    monkeypatch.setattr(target, "write", lambda items=(), **how: write(items, **how) if items else fail())
    with pytest.raises(IndexUnavailable, match="the disk is full"):
        copied(source, target)
    assert "/files/0.md" not in dict(target.files()) and "/files/1.md" in dict(target.files())


def test_ctrl_c_stops_when_the_batch_in_flight_is_written(
    source: LocalEngine, target: LocalEngine, in_twos: None
) -> None:
    events: list[str] = []

    def pressed(event: str, count: int) -> None:
        events.append(event)
        if event == "stored" and events.count("stored") == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"4 documents are in, 12 passages were added and stay"):
        copied(source, target, progress=pressed)
    assert "stop" in events and target.document_count() == 4 and target.check() == []
    done = copied(source, target)
    assert (done.documents, done.unchanged) == (6, 4)
    assert equal(source, target)


def test_what_goes_wrong_in_a_write_is_told_and_what_was_written_before_stays(
    source: LocalEngine, target: LocalEngine, in_twos: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = target.write, 0

    def full(*arguments: Any, **named: Any) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise IndexUnavailable("the disk is full")
        return write(*arguments, **named)

    monkeypatch.setattr(target, "write", full)
    with pytest.raises(IndexUnavailable, match="the disk is full"):
        copied(source, target)
    assert target.document_count() == 4 and copied(source, target).documents == 6
    assert equal(source, target)


# -- any engine


class Only:
    """An engine of which nothing is known but what the Protocol says."""

    def __init__(self, engine: LocalEngine, **instead: Callable[..., Any]) -> None:
        self.engine, self.instead = engine, instead

    def __getattr__(self, name: str) -> Any:
        if name not in vars(Engine) or name.startswith("_"):
            raise AttributeError(f"the Protocol has no {name}")
        return self.instead.get(name) or getattr(self.engine, name)


def test_batches_are_written_at_once_and_one_that_fails_leaves_the_others_whole(
    source: LocalEngine, target: LocalEngine, in_twos: None
) -> None:
    meeting, inside, most = Barrier(3, timeout=30), list[int](), list[int]()

    def write(items: Sequence[Prepared] = (), **how: Any) -> int:
        if not items:
            return target.write(items, **how)
        inside.append(1)
        most.append(len(inside))
        try:
            if len(most) <= 3:
                meeting.wait()  # who wrote one after the other would wait for ever
            if any(item.document.source == "s2" for item in items):
                raise IndexUnavailable("the network is gone")
            return target.write(items, **how)
        finally:
            inside.pop()

    with pytest.raises(IndexUnavailable, match="the network is gone"):
        copied(source, Only(target, write=write, writers=3))  # type: ignore[arg-type]
    there = target.document_count()
    assert max(most) == 3 and inside == [] and 4 <= there <= 8 and target.known(["s2"]) == {}
    done = copied(source, target)
    assert (done.documents, done.unchanged) == (10 - there, there)
    assert sorted(lines(source).splitlines()) == sorted(lines(target).splitlines()) and target.check() == []


class NoNotes(Only):
    @property
    def notes(self) -> Any:
        raise BadValue("this engine keeps none")


def test_of_an_engine_nothing_is_asked_but_what_the_protocol_has(source: LocalEngine, target: LocalEngine) -> None:
    source.notes.take_in({"calibration": "1"}, [])
    done = copied(source, NoNotes(target))  # type: ignore[arg-type]
    assert done.stayed == [
        "the index type, auto: the engine there has its own", "what is kept about the FAQ: this engine keeps none",
    ]  # fmt: skip
    assert lines(source) == lines(target) and source.seen_under("/") == target.seen_under("/")
    back = LocalEngine(target.folder.with_name("back"), create=True)
    assert copied(Only(target), back).stayed == []  # type: ignore[arg-type]
    assert lines(back) == lines(source)


def altered(items: Sequence[Prepared]) -> list[Prepared]:
    return [replace(item, vectors=np.roll(item.vectors, 1, axis=1)) for item in items]


def rounded(items: Sequence[Prepared]) -> list[Prepared]:
    return [replace(item, vectors=(item.vectors + np.float32(1e-3)).astype(np.float32)) for item in items]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda items: items[1:], "9 documents are there, not 10"),
        (altered, "of 9 documents read again 9 are not as they were, such as s0.*are found there"),
        (rounded, "of 9 documents read again 9 are not as they were.*a cosine is another by"),
    ],
)
def test_an_engine_that_keeps_something_else_is_found_out(
    source: LocalEngine, target: LocalEngine, change: Callable[[Sequence[Prepared]], list[Prepared]], said: str
) -> None:
    write = target.write
    lossy = Only(target, write=lambda items=(), **how: write(change(items) if items else (), **how))
    likeness = copied(source, lossy).likeness  # type: ignore[arg-type]
    assert likeness is not None and likeness.wrong is not None
    assert re.search(said, likeness.wrong), likeness.wrong


def test_memory_does_not_grow_with_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tracemalloc

    monkeypatch.setattr(searcher.ingest.copying, "BATCH_BYTES", 100_000)
    made_with, peaks = settings_of(dimension=384), []
    for count in (20, 150):  # 0.3 and 2.3 MB of vectors
        source = made(tmp_path / f"from-{count}", of_documents(count, made_with, 10), made_with)
        target = LocalEngine(tmp_path / f"to-{count}", create=True)
        monkeypatch.setattr(target, "publish", lambda: True)  # what makes the FAISS file is not what is looked at
        monkeypatch.setattr(searcher.ingest.copying, "likeness", lambda *_: None)
        tracemalloc.start()
        copied(source, target)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert target.document_count() == count
    assert peaks[1] < peaks[0] + 300_000
