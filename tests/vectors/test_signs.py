"""The scan of signs: what it lets through is what numpy finds promising, and an index that is searched by it loses nothing."""

import faiss
import numpy as np
import pytest
from coded import coded, unit

from searcher.vectors import Some, VectorIndex
from searcher.vectors.codes import Codes, kernels
from searcher.vectors.index import ASKED
from searcher.vectors.signs import Signs

pytestmark = pytest.mark.skipif(kernels() is None, reason="scan.c was not built, or this CPU has no AVX-512 VNNI")

PART = 1 << 16  # vectors of which so many as are wanted are looked at


def promises(codes: Codes, questions: np.ndarray, light: int, heavy: int) -> np.ndarray:
    """How many of a question's greatest numbers have the sign that a vector has there, the very greatest counted twice;
    both less the mean. (q, n)
    """
    mean = codes.codes[:: -(-len(codes.codes) // PART)].mean(axis=0)  # of 65,536 at most
    above = codes.codes > mean
    rows = []
    for question in questions - (codes.least + codes.span * (mean + 0.5) / 255).astype(np.float32):
        numbers = np.argsort(-np.abs(question))[: light + heavy]
        agrees = above[:, numbers] == (question[numbers] > 0)
        rows.append(agrees[:, heavy:].sum(axis=1) + 2 * agrees[:, :heavy].sum(axis=1))
    return np.array(rows)


def products_of(codes: Codes, questions: np.ndarray) -> np.ndarray:
    """The products of all codes with the questions in bytes. (n, q) int64"""
    weights = questions * (codes.span / 255)
    step = np.abs(weights).max(axis=1, keepdims=True) / 127
    return codes.codes.astype(np.int64) @ np.rint(weights / step).astype(np.int64).T


@pytest.mark.parametrize("width", [64, 100, 384, 769, 4100])
@pytest.mark.parametrize("some", [False, True])
def test_the_most_promising_are_let_through_and_the_nearest_of_these_are_found(width: int, some: bool) -> None:
    vectors, questions = unit(3003, width, 0), unit(4, width, 1)
    _index, codes = coded(vectors)
    signs, mask = Signs(codes), np.ones(3003, dtype=bool)
    signs.wanted = 100
    if some:
        mask = np.random.default_rng(2).random(3003) < 0.4
    scores, places = signs.scan(questions, 20, Some(mask).bits if some else None, cores=1)
    products = products_of(codes, questions)
    for number, promised in enumerate(np.where(mask, promises(codes, questions, signs.light, signs.heavy), -1)):
        # The hundred most promising, of equals the first; of these the twenty with the greatest products.
        through = np.lexsort((np.arange(3003), -promised))[:100]
        own = products[through, number]
        expected = through[np.lexsort((through, -own))[:20]]
        assert places[number].tolist() == expected.tolist()
        near = (codes.vectors(expected) * questions[number]).sum(axis=1)
        assert scores[number] == pytest.approx(near, abs=0.02)


@pytest.mark.parametrize("cores", [1, 2, 5, 64])
def test_each_part_of_many_vectors_lets_as_many_through_however_many_cores_share_them(cores: int) -> None:
    vectors, questions = unit(2 * PART + 777, 64, 0), unit(3, 64, 1)
    _index, codes = coded(vectors)
    signs = Signs(codes)
    signs.wanted = 50
    _, places = signs.scan(questions, 24, None, cores)
    products = products_of(codes, questions)
    for number, promised in enumerate(promises(codes, questions, signs.light, signs.heavy)):
        through = np.concatenate([
            start + np.lexsort((np.arange(len(part)), -part))[:50]
            for start in range(0, len(promised), PART)
            for part in [promised[start : start + PART]]
        ])  # fmt: skip
        expected = through[np.lexsort((through, -products[through, number]))[:24]]
        assert places[number].tolist() == expected.tolist()


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
def test_of_equal_vectors_the_first_are_found(cores: int) -> None:
    _index, codes = coded(np.repeat(unit(2, 64, 0), 400, axis=0))
    signs = Signs(codes)
    signs.wanted = 16
    question = codes.vectors(np.array([500]))
    _, places = signs.scan(question, 10, None, cores)
    assert places[0].tolist() == list(range(400, 410))


def test_more_hits_than_were_measured_come_from_more_candidates() -> None:
    vectors, questions = unit(5001, 100, 0), unit(150, 100, 1)
    _index, codes = coded(vectors)
    signs = Signs(codes)
    signs.wanted = 500  # for 24 hits; for 240 all of them are looked at
    expected = codes.scan(questions, 240, 0, 5001, None)
    for cores in (1, 2, 7):
        scores, places = signs.scan(questions, 240, None, cores)
        assert np.array_equal(scores, expected[0])
        assert np.array_equal(places, expected[1])


def test_a_question_that_lies_along_few_numbers_is_answered_by_the_codes() -> None:
    vectors = unit(5001, 128, 0)
    _index, codes = coded(vectors)
    signs = Signs(codes)
    signs.wanted = 50
    questions = unit(3, 128, 1)
    questions[1] = np.eye(128, dtype=np.float32)[17]  # its sign says nothing of the greatest
    _, places = signs.scan(questions, 10, None, 2)
    assert places[1].tolist() == codes.scan(questions[1:2], 10, 0, 5001, None)[1][0].tolist()
    for number in (0, 2):
        assert places[number].tolist() == signs.scan(questions[number : number + 1], 10, None, 1)[1][0].tolist()


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
