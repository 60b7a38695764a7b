"""Every type of FAISS index: never fewer hits than there are, exact cosines, growth without a rewrite, measured recall."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from models import save_bert

from searcher import Searcher
from searcher.cli.program import cli
from searcher.embedding import normalize
from searcher.engines.snapshots import CACHE
from searcher.errors import BadValue
from searcher.records import Chunk, Document, Prepared
from searcher.vectors import cachefile, codes, index_type
from searcher.vectors.types import TYPES, automatic

KINDS = [*TYPES, "HNSW16,SQ8", "RR32,IVF8,SQ8", "PCA28,HNSW16"]
COUNT, WIDTH = 1200, 32


def text_vectors(seed: int, count: int) -> np.ndarray:
    """Unit rows (count, WIDTH) float32 that lie in clusters, as those of texts do."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).standard_normal((30, WIDTH))
    vectors = centres[random.integers(0, 30, count)] + 0.6 * random.standard_normal((count, WIDTH))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def put(searcher: Searcher, vectors: np.ndarray, start: int = 0) -> None:
    """One document with one passage for each vector, its number as id and in metadata, written as an add does."""
    prepared = []
    for number, vector in enumerate(vectors, start):
        document = Document(f"d{number}", f"text {number}", id=str(number), metadata={"n": number})
        prepared.append(
            Prepared(document, document.digest(), None, [Chunk(0, len(document.text), (), 2)], vector[None])
        )
    searcher.engine.write(prepared)
    searcher.engine.snapshots.publish()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bert(tmp_path_factory.mktemp("model"), width=WIDTH)


@pytest.fixture
def empty(tmp_path: Path, model: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", model) as made:
        made.add_texts(["to be removed"], ids=["first"])
        made.remove(ids="first")
        yield made


@pytest.fixture
def searcher(empty: Searcher) -> Searcher:
    put(empty, text_vectors(0, COUNT))
    return empty


def best(queries: np.ndarray, vectors: np.ndarray, k: int, mask: np.ndarray | None = None) -> list[list[str]]:
    """The ids that numpy finds."""
    scores = queries @ vectors.T
    if mask is not None:
        scores[:, ~mask] = -np.inf
    count = k if mask is None else min(k, int(mask.sum()))
    return [[str(number) for number in np.argsort(-row, kind="stable")[:count]] for row in scores]


def recall(found: list, expected: list[list[str]]) -> float:
    pairs = zip(found, expected, strict=True)
    return float(np.mean([len({hit.id for hit in hits} & set(ids)) / max(1, len(ids)) for hits, ids in pairs]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_finds_nearly_all_and_scores_with_the_stored_vectors(searcher: Searcher, kind: str) -> None:
    vectors, queries = text_vectors(0, COUNT), text_vectors(1, 40)
    searcher.reindex(index_type=kind)
    assert searcher.status()["index_type"] == kind
    found = searcher.search(queries, k=10)
    assert recall(found, best(queries, vectors, 10)) >= 0.98
    for query, hits in zip(queries, found, strict=True):
        for hit in hits:
            assert hit.score == pytest.approx(float(vectors[int(hit.id)] @ query), abs=1e-6)
    assert recall(searcher.search(queries, k=10, exact=True), best(queries, vectors, 10)) == 1
    assert searcher.check() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_never_makes_fewer_hits_than_it_allows(searcher: Searcher, kind: str) -> None:
    vectors, queries = text_vectors(0, COUNT), text_vectors(2, 12)
    searcher.reindex(index_type=kind)
    for most in (0, 1, 3, 12, 120, 600, COUNT):
        found = searcher.search(queries, k=10, where=f"n < {most}")
        assert [len(hits) for hits in found] == [min(10, most)] * len(queries)
        assert all(hit.metadata["n"] < most for hits in found for hit in hits)
        assert not most or recall(found, best(queries, vectors, 10, np.arange(COUNT) < most)) >= 0.98


@pytest.mark.parametrize("kind", ["IVF40,Flat", "PCA16,IVF40,Flat", "PCA16,IVF40,SQ8", "PCA24,HNSW16"])
def test_lists_and_graphs_behind_a_projection_give_as_many_as_are_asked_for(searcher: Searcher, kind: str) -> None:
    vectors, queries = text_vectors(0, COUNT), text_vectors(4, 8)
    searcher.reindex(index_type=kind)
    knob = "ef" if "HNSW" in kind else "nprobe"
    assert searcher.status()["knob"] == knob
    for k, where, expected in ((10, None, 10), (300, None, 300), (10, "n < 12", 10), (50, "n < 30", 30)):
        found = searcher.search(queries, k, where, **{knob: 1})
        assert [len(hits) for hits in found] == [expected] * len(queries)
    found = searcher.search(queries, 10)
    for query, hits in zip(queries, found, strict=True):  # scored with the stored vectors, not with projected ones
        assert [hit.score for hit in hits] == pytest.approx(
            [float(vectors[int(hit.id)] @ query) for hit in hits], abs=1e-6
        )
    assert recall(found, best(queries, vectors, 10)) >= 0.6
    assert recall(searcher.search(queries, 10, exact=True), best(queries, vectors, 10)) == 1
    assert searcher.check() == []


@pytest.mark.parametrize(
    ("name", "again", "knob"),
    [
        ("IVF100,Flat", 1, "nprobe"), ("PCA64,IVF100,SQ8", 10, "nprobe"), ("OPQ16_64,IVF100_HNSW8,PQ16", 30, "nprobe"),
        ("PCA64,Flat", 10, None), ("SQbf16", 2, None), ("SQfp16", 2, None), ("PCAR64,HNSW32", 10, "ef"), ("Flat", 1, None),
        ("HNSW32_SQ8", 3, "ef"), ("RR64,SQ4", 10, None), ("Pad512,Flat", 1, None),
    ],
)  # fmt: skip
def test_what_a_description_says_of_rescoring_and_knob(name: str, again: int, knob: str | None) -> None:
    kind = index_type(name)
    assert (kind.again, kind.knob) == (again, knob)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_added_and_removed_later_is_found_and_not_found(
    searcher: Searcher, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCHER_DELTA", "40")
    folder = searcher.folder
    searcher.reindex(index_type=kind)
    random, alive = np.random.default_rng(3), set(range(COUNT))
    with Searcher(folder) as writer:
        for turn in range(5):  # three of the five changes are so large that the file is written anew
            fresh = 30 if turn % 2 else 90
            start = COUNT + 200 * turn
            put(writer, text_vectors(10 + turn, fresh), start)
            if fresh == 90:
                stamp = cachefile.stamp_of(folder / "vectors.faiss")
                assert stamp is not None and stamp.generation == writer.status()["generation"]
            alive |= set(range(start, start + fresh))
            gone = random.choice(sorted(alive), 25, replace=False).tolist()
            writer.remove(ids=[str(number) for number in gone])
            alive -= set(gone)
            with Searcher(folder) as reader:
                everything = reader.search(text_vectors(4, 3), k=5000, exact=True)
                assert [{int(hit.id) for hit in hits} for hits in everything] == [alive] * 3
                near = reader.search(text_vectors(4, 30), k=10)
                assert all(int(hit.id) in alive for hits in near for hit in hits)
                exact = [[hit.id for hit in hits] for hits in reader.search(text_vectors(4, 30), k=10, exact=True)]
                assert recall(near, exact) >= 0.97
                assert reader.status()["index_type"] == kind
                assert reader.check() == []


@pytest.mark.parametrize(("kind", "own"), [("sq8", True), ("sq8", False), ("fp16", False)])
def test_codes_prove_which_passages_are_nearest_without_reading_all(
    searcher: Searcher, kind: str, own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors that are alike and equal, that lie outside of what the codes were made for, that came since and went.

    own: by our own kernel, where there is one; else by FAISS, as on a CPU without it.
    """
    if not own:
        monkeypatch.setattr(codes, "kernels", lambda: None)
    monkeypatch.setenv("SEARCHER_DELTA", "40")
    searcher.reindex(index_type=kind)
    outside = np.eye(WIDTH, dtype=np.float32)[:30]
    alike = text_vectors(0, COUNT)[:50] + 1e-4 * text_vectors(5, 50)
    vectors = np.vstack([text_vectors(0, COUNT), outside, alike / np.linalg.norm(alike, axis=1, keepdims=True)])
    vectors = np.vstack([vectors, np.repeat(vectors[:5], 20, axis=0), text_vectors(6, 7)]).astype(np.float32)
    queries = np.vstack([text_vectors(1, 20), outside[:3], vectors[:5]])
    with Searcher(searcher.folder) as writer:
        for start, stop in ((COUNT, len(vectors) - 7), (len(vectors) - 7, len(vectors))):  # the last is in no file yet
            put(writer, vectors[start:stop], start)
        writer.remove(ids=["2", str(COUNT + 1), str(COUNT + 40)])
        read: list[int] = []
        vectors_of = type(writer.engine).vectors_of
        monkeypatch.setattr(
            type(writer.engine), "vectors_of", lambda store, ids: read.append(len(ids)) or vectors_of(store, ids)
        )
        mask = ~np.isin(np.arange(len(vectors)), [2, COUNT + 1, COUNT + 40])
        for where, allowed in ((None, mask), (f"n >= {COUNT - 100}", mask & (np.arange(len(vectors)) >= COUNT - 100))):
            expected = np.where(allowed, queries @ vectors.T, -np.inf)
            for query, scores, hits in zip(
                queries, expected, (writer.search(query, 10, where, exact=True) for query in queries), strict=True
            ):
                assert [hit.score for hit in hits] == pytest.approx(np.sort(scores)[::-1][:10].tolist(), abs=2e-6)
                assert all(vectors[int(hit.id)] @ query == pytest.approx(hit.score, abs=2e-6) for hit in hits)
        assert max(read) < COUNT  # not one of these read all


def test_a_graph_grows_in_place_and_keeps_what_went_under_negative_ids(
    searcher: Searcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCHER_DELTA", "10")
    searcher.reindex(index_type="hnsw")
    with Searcher(searcher.folder) as writer:
        writer.remove(ids=[str(number) for number in range(20)])
        stamp = cachefile.stamp_of(writer.folder / CACHE)
        assert stamp is not None and stamp.count == COUNT - 20
        with writer.engine.database.reading():
            snapshot = writer.engine.snapshots.current()
        assert snapshot is not None and len(snapshot) == COUNT - 20
        assert len(snapshot.base.ids) == COUNT and len(snapshot.gone) == 20
        writer.remove(ids=[str(number) for number in range(20, 400)])  # a third is gone: it is made anew
        with writer.engine.database.reading():
            snapshot = writer.engine.snapshots.current()
        assert snapshot is not None and len(snapshot.base.ids) == len(snapshot) == COUNT - 400


def test_a_type_is_kept_over_compaction_and_exchanged_for_auto(searcher: Searcher) -> None:
    searcher.reindex(index_type="sq8")
    searcher.compact()
    assert searcher.status()["index_type"] == "sq8"
    searcher.reindex(index_type="auto")
    status = searcher.status()
    assert (status["index_type"], status["index_type_wanted"]) == ("flat", "auto")
    assert automatic(20_000)[0].name == "flat" and automatic(20_001)[0].name == "sq8"


def test_a_lost_cache_of_another_type_is_flat_at_first_and_status_says_what_reindex_makes_it(
    searcher: Searcher,
) -> None:
    searcher.reindex(index_type="hnsw")
    (searcher.folder / CACHE).unlink()
    with Searcher(searcher.folder) as reader:
        assert len(reader.search(text_vectors(5, 1))[0]) == 10
        status = reader.status()
        assert status["index_type"] == "flat"
        assert status["index_type_reason"] == "searcher reindex makes it hnsw: as chosen"
        reader.reindex()
        assert reader.status()["index_type"] == "hnsw"


def test_an_open_searcher_goes_over_to_the_new_type(searcher: Searcher) -> None:
    with Searcher(searcher.folder) as reader:
        assert reader.search(text_vectors(5, 1))[0]
        searcher.reindex(index_type="hnsw")
        assert reader.status()["index_type"] == "hnsw"
        assert reader.search(text_vectors(5, 1)[0], ef=64)


def test_a_tuned_knob_reaches_its_recall_and_is_used(searcher: Searcher) -> None:
    searcher.reindex(index_type="ivf", tune=True, recall=0.9)
    status = searcher.status()
    assert status["knob"] == "nprobe" and status["recall_at_10"] >= 0.9
    queries = text_vectors(6, 30)
    assert searcher.search(queries) == searcher.search(queries, nprobe=status["knob_value"])
    searcher.reindex(index_type="hnsw")
    assert searcher.status()["recall_at_10"] is None  # it was measured of another type


@pytest.mark.parametrize("kind", ["hnsw", "HNSW4"])
def test_the_recall_that_is_stated_is_that_of_questions_apart_from_the_passages(empty: Searcher, kind: str) -> None:
    """All lie in 8 of 32 directions, passages in clusters there and questions anywhere."""
    random = np.random.default_rng(3)
    directions, centres = random.standard_normal((8, WIDTH)), random.standard_normal((40, 8))
    passages = centres[random.integers(0, 40, 4000)] + 0.3 * random.standard_normal((4000, 8))
    vectors, queries = (normalize(some @ directions) for some in (passages, random.standard_normal((300, 8))))
    put(empty, vectors)
    empty.reindex(index_type=kind, tune=True, recall=0.95)
    assert recall(empty.search(queries), best(queries, vectors, 10)) > empty.status()["recall_at_10"] - 0.06


def copies(count: int) -> np.ndarray:
    """So many of each of forty vectors, and others between."""
    vectors = np.vstack([text_vectors(0, 500), np.repeat(text_vectors(8, 40), count, axis=0)])
    return vectors[np.random.default_rng(1).permutation(len(vectors))]


@pytest.mark.parametrize("k", [1, 10])
def test_a_walk_that_ends_among_copies_of_a_passage_is_followed_by_a_scan(empty: Searcher, k: int) -> None:
    vectors, queries = copies(90), text_vectors(9, 300)
    put(empty, vectors)
    empty.reindex(index_type="hnsw")
    found = [[hit.score for hit in hits] for hits in empty.search(queries, k, ef=200)]
    expected = -np.sort(-(queries @ vectors.T), axis=1)[:, :k]
    assert np.isclose(found, expected, atol=1e-5).all(axis=1).mean() > 0.9  # 0.18 and 0.33 by the graph alone


def test_any_copy_of_a_passage_counts_as_found(empty: Searcher) -> None:
    put(empty, copies(30))
    empty.reindex(index_type="ivf", tune=True, recall=0.999)
    assert empty.status()["recall_at_10"] >= 0.999


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"index_type": "tree"}, ["'tree'", "flat", "hnsw", "factory string"]),
        ({"index_type": "PQ7x99"}, ["'PQ7x99'"]),
        ({"index_type": "PQ8"}, ["'PQ8'"]),
        ({"index_type": "PQ7"}, ["'PQ7' cannot be used here: The dimension", "good for any passages: flat"]),
        ({"index_type": "hnsw", "tune": True, "recall": 1.5}, ["1.5", "at most 1"]),
    ],
)
def test_a_type_that_cannot_be_is_refused_and_the_old_index_answers(
    searcher: Searcher, arguments: dict, words: list[str]
) -> None:
    before = searcher.search(text_vectors(7, 2))
    with pytest.raises(BadValue) as refused:
        searcher.reindex(**arguments)
    assert "\n" not in str(refused.value)
    assert all(word in str(refused.value) for word in words)
    assert searcher.search(text_vectors(7, 2)) == before
    assert searcher.status()["index_type"] == "flat"


def test_a_knob_of_another_type_is_refused(searcher: Searcher) -> None:
    with pytest.raises(BadValue, match="flat has no ef; it has no knob"):
        searcher.search(text_vectors(7, 1), ef=10)
    searcher.reindex(index_type="ivf")
    with pytest.raises(BadValue, match="ivf has no ef; it has nprobe"):
        searcher.search(text_vectors(7, 1), ef=10)
    with pytest.raises(BadValue, match="nprobe is 0"):
        searcher.search(text_vectors(7, 1), nprobe=0)


def test_the_command_names_type_reason_and_recall(searcher: Searcher) -> None:
    result = CliRunner().invoke(cli, ["reindex", "--type", "hnsw", "--tune", "-i", str(searcher.folder)])
    assert result.exit_code == 0
    assert "index type hnsw: as chosen; ef " in result.output and "% of the 10 nearest" in result.output


def test_a_factory_string_names_its_knob_and_how_far_its_codes_are_trusted() -> None:
    assert (index_type("IVF4096,SQ8").knob, index_type("IVF4096,SQ8").again) == ("nprobe", 3)
    assert (index_type("HNSW32").knob, index_type("HNSW32").again) == ("ef", 1)
    assert (index_type("SQfp16").knob, index_type("SQfp16").again) == (None, 2)
    assert TYPES["pq"].factory(100_000, 384) == "IVF1264,PQ48"
