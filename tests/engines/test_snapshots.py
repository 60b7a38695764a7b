"""A large index is not written anew for a small change: what came and went since is searched beside it, exactly."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher import Searcher
from searcher.engines.snapshots import Snapshot
from searcher.records import Head
from searcher.vectors import Stamp, VectorIndex, cachefile

WORDS = "bank river money water boat hello world question answer passage vector token".split()


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "index"
    with Searcher(folder, tiny_bert) as searcher:
        texts = [f"{first} {second} near" for first in WORDS for second in WORDS]
        searcher.add_texts(texts, ids=[f"d{number}" for number in range(len(texts))])
    return folder


@pytest.fixture
def searcher(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Searcher]:
    monkeypatch.setenv("SEARCHER_DELTA", "6")
    with Searcher(shutil.copytree(made, tmp_path / "index")) as searcher:
        yield searcher


def inode(searcher: Searcher) -> int:
    return (searcher.folder / "vectors.faiss").stat().st_ino


def cached_ids(searcher: Searcher) -> list[int]:
    path = searcher.folder / "vectors.faiss"
    stamp = cachefile.stamp_of(path)
    assert stamp is not None
    body = cachefile.load(path, stamp)
    assert body is not None
    return VectorIndex.read(body).ids.tolist()


def is_right(searcher: Searcher, seed: int = 0) -> bool:
    """Whether hits are those of brute force over what is in the database."""
    connection = sqlite3.connect(searcher.folder / "searcher.db")
    rows = connection.execute("SELECT id, vector FROM vectors").fetchall()
    connection.close()
    ids, vectors = [row[0] for row in rows], np.stack([np.frombuffer(row[1], "<f4") for row in rows])
    queries = np.random.default_rng(seed).standard_normal((3, vectors.shape[1])).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    for hits, scores in zip(searcher.search(queries, k=len(ids) + 5), queries @ vectors.T, strict=True):
        if sorted(hit.passage_id for hit in hits) != sorted(ids):
            return False
        best = dict(zip(ids, scores.tolist(), strict=True))
        if not np.allclose([hit.score for hit in hits], sorted(best.values(), reverse=True), atol=1e-5):
            return False
        if not np.allclose([hit.score for hit in hits], [best[hit.passage_id] for hit in hits], atol=1e-5):
            return False
    return True


def test_a_few_changes_leave_the_file_alone_and_are_seen_at_once_and_after_reopening(searcher: Searcher) -> None:
    before = inode(searcher)
    searcher.add_texts(["a boat"], ids=["new"])
    searcher.add_texts(["another text"], ids=["d7"])
    searcher.remove(ids=["d3"])
    assert inode(searcher) == before
    for view in (searcher, Searcher(searcher.folder)):
        assert is_right(view)
        found = {hit.id for hit in view.search("a boat", k=999)}
        assert "new" in found
        assert "d3" not in found
        assert view.check() == []
    assert inode(searcher) == before


def test_past_the_threshold_the_file_holds_all_that_is_stored(searcher: Searcher) -> None:
    before = inode(searcher)
    for number in range(3):
        searcher.add_texts([f"text {number}"], ids=[f"new{number}"])
        searcher.remove(ids=[f"d{number}"])
    assert inode(searcher) == before
    searcher.add_texts(["text three"], ids=["new3"])
    assert inode(searcher) != before
    assert cached_ids(searcher) == searcher.engine.passage_ids().tolist()
    assert is_right(searcher)


def test_what_came_and_went_since_the_file_was_written_is_not_found(searcher: Searcher) -> None:
    searcher.search("x")  # the snapshot is there and has to catch up
    searcher.add_texts(["here and gone"], ids=["brief"])
    assert searcher.search("here and gone", k=1)[0].id == "brief"
    searcher.remove(ids=["brief"])
    for view in (searcher, Searcher(searcher.folder)):
        assert "brief" not in {hit.id for hit in view.search("here and gone", k=999)}
        assert is_right(view)


def test_a_filter_reaches_the_passages_on_both_sides(searcher: Searcher) -> None:
    searcher.add_texts(["a boat"], ids=["new"], metadatas=[{"side": "new"}])
    assert [hit.id for hit in searcher.search("money", k=9, where="side = 'new'")] == ["new"]
    assert {hit.id for hit in searcher.search("money", k=9, where="id in ('d5', 'new')")} == {"d5", "new"}


def test_other_objects_catch_up_with_what_this_one_wrote(searcher: Searcher) -> None:
    other = Searcher(searcher.folder)
    assert is_right(other)
    for number in range(20):  # across the threshold several times
        searcher.add_texts([f"text {number}"], ids=[f"new{number}"])
        searcher.remove(ids=[f"d{number}", f"d{number + 50}"])
        if number % 3 == 0:
            assert is_right(other, number)
            assert is_right(searcher, number)
    assert is_right(other)


def test_a_snapshot_older_than_what_the_store_remembers_starts_anew(searcher: Searcher) -> None:
    other = Searcher(searcher.folder)
    other.search("x")
    searcher.remove(ids=["d1", "d2"])
    searcher.compact()  # forgets what went
    assert searcher.engine.removed(0).tolist() == []
    assert is_right(other)


def test_an_older_file_put_back_is_caught_up_with(searcher: Searcher) -> None:
    old = (searcher.folder / "vectors.faiss").read_bytes()
    searcher.add_texts([f"text {number}" for number in range(9)])
    searcher.remove(ids=["d1"])
    (searcher.folder / "vectors.faiss").write_bytes(old)
    assert is_right(Searcher(searcher.folder))


def test_a_file_of_a_state_that_never_was_is_not_used(searcher: Searcher) -> None:
    """A backup was put back: the same generation of another history."""
    branch = Searcher(shutil.copytree(searcher.folder, searcher.folder.parent / "branch"))
    branch.add_texts([f"branch {number}" for number in range(9)])
    searcher.add_texts([f"text {number}" for number in range(9)])
    shutil.copy(branch.folder / "vectors.faiss", searcher.folder / "vectors.faiss")
    assert is_right(Searcher(searcher.folder))
    assert is_right(branch)


def test_compaction_leaves_no_trace_of_a_removed_text_or_vector(searcher: Searcher) -> None:
    searcher.add_texts(["the secret question"], ids=["secret"])
    vector = searcher.passages("secret")[0].vector.tobytes()
    searcher.reindex()
    files = [searcher.folder / name for name in ("searcher.db", "vectors.faiss")]
    assert all(vector in file.read_bytes() for file in files)
    searcher.remove(ids=["secret"])
    assert b"the secret question" not in files[0].read_bytes()  # secure_delete: at once
    assert searcher.compact() > 0
    assert not any(vector in file.read_bytes() or b"secret" in file.read_bytes() for file in files)
    assert is_right(searcher)
    assert searcher.check() == []


# -- the snapshot itself


@settings(max_examples=60)
@given(st.data())
def test_base_and_delta_answer_as_brute_force_over_both(data: st.DataObject) -> None:
    count, fresh = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 12))
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    ids = np.cumsum(random.integers(1, 4, count + fresh)).astype(np.int64)
    vectors = random.standard_normal((count + fresh, 8)).astype(np.float32)
    gone = np.sort(random.choice(ids[:count], data.draw(st.integers(0, count)), replace=False))
    base = VectorIndex.build(ids[:count], vectors[:count])
    stamp = Stamp(1, "", "", 8, count, int(ids[count - 1]), "flat")
    snapshot = Snapshot(Head(2, ""), stamp, base, gone, ids[count:], vectors[count:])
    alive = np.setdiff1d(ids, gone)
    assert len(snapshot) == len(alive)
    allowed = None
    if data.draw(st.booleans()):
        allowed = np.sort(random.choice(np.arange(ids[-1] + 20), data.draw(st.integers(0, 20)), replace=False))
        alive = np.intersect1d(alive, allowed)
    k = data.draw(st.integers(1, 60))
    queries = random.standard_normal((3, 8)).astype(np.float32)
    found = snapshot.search(queries, k, allowed).ids
    for row, query in zip(found.tolist(), queries, strict=True):
        scores = {number: float(vectors[np.searchsorted(ids, number)] @ query) for number in alive.tolist()}
        best = sorted(scores, key=scores.__getitem__, reverse=True)[:k]
        assert set(best) <= set(row) <= set(scores)
        assert len(row) == len(set(row))
