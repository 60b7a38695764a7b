"""Hybrid search: scores worked out by hand, and whole searches against numpy on what dense and keyword search give."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from brute_force import drawn
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher import Searcher
from searcher.ranking.feedback import moved
from searcher.ranking.fusion import fuse, longer, standardised, wordiness
from searcher.ranking.smoothing import smoothed

TEXTS = [
    "river water flows near the bank",
    "we keep our money in a bank account",
    "the boat is tied to the bank of the river and the water is near to it and to the boat",
    "hello world",
    "the question and the answer",
    "search the index of a model",
    "one year two year test",
    "token vector layer pooling",
]
QUESTION = "river bank"


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("fusion") / "index", tiny_bert) as searcher:
        searcher.add_texts(TEXTS, ids=[str(i) for i in range(len(TEXTS))])
        yield searcher


# -- the score


def test_a_score_is_the_weighted_sum_of_both_standardised() -> None:
    # Standard deviations: sqrt(2/3) of 0.1, 0.2, 0.3 in tenths; sqrt(2) of 0, 0, 3.
    dense = np.array([-1, 0, 1]) * 1.5**0.5
    words = np.array([-1, -1, 2]) / 2**0.5
    fused = fuse(np.array([0.1, 0.2, 0.3]), np.array([0, 0, 3.0]), longer=4.0)
    np.testing.assert_allclose(fused, dense + 0.9 * 0.5 * words, atol=1e-12)


@pytest.mark.parametrize(("length", "weight"), [(0.0, 0.0), (2.0, 0.25), (8.0, 1.0), (100.0, 1.0)])
def test_words_count_less_in_passages_not_much_longer_than_the_question(length: float, weight: float) -> None:
    assert wordiness(length) == weight
    fused = fuse(np.array([0.5, 0.5]), np.array([0, 4.0]), length)
    np.testing.assert_allclose(fused, [-0.9 * weight, 0.9 * weight])


def test_a_question_that_the_model_has_no_tokens_for_is_answered_by_words_alone() -> None:
    bm25 = np.array([0, 1.0, 3.0])
    np.testing.assert_allclose(fuse(np.array([0.9, 0.2, 0.1]), bm25, 8.0, readable=0.0), 0.9 * standardised(bm25))
    half = fuse(np.array([-1.0, 1.0]), np.zeros(2), 8.0, readable=0.5)
    np.testing.assert_allclose(half, [-0.25, 0.25])


def test_scores_that_do_not_differ_decide_nothing_and_no_candidates_have_no_scores() -> None:
    assert fuse(np.array([0.3]), np.array([2.0]), 1.0).tolist() == [0.0]
    assert fuse(np.full(7, 0.1), np.zeros(7), 5.0).tolist() == [0.0] * 7
    assert fuse(np.empty(0), np.empty(0), 0.0).tolist() == []


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-100, 100), st.integers(0, 100)), min_size=2, max_size=30), st.integers(1, 50))
def test_neither_the_scale_nor_the_origin_of_a_score_matters(pairs: list[tuple[int, int]], factor: int) -> None:
    cosines, bm25 = np.array(pairs, dtype=float).T / 100
    plain = fuse(cosines, bm25, 3.0)
    np.testing.assert_allclose(fuse(cosines * factor + 7, bm25 * factor + 1, 3.0), plain, atol=1e-6)


def test_candidates_that_are_not_among_those_of_the_standard_change_no_score() -> None:
    cosines, bm25 = np.array([0.9, 0.1, 0.5, 0.4]), np.array([0, 2.0, 9.0, 1.0])
    among = np.array([True, True, False, True])
    few = fuse(cosines[among], bm25[among], 3.0)
    np.testing.assert_array_equal(fuse(cosines, bm25, 3.0, 1.0, among)[among], few)


def test_lengths_are_compared_in_characters() -> None:
    assert longer("abcd", ["abcdefgh", "abcd"]) == 1.5
    assert longer("abcd", []) == 0
    assert longer("", ["ab"]) == 2


# -- feedback


def test_a_question_moves_towards_the_passage_and_stays_of_unit_length() -> None:
    found = moved(np.array([1, 0], np.float32), np.array([0, 1], np.float32))
    np.testing.assert_allclose(found, np.array([1, 0.45]) / 1.2025**0.5, rtol=1e-6)
    assert found.dtype == np.float32


def test_a_passage_of_zeros_moves_nothing() -> None:
    question = np.array([0.6, 0.8], np.float32)
    np.testing.assert_array_equal(moved(question, np.zeros(2, np.float32)), question)


# -- smoothing

ANGLES = np.array([0, 10, 20, 90, 100, 200, 210, 220]) * np.pi / 180
CIRCLE = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def test_a_score_is_drawn_towards_those_of_passages_as_far_as_they_are_alike() -> None:
    # Two passages at 60 degrees: cos⁶ is 1/64, so that each counts 1/32 to the other. The third is at right angles or more.
    vectors = np.array([[1, 0], [0.5, 0.75**0.5], [0, -1]])
    np.testing.assert_allclose(smoothed(np.array([1.0, 34, 5]), vectors), [(1 + 34 / 32) / (33 / 32), 33, 5], atol=1e-6)


def test_only_the_five_nearest_count_and_a_passage_is_no_neighbour_of_its_own() -> None:
    vectors = np.tile([1.0, 0], (7, 1))
    vectors[6] = [0.6, 0.8]
    scores = np.array([0, 0, 0, 0, 0, 0, 11.0])
    found = smoothed(scores, vectors)
    np.testing.assert_allclose(found, [0, 0, 0, 0, 0, 0, 11 / (1 + 10 * 0.6**6)], atol=1e-6)


def test_equal_passages_are_drawn_together_without_becoming_one() -> None:
    np.testing.assert_allclose(smoothed(np.array([0, 3.0]), np.ones((2, 1))), [2, 1])


def test_where_the_model_reads_nothing_of_the_question_scores_stay() -> None:
    scores = np.arange(8.0)
    np.testing.assert_array_equal(smoothed(scores, CIRCLE, readable=0.0), scores)
    half = smoothed(np.array([0, 3.0]), np.ones((2, 1)), readable=0.5)
    np.testing.assert_allclose(half, [1, 2])


@pytest.mark.parametrize("count", [0, 1])
def test_a_candidate_without_another_keeps_its_score(count: int) -> None:
    assert smoothed(np.ones(count), np.ones((count, 3))).tolist() == [1.0] * count


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=8, max_size=8), st.permutations(range(8)), st.integers(2, 8))
def test_neither_the_order_of_candidates_nor_more_of_them_change_a_score(
    scores: list[int], order: list[int], some: int
) -> None:
    numbers, among = np.array(scores, float), np.arange(8) < some
    alone = smoothed(numbers[:some], CIRCLE[:some])
    np.testing.assert_allclose(smoothed(numbers, CIRCLE, 1.0, among)[:some], alone, atol=1e-12)
    np.testing.assert_allclose(
        smoothed(numbers[order], CIRCLE[order], 1.0, among[order])[np.argsort(order)][:some], alone
    )


def test_smoothing_is_what_a_loop_over_all_pairs_gives() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(40, 4)) + 1
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    scores = random.normal(size=40)
    np.testing.assert_allclose(smoothed(scores, vectors), drawn(scores, vectors), atol=1e-6)


# -- whole searches


def expected(searcher: Searcher, question: str, feedback: bool) -> list[tuple[str, float]]:
    """Ids and scores of a hybrid search over every passage, by numpy, out of vectors and keyword search."""
    keys = [str(i) for i in range(len(TEXTS))]
    words = {hit.id: hit.score for hit in searcher.search(question, 100, mode="keyword")}
    vectors = np.stack([searcher.passages(key)[0].vector for key in keys]).astype(np.float64)
    asked = searcher.embedder.embed([question], "query")[0].astype(np.float64)
    bm25 = np.array([words.get(key, 0.0) for key in keys])
    length = np.mean([len(text) for text in TEXTS]) / len(question)

    def scores(vector: np.ndarray) -> np.ndarray:
        cosines = vectors @ vector
        z = (cosines - cosines.mean()) / cosines.std()
        weight = 0.9 * min(1.0, length / 8)
        return z + (weight * (bm25 - bm25.mean()) / bm25.std() if bm25.any() else 0)

    found = scores(asked)
    if feedback:
        towards = asked + 0.45 * vectors[found.argmax()]
        found = drawn(scores(towards / np.linalg.norm(towards)), vectors)
    return sorted(zip(keys, found.tolist(), strict=True), key=lambda hit: -hit[1])


@pytest.mark.parametrize("feedback", [True, False])
@pytest.mark.parametrize("question", [QUESTION, "What is the ANSWER to a question?", "vector", "2019 unheard of"])
def test_a_hybrid_search_gives_what_numpy_gives(searcher: Searcher, question: str, feedback: bool) -> None:
    [hits] = searcher.rank([question], 100, mode="hybrid", feedback=feedback)
    wanted = expected(searcher, question, feedback)
    assert [row.id for _, row in hits] == [key for key, _ in wanted]
    np.testing.assert_allclose([score for score, _ in hits], [score for _, score in wanted], atol=2e-4)


def test_asking_for_more_hits_changes_none_of_the_first(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add_texts([f"river number {i} {TEXTS[i % len(TEXTS)]} {'bank ' * (i % 5)}" for i in range(260)])
        few = [(hit.passage_id, hit.score) for hit in searcher.search(QUESTION, 20, mode="hybrid")]
        many = [(hit.passage_id, hit.score) for hit in searcher.search(QUESTION, 250, mode="hybrid")]
    assert len(many) == 250
    assert many[:20] == few


def test_the_share_of_known_tokens_is_counted_without_special_ones(searcher: Searcher) -> None:
    # The vocabulary has 北 and 京, not 猫; every letter of ASCII is a token.
    assert searcher.embedder.readable(["river bank", "北京猫猫", "猫", " "]).tolist() == [1.0, 0.5, 0.0, 1.0]
