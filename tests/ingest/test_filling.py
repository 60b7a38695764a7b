"""An add into an engine that several writers fill at once, a real Milvus Lite: what one writer makes, wherever it stops."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import save_bert

import searcher.ingest.filling as searcher_filling
from searcher import Searcher
from searcher.errors import IndexUnavailable, Interrupted

pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")

from searcher.engines.milvus.engine import MilvusEngine

TOKENS = 60  # of a batch, that there are many
PATIENCE = 10.0  # seconds for a write that is to come beside another


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("models") / "bert", width=64, heads=2)


def made_tree(folder: Path) -> Path:
    """Files of which each has a passage that all have, a table of many batches, and one that cannot be read."""
    folder.mkdir()
    for n in range(6):
        (folder / f"{n}.md").write_text(
            f"# Part {n}\n\nthe river {n} flows near bank {n}\n\n# End\n\nall rights reserved\n"
        )
    rows = [json.dumps({"id": n, "text": f"question {n % 10} of the document, near water"}) for n in range(24)]
    (folder / "rows.jsonl").write_text("\n".join(rows))
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    return folder


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that nobody changes."""
    return made_tree(tmp_path_factory.mktemp("unchanged") / "tree")


@pytest.fixture(scope="module")
def wanted(tree: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple["State", dict[str, Any]]:
    return by_one_writer(tree, model, tmp_path_factory.mktemp("one"))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("searcher.ingest.pipeline.BATCH_TOKENS", TOKENS)
    monkeypatch.setattr("searcher.ingest.pipeline.LEAST_TOKENS", 1)


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MilvusEngine, "writers", 4)


Opened = Callable[[], Searcher]


@pytest.fixture
def opened(tmp_path: Path, model: Path) -> Opened:
    return lambda: Searcher(model=model, dtype="fp32", engine=f"milvus:{tmp_path}/x.db#several")


State = tuple[list[tuple[Any, ...]], dict[str, bytes], list[np.ndarray]]


def state(searcher: Searcher) -> State:
    """Documents by source with their files and passages, the files that are wholly in, and the vectors."""
    engine = searcher.engine
    whole = sorted((item for _, item in engine.whole(engine.document_ids())), key=lambda item: item.document.source)
    found = [(item.document, item.file, item.chunks) for item in whole]
    return found, dict(engine.files()), [item.vectors for item in whole]


def assert_same(found: State, wanted: State) -> None:
    """Vectors may differ by rounding, as what is embedded together differs."""
    assert found[:2] == wanted[:2]
    for own, other in zip(found[2], wanted[2], strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6)


def by_one_writer(tree: Path, model: Path, tmp_path: Path) -> tuple[State, dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(MilvusEngine, "writers", 1)
        with Searcher(model=model, dtype="fp32", engine=f"milvus:{tmp_path}/one.db") as one:
            report = one.add(tree).as_dict()
            return state(one), report | {"seconds": 0}


class Watched:
    """The writes into engines from now on: how many there were at once, and beside those that do more than to add."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most, self.beside_changes = 0, list[int]()
        self._at_once, self._two = 0, threading.Event()
        self._write = MilvusEngine.write
        monkeypatch.setattr(MilvusEngine, "write", lambda *given, **named: self._watched(*given, **named))

    def _watched(
        self, engine: MilvusEngine, prepared: Any = (), removed: Any = (), files: Any = (), **more: Any
    ) -> int:
        self._at_once += 1
        self.most = max(self.most, self._at_once)
        if self._at_once > 1:
            self._two.set()
        if removed or more.get("moves") or any(digest is None for _, digest in files):
            self.beside_changes.append(self._at_once - 1)
        elif prepared:
            self._two.wait(PATIENCE)  # for the one that comes beside it
        try:
            return self._write(engine, prepared, removed, files, **more)
        finally:
            self._at_once -= 1


def test_several_writers_make_what_one_does(
    tree: Path, wanted: tuple[State, dict[str, Any]], opened: Opened, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched, stored = Watched(monkeypatch), list[int]()
    with opened() as searcher:
        report = searcher.add(tree, progress=lambda event, n: stored.append(n) if event == "stored" else None)
        assert 1 < watched.most <= 4
        assert report.as_dict() | {"seconds": 0} == wanted[1]
        assert sum(stored) == report.passages
        assert_same(state(searcher), wanted[0])
        assert searcher.check() == []
        assert searcher.under_way() is None
        again = searcher.add(tree)
        assert (again.documents, again.unchanged, again.embedded) == (0, report.documents, 0)


def test_what_replaces_or_removes_is_written_alone(
    model: Path, tmp_path: Path, opened: Opened, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = made_tree(tmp_path / "tree")
    with opened() as searcher:
        searcher.add(tree)
        (tree / "0.md").write_text("a shorter text, with a bank")
        (tree / "1.md").rename(tree / "one.md")
        (tree / "2.md").unlink()
        (tree / "rows.jsonl").write_text('{"id": 1, "text": "another question"}\n{"id": 99, "text": "a new one"}\n')
        for n in range(20, 24):
            (tree / f"{n}.md").write_text(
                f"# New {n}\n\nmoney of account {n} in the bank\n\n# End\n\nall rights reserved\n"
            )
        changed, _ = by_one_writer(tree, model, tmp_path)
        watched = Watched(monkeypatch)
        searcher.add(tree, prune=True)
        assert watched.most > 1
        assert watched.beside_changes
        assert not any(watched.beside_changes)
        assert_same(state(searcher), changed)
        assert searcher.check() == []


@pytest.mark.parametrize("victim", ["4.md", "rows.jsonl#20"])
def test_an_add_of_which_one_write_fails_goes_on_without_a_lost_or_doubled_document(
    tree: Path, wanted: tuple[State, dict[str, Any]], opened: Opened, several: None, victim: str
) -> None:
    every = [(document.source, path) for document, path, _ in wanted[0][0]]
    [lost] = [source for source, _ in every if source.endswith(victim)]
    write, later = MilvusEngine.write, threading.Event()

    def failing(engine: MilvusEngine, prepared: Any = (), *given: Any, **named: Any) -> int:
        if any(item.document.source == lost for item in prepared):
            later.wait(PATIENCE)  # until one that began after it is in
            raise IndexUnavailable("the network is gone")
        done = write(engine, prepared, *given, **named)
        if any(item.document.source > lost for item in prepared):
            later.set()
        return done

    with pytest.MonkeyPatch.context() as patched, opened() as searcher:
        patched.setattr(MilvusEngine, "write", failing)
        with pytest.raises(IndexUnavailable, match="the network is gone"):
            searcher.add(tree)
        assert later.is_set()
    with opened() as searcher:
        documents, files, _ = state(searcher)
        there = {document.source for document, _, _ in documents}
        assert lost not in there
        assert files.keys().isdisjoint(path for source, path in every if source not in there)
        searcher.add(tree)
        assert_same(state(searcher), wanted[0])
        assert searcher.check() == []


def test_ctrl_c_waits_for_what_is_being_written_and_counts_it(
    tree: Path, wanted: tuple[State, dict[str, Any]], opened: Opened, several: None
) -> None:
    keys = ["Ctrl-C"]

    def pressed(event: str, count: int) -> None:
        if event == "stored" and keys:
            keys.clear()
            raise KeyboardInterrupt

    with opened() as searcher:
        with pytest.raises(Interrupted) as told:
            searcher.add(tree, progress=pressed)
        report = told.value.report
        assert 0 < report.documents < wanted[1]["documents"]
        assert searcher.engine.counts()["documents"] == report.documents
        assert searcher.engine.counts()["passages"] == report.passages
        searcher.add(tree)
        assert_same(state(searcher), wanted[0])


@pytest.mark.parametrize("is_handed", [True, False])
def test_ctrl_c_as_a_batch_is_handed_over_neither_doubles_nor_loses_it(
    tree: Path, wanted: tuple[State, dict[str, Any]], opened: Opened, several: None, monkeypatch: pytest.MonkeyPatch,
    is_handed: bool,
) -> None:  # fmt: skip
    class Pressed(ThreadPoolExecutor):
        def submit(self, *given: Any, **named: Any) -> Any:
            if is_handed:
                super().submit(*given, **named)
            raise KeyboardInterrupt

    with opened() as searcher:
        with monkeypatch.context() as patch:
            patch.setattr(searcher_filling, "ThreadPoolExecutor", Pressed)
            with pytest.raises(KeyboardInterrupt):
                searcher.add(tree)
        searcher.add(tree)
        assert_same(state(searcher), wanted[0])
