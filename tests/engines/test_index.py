"""The cache file may be deleted, damaged or exchanged at any time: no answer changes, and no write fails for it."""

import errno
import os
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import faiss
import numpy as np
import pytest

from searcher import Searcher
from searcher.engines.snapshots import Snapshot
from searcher.errors import BadValue
from searcher.vectors import Content, Stamp, VectorIndex, cachefile, content, grown

DAMAGED = "vectors.faiss is damaged or was made by another user; searcher check --repair makes it anew"
TEXTS = ["the bank of the river", "money in the bank", "hello world", "a boat is tied to the bank", "near water"]


@pytest.fixture(scope="module")
def made(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "index"
    with Searcher(folder, tiny_bert) as searcher:
        searcher.add_texts(TEXTS, ids=list("abcde"))
    return folder


@pytest.fixture
def searcher(made: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(shutil.copytree(made, tmp_path / "index")) as searcher:
        yield searcher


@pytest.fixture(scope="module")
def question(made: Path) -> np.ndarray:
    with Searcher(made) as searcher:
        return searcher.embedder.embed(["river bank"], "query")[0]


def cache(searcher: Searcher) -> Path:
    return searcher.folder / "vectors.faiss"


def reopened(searcher: Searcher, question: np.ndarray) -> list:
    with Searcher(searcher.folder) as fresh:
        return fresh.search(question, k=99)


def read(searcher: Searcher, wanted: Stamp | None = None) -> VectorIndex | None:
    """The index in the cache file, if the file is sound and of the present state."""
    found = wanted or cachefile.stamp_of(cache(searcher))
    if found is None or (found.generation, found.nonce) != searcher.engine.database.head():
        return None
    body = cachefile.load(cache(searcher), found)
    return None if body is None else VectorIndex.read(body)


def is_used(searcher: Searcher) -> bool:
    """Whether a search leaves the file as it is, instead of making it anew."""
    before = cache(searcher).stat().st_ino
    reopened(searcher, np.eye(1, searcher.settings.dimension, dtype=np.float32)[0])
    return cache(searcher).stat().st_ino == before


# -- what it holds


def test_the_cache_holds_the_stored_vectors_to_the_byte(searcher: Searcher) -> None:
    index = read(searcher)
    assert index is not None
    connection = sqlite3.connect(searcher.folder / "searcher.db")
    stored = connection.execute("SELECT id, vector FROM vectors ORDER BY id").fetchall()
    connection.close()
    assert index.ids.tolist() == [number for number, _ in stored]
    assert index.vectors.tobytes() == b"".join(blob for _, blob in stored)


def test_after_many_changes_it_holds_what_is_stored_and_nothing_else(searcher: Searcher) -> None:
    searcher.add_texts(["one more"], ids=["f"])
    searcher.remove(ids=["a", "c"])
    searcher.add_texts(["another text"], ids=["b"])
    searcher.remove(ids=["f"])
    index = read(searcher)
    ids, vectors = searcher.engine.vectors()
    assert index is not None
    assert index.ids.tolist() == ids.tolist() == searcher.engine.passage_ids().tolist()
    assert np.array_equal(index.vectors, vectors)


def test_an_emptied_index_has_no_cache_and_no_hits(searcher: Searcher, question: np.ndarray) -> None:
    searcher.remove(ids=list("abcde"))
    assert not cache(searcher).exists()
    assert searcher.search(question) == reopened(searcher, question) == []
    searcher.add_texts(["again"], ids=["a"])
    assert [hit.text for hit in reopened(searcher, question)] == ["again"]


def test_an_add_that_changes_nothing_does_not_touch_the_cache(searcher: Searcher) -> None:
    before = cache(searcher).stat()
    with Searcher(searcher.folder) as fresh:
        assert fresh.add_texts(TEXTS, ids=list("abcde")).unchanged == 5
    after = cache(searcher).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


# -- what becomes of it


def test_a_deleted_cache_changes_no_answer(searcher: Searcher, question: np.ndarray) -> None:
    expected = reopened(searcher, question)
    cache(searcher).unlink()
    assert reopened(searcher, question) == expected


def test_a_cache_cut_short_anywhere_changes_no_answer(searcher: Searcher, question: np.ndarray) -> None:
    expected, whole = reopened(searcher, question), cache(searcher).read_bytes()
    lengths = {0, 1, 15, 16, 31, 32, 40, len(whole) - 1, len(whole) - 16, len(whole) - 32, *range(0, len(whole), 41)}
    for length in sorted(lengths):
        cache(searcher).write_bytes(whole[:length])
        assert read(searcher) is None
        assert searcher.check() == [DAMAGED]
    assert reopened(searcher, question) == expected
    assert searcher.check() == []


def test_a_cache_with_any_byte_changed_is_not_used(searcher: Searcher, question: np.ndarray) -> None:
    expected, whole = reopened(searcher, question), cache(searcher).read_bytes()
    wanted = cachefile.stamp_of(cache(searcher))
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        cache(searcher).write_bytes(bytes(damaged))
        assert read(searcher, wanted) is None, place
    assert reopened(searcher, question) == expected


@pytest.mark.parametrize("extra", [b"\0", b"x" * 100])
def test_a_cache_with_bytes_behind_it_is_not_used(searcher: Searcher, extra: bytes) -> None:
    cache(searcher).write_bytes(cache(searcher).read_bytes() + extra)
    assert read(searcher) is None


def test_a_folder_in_the_place_of_the_cache_changes_no_answer(searcher: Searcher, question: np.ndarray) -> None:
    expected = reopened(searcher, question)
    cache(searcher).unlink()
    cache(searcher).mkdir()
    assert reopened(searcher, question) == expected
    assert searcher.add_texts(["one more"]).documents == 1
    searcher.reindex()
    assert len(reopened(searcher, question)) == 6


def another_index(searcher: Searcher, made: Path, tiny_bert: Path) -> bytes:
    with Searcher(searcher.folder.parent / "other", tiny_bert) as other:
        other.add_texts([f"other {text}" for text in TEXTS], ids=list("abcde"))
        assert other.engine.database.head().generation == searcher.engine.database.head().generation
        return cache(other).read_bytes()


def an_older_state(searcher: Searcher, made: Path, tiny_bert: Path) -> bytes:
    old = cache(searcher).read_bytes()
    searcher.add_texts(["hello again"], ids=["c"])
    return old


def the_same_generation_of_another_history(searcher: Searcher, made: Path, tiny_bert: Path) -> bytes:
    with Searcher(shutil.copytree(searcher.folder, searcher.folder.parent / "branch")) as branch:
        branch.add_texts(["what was rolled back"], ids=["c"])
        searcher.add_texts(["what was kept"], ids=["c"])
        assert branch.engine.database.head().generation == searcher.engine.database.head().generation
        return cache(branch).read_bytes()


@pytest.mark.parametrize("foreign", [another_index, the_same_generation_of_another_history], ids=lambda f: f.__name__)
def test_a_cache_of_another_state_is_not_used(
    searcher: Searcher, made: Path, tiny_bert: Path, question: np.ndarray, foreign: Callable[..., bytes]
) -> None:
    data = foreign(searcher, made, tiny_bert)
    expected = searcher.search(question, k=99)
    cache(searcher).write_bytes(data)
    assert not is_used(searcher)
    assert reopened(searcher, question) == expected


def test_check_tells_of_a_cache_that_lies(searcher: Searcher, question: np.ndarray) -> None:
    expected = reopened(searcher, question)
    ids, vectors = searcher.engine.vectors()
    stamp = cachefile.stamp_of(cache(searcher))
    assert stamp is not None
    cachefile.save(cache(searcher), content(faiss.IndexFlatIP(vectors.shape[1]), [vectors[::-1]], ids), stamp)
    [finding] = searcher.check()
    assert finding.startswith("vectors.faiss does not hold the stored vectors")
    scores = {hit.passage_id: hit.score for hit in expected}
    assert {hit.passage_id: hit.score for hit in reopened(searcher, question)} == scores
    with Searcher(searcher.folder) as fresh:
        fresh.reindex()
    assert searcher.check() == []


@pytest.mark.parametrize("call", ["fsync", "open"])
def test_no_add_fails_because_the_cache_cannot_be_written(
    searcher: Searcher, question: np.ndarray, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"searcher.vectors.cachefile.os.{call}", fail)
        assert searcher.add_texts(["one more"], ids=["f"]).documents == 1
        assert searcher.remove(ids=["a"]) == 1
    assert read(searcher) is None
    assert sorted(hit.id for hit in reopened(searcher, question)) == list("bcdef")
    assert [file.name for file in searcher.folder.iterdir() if file.suffix == ".tmp"] == []


def test_a_limit_on_the_size_of_files_fails_with_words_and_leaves_the_last_state(
    searcher: Searcher, question: np.ndarray
) -> None:
    expected = searcher.search(question, k=99)
    size = (searcher.folder / "searcher.db").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        with pytest.raises(Exception, match=r"searcher\.db: the disk"):
            searcher.add_texts([f"text {number} " * 40 for number in range(200)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert searcher.search(question, k=99) == reopened(searcher, question) == expected
    assert searcher.check() == []
    assert searcher.add_texts(["one more"]).documents == 1


def test_what_a_killed_writer_left_is_swept_away(searcher: Searcher) -> None:
    old, new = searcher.folder / "vectors.faiss.0123.tmp", searcher.folder / "vectors.faiss.4567.tmp"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    searcher.add_texts(["one more"])
    assert not old.exists()
    assert new.exists()  # another process may be writing it


# -- the index itself


def written(content: Content) -> np.ndarray:
    pieces: list[bytes] = []
    content(lambda piece: pieces.append(bytes(piece)))
    return np.frombuffer(b"".join(pieces), np.uint8)


def some_vectors(count: int, dimension: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(count)
    ids = np.cumsum(random.integers(1, 5, count)).astype(np.int64)
    return random.normal(size=(count, dimension)).astype(np.float32), ids


@pytest.mark.parametrize("description", ["Flat", "SQ8", "SQ4", "SQfp16", "SQbf16", "IVF3,SQ8"])
@pytest.mark.parametrize(("count", "dimension"), [(1, 8), (7, 32), (1000, 384)])
def test_an_index_written_in_pieces_is_what_faiss_writes(count: int, dimension: int, description: str) -> None:
    vectors, ids = some_vectors(count, dimension)
    index = faiss.index_factory(dimension, description, faiss.METRIC_INNER_PRODUCT)
    index.train(some_vectors(500, dimension)[0])
    expected = faiss.IndexIDMap(faiss.clone_index(index))
    expected.add_with_ids(vectors, ids)
    assert np.array_equal(written(content(index, np.array_split(vectors, 3), ids)), faiss.serialize_index(expected))


@pytest.mark.parametrize("description", ["SQ8", "SQ4", "SQfp16"])
def test_an_index_of_codes_grows_and_leaves_out_what_went_without_being_trained_again(description: str) -> None:
    vectors, ids = some_vectors(40_000, 32)
    index = faiss.index_factory(32, description, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors[:9000])
    kept = np.random.default_rng(0).random(len(ids)) < 0.8
    old = faiss.IndexIDMap(faiss.clone_index(index))
    old.add_with_ids(vectors[:30_000], ids[:30_000])
    kept[30_000:] = True
    expected = faiss.IndexIDMap(index)
    expected.add_with_ids(vectors[kept], ids[kept])
    found = written(grown(faiss.serialize_index(old), np.array_split(vectors[30_000:], 3), ids, kept))
    assert np.array_equal(found, faiss.serialize_index(expected))


def snapshot(ids: np.ndarray, vectors: np.ndarray) -> Snapshot:
    stamp = Stamp(1, "", "", vectors.shape[1], len(ids), int(ids[-1]), "flat")
    return Snapshot.of(VectorIndex.build(ids, vectors), stamp)


def test_a_search_under_a_selection_finds_all_of_it() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(500, 16)).astype(np.float32)
    ids = np.sort(random.choice(10_000, 500, replace=False)).astype(np.int64)
    index = snapshot(ids, vectors)
    for size in (0, 1, 7, 499, 500):
        allowed = np.sort(random.choice(ids, size, replace=False))
        found = index.search(vectors[:3], 600, allowed).ids
        assert found.shape == (3, size)
        assert [sorted(row) for row in found.tolist()] == [allowed.tolist()] * 3


@pytest.mark.parametrize("k", [5, 10**9, 2**40])
def test_any_k_is_cut_to_what_there_is(k: int) -> None:
    index = snapshot(np.arange(1, 4), np.eye(3, 8, dtype=np.float32))
    assert index.search(np.eye(1, 8, dtype=np.float32), k).ids.shape == (1, 3)


@pytest.mark.parametrize(
    "queries",
    [np.zeros((1, 7), np.float32), np.zeros(8, np.float32), np.full((1, 8), np.nan, np.float32),
     np.full((2, 8), np.inf, np.float32)],
    ids=["dimension", "one-dimensional", "NaN", "infinite"],
)  # fmt: skip
def test_queries_that_faiss_would_only_assert_about_are_refused(queries: np.ndarray) -> None:
    with pytest.raises(BadValue):
        snapshot(np.arange(1, 4), np.eye(3, 8, dtype=np.float32)).search(queries, 2)
