"""The scan of vectors as they are: what our kernel finds is what numpy finds, and FAISS where there is no kernel."""

import faiss
import numpy as np
import pytest
from coded import unit

from searcher.vectors import Some, VectorIndex, floats
from searcher.vectors import index as index_module

built = pytest.mark.skipif(floats.kernel() is None, reason="floats.c was not built, or this CPU has no AVX2")


@built
@pytest.mark.parametrize("width", [1, 7, 8, 15, 16, 17, 31, 64, 100, 384, 769])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_the_kernel_finds_the_greatest_products(width: int, count: int) -> None:
    random = np.random.default_rng(width)
    vectors, questions = (random.standard_normal((rows, width)).astype(np.float32) for rows in (901, count))
    scores, places = floats.scan(vectors, questions, 50, 101, 899, None)
    exact = questions.astype(np.float64) @ vectors.astype(np.float64).T
    best = np.sort(exact[:, 101:899], axis=1)[:, :-51:-1]
    np.testing.assert_allclose(scores, best, atol=1e-4, rtol=1e-5)
    np.testing.assert_allclose(np.take_along_axis(exact, places, 1), best, atol=1e-4, rtol=1e-5)
    assert places.min() >= 101 and places.max() < 899
    assert all(len(set(own)) == 50 for own in places.tolist())


@built
@pytest.mark.parametrize("count", [1, 5])
def test_equal_vectors_are_found_in_their_order(count: int) -> None:
    vectors, questions = np.repeat(unit(3, 100, 0), [150, 150, 177], axis=0), unit(count, 100, 1)
    for question, own in zip(questions, floats.scan(vectors, questions, 400, 0, 477, None)[1], strict=True):
        groups = np.split(own, np.flatnonzero(np.diff(np.searchsorted([150, 300], own, side="right"))) + 1)
        assert [len(group) for group in groups[:-1]] == [177 if group[0] >= 300 else 150 for group in groups[:-1]]
        assert all(np.array_equal(group, np.arange(group[0], group[0] + len(group))) for group in groups)
        assert (np.diff([vectors[group[0]] @ question for group in groups]) < 0).all()


@built
def test_zeros_of_either_sign_are_equal() -> None:
    vectors = np.array([[-0.0, 0], [0.0, 0], [-1, 0], [1, 0], [-0.0, -0.0]], dtype=np.float32)
    scores, places = floats.scan(vectors, np.array([[1, 0]], dtype=np.float32), 5, 0, 5, None)
    assert places.tolist() == [[3, 0, 1, 4, 2]] and scores.tolist() == [[1, 0, 0, 0, -1]]


@built
def test_only_what_is_allowed_is_found_and_fewer_than_asked_for_are_marked() -> None:
    vectors, questions = unit(999, 64, 0), unit(2, 64, 1)
    mask = np.zeros(999, dtype=bool)
    mask[[3, 400, 401, 998]] = True
    scores, places = floats.scan(vectors, questions, 6, 0, 999, Some(mask).bits)
    assert [sorted(own.tolist()) for own in places] == [[-1, -1, 3, 400, 401, 998]] * 2
    assert np.isneginf(scores[places < 0]).all()


@pytest.mark.parametrize("kernel", [pytest.param(True, marks=built), False])
@pytest.mark.parametrize("rows", [50, 30_000])
@pytest.mark.parametrize("questions", [1, 3, 400])
@pytest.mark.parametrize("share", [None, 0.5, 0.001])
def test_an_index_finds_the_same_with_the_kernel_and_with_faiss(
    kernel: bool, rows: int, questions: int, share: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernel:
        monkeypatch.setattr(floats, "kernel", lambda: None)
    vectors, asked = unit(rows, 32, 0), unit(questions, 32, 1)
    mask = np.random.default_rng(2).random(rows) < (1 if share is None else share)
    found = VectorIndex.build(np.arange(rows) * 3, vectors).search(asked, 10, None if share is None else Some(mask))
    k = min(10, int(mask.sum()))
    exact = np.where(mask, asked @ vectors.T, -np.inf)
    assert found.ids.shape == (questions, k) and (found.ids % 3 == 0).all()
    np.testing.assert_allclose(found.scores, np.sort(exact, axis=1)[:, ::-1][:, :k], atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(exact, found.ids // 3, 1), found.scores, atol=1e-6)


def test_where_faiss_takes_parts_its_threads_are_not_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, knn = [], faiss.knn
    monkeypatch.setattr(floats, "kernel", lambda: None)
    monkeypatch.setattr(faiss, "knn", lambda *given: asked.append(faiss.omp_get_max_threads()) or knn(*given))
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(2)
    index_module._workers.cache_clear()
    try:
        VectorIndex.build(np.arange(30_000), unit(30_000, 8, 0)).search(unit(1, 8, 1), 3)
        assert asked == [1, 1]
        assert faiss.omp_get_max_threads() == 2
    finally:
        faiss.omp_set_num_threads(before)
        index_module._workers.cache_clear()
