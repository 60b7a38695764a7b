"""The scan of an index that keeps a byte a number: what our kernel finds is what numpy finds in the same codes."""

import faiss
import numpy as np
import pytest
from coded import coded, unit

from searcher.vectors import Some, VectorIndex
from searcher.vectors.codes import Codes, kernels

pytestmark = pytest.mark.skipif(kernels() is None, reason="scan.c was not built, or this CPU has no AVX-512 VNNI")


@pytest.mark.parametrize("width", [1, 32, 63, 64, 100, 128, 384, 769])
@pytest.mark.parametrize("k", [1, 7, 200])
def test_the_kernel_finds_the_greatest_products_of_the_rounded_question(width: int, k: int) -> None:
    vectors, questions = unit(700, width, 0), unit(3, width, 1)
    _, codes = coded(vectors)
    weights = questions * (codes.span / 255)
    step = np.abs(weights).max(axis=1, keepdims=True) / 127
    products = codes.codes.astype(np.int64) @ np.rint(weights / step).astype(np.int64).T
    scores, places = codes.scan(questions, k, 100, 650, None)
    for number in range(len(questions)):
        own = products[100:650, number]
        assert products[places[number], number].tolist() == sorted(own, reverse=True)[:k]
        assert len(set(places[number])) == k
        assert places[number].min() >= 100 and places[number].max() < 650
    assert np.array_equal(np.sort(-scores, axis=1), -scores)


@pytest.mark.parametrize("width", [32, 384])
def test_its_scores_are_those_of_faiss_but_for_the_rounding(width: int) -> None:
    vectors, questions = unit(2_000, width, 0), unit(5, width, 1)
    index, codes = coded(vectors)
    scores, places = codes.scan(questions, 50, 0, len(vectors), None)
    decoded = index.sa_decode(codes.codes)
    for number, question in enumerate(questions):
        np.testing.assert_allclose(scores[number], decoded[places[number]] @ question, atol=0.01)


@pytest.mark.parametrize("width", [8, 100, 384])
def test_no_score_is_farther_from_the_truth_than_it_says(width: int) -> None:
    vectors, questions = unit(3_000, width, 0), unit(6, width, 1)
    questions[0] = np.eye(width, dtype=np.float32)[3]
    questions[1] = vectors[7]
    vectors[:, 2] = 0.25  # a number that is the same in all has no steps
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[:, 2] = vectors[0, 2]
    _, codes = coded(vectors)
    error = float(np.linalg.norm(vectors - codes.vectors(np.arange(3_000)), axis=1).max())
    scores, places = codes.scan(questions, 1000, 0, 3_000, None)
    off = np.abs(scores - np.take_along_axis(questions @ vectors.T, places, 1)).max(axis=1)
    doubt = error + codes.doubt(questions, error)
    assert (off <= doubt + 1e-6).all()
    assert (doubt < 0.2).all()  # and says something


def test_only_what_is_allowed_is_found_and_fewer_than_asked_for_are_marked() -> None:
    vectors, questions = unit(999, 64, 0), unit(2, 64, 1)
    _, codes = coded(vectors)
    mask = np.zeros(999, dtype=bool)
    mask[[3, 400, 401, 998]] = True
    scores, places = codes.scan(questions, 6, 0, 999, Some(mask).bits)
    assert [sorted(own.tolist()) for own in places] == [[-1, -1, 3, 400, 401, 998]] * 2
    assert np.isneginf(scores[places < 0]).all()


@pytest.mark.parametrize("count", [50, 30_000])
def test_candidates_of_an_index_hold_the_nearest_whether_one_core_scans_or_all(count: int) -> None:
    vectors, questions = unit(count, 64, 0), unit(4, 64, 1)
    index = faiss.index_factory(64, "SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index = faiss.IndexIDMap(index)
    index.add_with_ids(vectors, np.arange(1, count + 1))
    found = VectorIndex(index, "sq8").search(questions, 30)
    for question, ids in zip(questions, found.ids, strict=True):
        nearest = np.argsort(-(vectors @ question))[:10] + 1
        assert set(nearest) <= set(ids)


def test_vectors_so_wide_that_their_products_could_overflow_are_left_to_faiss() -> None:
    index = faiss.IndexScalarQuantizer(70_000, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    vectors = np.ones((2, 70_000), dtype=np.float32)
    index.train(vectors)
    index.add(vectors)
    assert Codes.of(index) is None
