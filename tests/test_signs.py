"""The scan of signs: what it lets through is what numpy finds promising, and an index that is searched by it loses nothing."""

import faiss
import numpy as np
import pytest
from coded import coded, unit

from searcher.codes import Codes, kernels
from searcher.index import ASKED, Some, VectorIndex
from searcher.signs import Signs

pytestmark = pytest.mark.skipif(
    kernels() is None or not kernels().searcher_sieve_supported(),
    reason="scan.c was not built, or this CPU has no AVX-512 VNNI and VPOPCNTDQ",
)


def estimates(codes: Codes, questions: np.ndarray) -> np.ndarray:
    """|x|² / Σ |x_i| times the product of x's signs and the question in 4 bits, x the codes less their mean. (q, n)"""
    steps = codes.span.astype(np.float64) / 255
    x = (codes.codes - codes.codes.mean(axis=0)) * steps
    low = questions.min(axis=1, keepdims=True)  # in float32, where the half is the kernel's half
    step = (questions.max(axis=1, keepdims=True) - low) / 15
    rounded = np.rint((questions - low) / step).astype(np.float64) * step + low
    factor = (x * x).sum(axis=1) / np.abs(x).sum(axis=1)
    return (rounded @ np.where(x > 0, 1, -1).T) * factor


@pytest.mark.parametrize("width", [8, 63, 64, 100, 384, 769])
@pytest.mark.parametrize("some", [False, True])
def test_the_most_promising_are_let_through_and_the_nearest_of_these_are_found(width: int, some: bool) -> None:
    vectors, questions = unit(3003, width, 0), unit(4, width, 1)
    _index, codes = coded(vectors)
    signs, mask = Signs(codes), np.ones(3003, dtype=bool)
    signs.wanted = 100
    if some:
        mask = np.random.default_rng(2).random(3003) < 0.4
    scores, places = signs.scan(questions, 20, Some(mask).bits if some else None, cores=1)
    weights = questions * (codes.span / 255)
    step = np.abs(weights).max(axis=1, keepdims=True) / 127
    products = codes.codes.astype(np.int64) @ np.rint(weights / step).astype(np.int64).T
    for number, promised in enumerate(np.where(mask, estimates(codes, questions), -np.inf)):
        own, found = products[:, number], places[number]
        assert len(set(found.tolist())) == 20 and mask[found].all()
        assert own[found].tolist() == sorted(own[found].tolist(), reverse=True)
        least = np.sort(promised)[-100]
        assert (promised[found] > least - 1e-4).all()
        sure = np.flatnonzero(promised > least + 1e-4)
        assert set(sure[own[sure] > own[found[-1]]].tolist()) <= set(found.tolist())
        near = (codes.vectors(found) * questions[number]).sum(axis=1)
        assert scores[number] == pytest.approx(near, abs=0.02)


@pytest.mark.parametrize("cores", [1, 2, 5, 64])
def test_fewer_than_are_wanted_are_all_found_and_the_rest_is_marked(cores: int) -> None:
    _index, codes = coded(unit(999, 64, 0))
    signs, mask = Signs(codes), np.zeros(999, dtype=bool)
    signs.wanted = 16
    mask[[3, 400, 401, 998]] = True
    scores, places = signs.scan(unit(2, 64, 1), 6, Some(mask).bits, cores)
    assert [sorted(own.tolist()) for own in places] == [[-1, -1, 3, 400, 401, 998]] * 2
    assert np.isneginf(scores[places < 0]).all()


@pytest.mark.parametrize("cores", [1, 3])
def test_of_equal_vectors_as_many_are_found_as_are_wanted(cores: int) -> None:
    _index, codes = coded(np.repeat(unit(2, 64, 0), 400, axis=0))
    signs = Signs(codes)
    signs.wanted = 16
    _, places = signs.scan(unit(1, 64, 1), 10, None, cores)
    assert len(set(places[0].tolist())) == 10 and (places >= 0).all()


def test_cores_share_a_scan_and_many_questions_are_asked_in_turn() -> None:
    vectors, questions = unit(5001, 100, 0), unit(150, 100, 1)
    _index, codes = coded(vectors)
    signs = Signs(codes)
    signs.wanted = 5001  # all of them are looked at
    expected = codes.scan(questions, 9, 0, 5001, None)
    for cores in (1, 2, 7):
        scores, places = signs.scan(questions, 9, None, cores)
        assert np.array_equal(scores, expected[0])
        assert [set(own.tolist()) for own in places] == [set(own.tolist()) for own in expected[1]]


def clustered(count: int, width: int, seed: int) -> np.ndarray:
    """Unit rows in clusters, as those of texts are."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(7).standard_normal((300, width))
    drawn = centres[random.integers(0, 300, count)] + 0.8 * random.standard_normal((count, width))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def searched(vectors: np.ndarray, questions: np.ndarray) -> tuple[VectorIndex, list[np.ndarray]]:
    index = faiss.index_factory(vectors.shape[1], "SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index = faiss.IndexIDMap(index)
    index.add_with_ids(vectors, np.arange(len(vectors)))
    made = VectorIndex(index, "sq8")
    return made, [made.search(question[None], 30).ids[0] for question in questions]


def test_an_index_that_is_asked_often_goes_by_signs_and_finds_the_nearest() -> None:
    vectors, questions = clustered(30_000, 256, 0), clustered(60, 256, 1)
    made, found = searched(vectors, questions)
    assert made._signs is not None
    nearest = np.argsort(-(questions @ vectors.T), axis=1)[:, :10]
    held = [np.isin(*pair).mean() for pair in zip(nearest[ASKED:], found[ASKED:], strict=True)]
    assert np.mean(held) >= 0.995


def test_where_signs_tell_nothing_the_codes_are_scanned() -> None:
    random = np.random.default_rng(0)
    heavy = 0.01 * random.standard_normal((30_000, 64)).astype(np.float32)
    heavy[:, :2] += random.standard_normal((30_000, 2)).astype(np.float32)  # two numbers are all that counts
    vectors = heavy / np.linalg.norm(heavy, axis=1, keepdims=True)
    made, found = searched(vectors, vectors[:20])
    assert made._signs is None
    codes = made.codes
    assert codes is not None
    _, expected = codes.scan(vectors[:20], 30, 0, len(vectors), None)
    assert [set(ids.tolist()) for ids in found] == [set(ids.tolist()) for ids in expected]
