"""Hybrid search: scores worked out by hand, and whole searches against what dense and keyword search give."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searcher import Searcher
from searcher.ranking.evidence import COLUMNS, Evidence, columns
from searcher.ranking.fusion import WEIGHTS, fuse, longer, wordiness
from searcher.ranking.hybrid import SAFE, safe

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


def evidence(cosines: list[float], bm25: list[float], **other: Any) -> Evidence:
    """Of passages in a plane, each at right angles to the next but one, unless it is said otherwise."""
    count = len(cosines)
    angles = np.arange(count) * np.pi / 2
    given: dict[str, Any] = {
        "cosines": np.array(cosines), "bm25": np.array(bm25), "rarest": np.zeros(count),
        "vectors": np.stack([np.cos(angles), np.sin(angles)], axis=1), "lengths": np.full(count, 100),
        "readable": 1.0, "among": np.ones(count, bool),
    }  # fmt: skip
    return Evidence(**given | other)


def column(given: Evidence, name: str, **how: Any) -> list[float]:
    return [round(value, 6) + 0.0 for value in columns(given, **how)[:, COLUMNS.index(name)].tolist()]


def test_cosines_count_in_the_same_unit_for_every_question_and_words_by_how_they_stand_out() -> None:
    given = evidence([0.2, 0.315, 0.43], [0, 0, 3.0])
    assert column(given, "cosine") == [-1, 0, 1]
    assert column(given, "words") == pytest.approx([-(0.5**0.5), -(0.5**0.5), 2**0.5], abs=1e-6)
    close = evidence([0.31, 0.315, 0.32], [0, 0, 3.0])
    assert max(column(close, "cosine")) < 0.05  # all alike near: the words decide


@pytest.mark.parametrize(("length", "trust"), [(10**6, 0), (89, 0), (49.3, -0.5), (27.1, -1), (3, -1)])
def test_words_tell_less_in_passages_of_less_than_a_line_down_to_a_bound(length: float, trust: float) -> None:
    given = evidence([0.1, 0.5], [0, 4.0], lengths=np.full(2, length))
    np.testing.assert_allclose(column(given, "words brief"), [-trust, trust], atol=0.01)


def test_words_tell_less_the_nearer_the_best_passage_is_than_passages_to_one_another() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8]])  # alike by .6
    same = column(evidence([0.1, 0.66], [0, 4.0], vectors=vectors), "words led")
    apart = column(evidence([0.1, 0.84], [0, 4.0], vectors=vectors), "words led")
    np.testing.assert_allclose(same, [0, 0], atol=1e-6)
    np.testing.assert_allclose(apart, [-1, 1], atol=1e-6)


def test_passages_speak_for_those_that_they_are_alike_to() -> None:
    # At 60 degrees cos⁶ is 1/64, and at right angles nobody speaks.
    vectors = np.array([[1, 0], [0.5, 0.75**0.5], [1, 0], [0, -1]])
    given = evidence([0.1, 0.1, 0.1, 0.1], [0, 4.0, 0, 0], vectors=vectors)
    words = column(given, "words")
    near = column(given, "near")
    assert near[0] == pytest.approx((words[1] / 64 + words[2]) / (1 + 1 / 64), abs=1e-5)
    assert near[1] == pytest.approx(words[0], abs=1e-5)
    assert near[3] == pytest.approx(0, abs=1e-5)
    assert column(given, "near", neighbours=False) == [0, 0, 0, 0]


def test_the_cosines_of_passages_speak_for_those_that_they_are_alike_to_as_words_do() -> None:
    vectors = np.array([[1, 0], [0.5, 0.75**0.5], [1, 0], [0, -1]])
    given = evidence([0.2, 0.43, 0.2, 0.2], [0, 0, 0, 0], vectors=vectors)
    cosine, near = column(given, "cosine"), column(given, "near cosine")
    assert near[0] == pytest.approx((cosine[1] / 64 + cosine[2]) / (1 + 1 / 64), abs=1e-5)
    assert near[1] == pytest.approx(cosine[0], abs=1e-5)
    assert near[3] == pytest.approx(0, abs=1e-5)
    assert column(given, "near cosine", neighbours=False) == [0, 0, 0, 0]


def test_a_passage_like_all_that_was_found_stands_in_the_crowd_and_of_two_as_good_the_other_is_first() -> None:
    # Three as near to the question: the first is alike to both others by .8, these to each other by .28.
    vectors = np.array([[1, 0], [0.8, 0.6], [0.8, -0.6]])
    given = evidence([0.4, 0.4, 0.4], [2.0, 2.0, 2.0], vectors=vectors)
    alike = np.array([0.8, (0.8 + 0.28) / 2, (0.8 + 0.28) / 2])
    np.testing.assert_allclose(column(given, "crowd"), (alike - alike.mean()) / 0.115, atol=1e-5)
    assert fuse(given).argmin() == 0
    assert column(given, "crowd", neighbours=False) == [0, 0, 0]


def test_the_likelier_a_passage_is_the_more_it_counts_in_the_crowd() -> None:
    vectors = np.array([[1, 0, 0], [0.6, 0.8, 0], [0, 0.8, 0.6]])
    cosines, likeness = np.array([0.2, 0.43, 0.2]), vectors @ vectors.T
    counted = np.exp((cosines - cosines.mean()) / 0.115 / 2)
    others = counted * (1 - np.eye(3))
    alike = (others * likeness).sum(axis=1) / others.sum(axis=1)
    found = column(evidence(cosines.tolist(), [0, 0, 0], vectors=vectors), "crowd")
    np.testing.assert_allclose(found, (alike - alike.mean()) / 0.115, atol=1e-5)


def test_passages_that_are_the_same_have_the_same_score_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    vectors, cosines, bm25 = rng.normal(size=(40, 16)), rng.random(40), 9 * rng.random(40)
    vectors[31], cosines[31], bm25[31] = vectors[2], cosines[2], bm25[2]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = fuse(evidence(cosines.tolist(), bm25.tolist(), vectors=vectors))
    assert scores[2] == scores[31]


def test_only_a_word_that_hardly_any_passage_holds_is_rare() -> None:
    assert column(evidence([0.1] * 3, [1.0] * 3, rarest=np.array([4.9, 5.0, 7.5])), "rare") == [0, 0, 2.5]


@pytest.mark.parametrize(("fifth", "share"), [(0.8, -1), (0.75, -0.5), (0.7, 0), (0.65, 0.5), (0.6, 1), (0.1, 1)])
def test_a_rare_word_counts_less_the_farther_the_nearest_is_before_the_fifth(fifth: float, share: float) -> None:
    rarest = np.array([0, 0, 0, 0, 0, 7.0])
    given = evidence([0.8, 0.8, 0.8, 0.8, fifth, 0.05], [1.0] * 6, rarest=rarest)
    assert column(given, "rare led") == pytest.approx([0, 0, 0, 0, 0, 2 * share], abs=1e-6)
    assert column(replace(given, readable=0.0), "rare led") == [0] * 6


def test_a_rare_word_never_tells_against_a_passage_that_holds_it_however_far_the_nearest_leads() -> None:
    vectors = np.eye(8)
    for lead in (0.0, 0.1, 0.3, 0.9):
        cosines = [0.05 + lead, *[0.05] * 7]
        without = fuse(evidence(cosines, [1.0] * 8, vectors=vectors))
        held = fuse(evidence(cosines, [1.0] * 8, vectors=vectors, rarest=np.array([0] * 7 + [9.0])))
        assert held[7] > without[7]
        np.testing.assert_allclose(held[:7], without[:7])


def test_a_score_is_the_weighted_sum_of_the_columns() -> None:
    vectors = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6]])
    given = evidence([0.2, 0.35, 0.3], [0, 1.0, 7.0], rarest=np.array([0, 0, 9.0]), vectors=vectors)
    wanted = sum(weight * columns(given)[:, COLUMNS.index(name)] for name, weight in WEIGHTS.items())
    np.testing.assert_allclose(fuse(given), wanted)
    assert list(WEIGHTS) == list(COLUMNS)


@given(
    st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9)), min_size=2, max_size=8),
    st.sampled_from([2, 20, 90, 900]),
)
def test_a_word_of_the_question_never_tells_against_a_passage_that_holds_it(
    pairs: list[tuple[int, int]], length: int
) -> None:
    cosines, bm25 = np.array(pairs, dtype=float).T / 100
    cosines[1] = cosines[0]
    vectors = np.eye(len(pairs))
    given = evidence(cosines.tolist(), bm25.tolist(), vectors=vectors, lengths=np.full(len(pairs), length))
    scores = fuse(given, neighbours=False)
    assert np.sign(round(scores[1] - scores[0], 9)) == np.sign(bm25[1] - bm25[0])


def test_a_question_that_the_model_has_no_tokens_for_is_answered_by_words_alone() -> None:
    bm25 = [0, 1.0, 3.0]
    given = evidence([0.9, 0.2, 0.1], bm25, readable=0.0)
    scores = columns(given)
    told = {name for place, name in enumerate(COLUMNS) if scores[:, place].any()}
    assert told == {"words"}
    half = evidence([0.2, 0.43], [0, 0], readable=0.5)
    assert column(half, "cosine") == [-0.25, 0.25]


def test_scores_that_do_not_differ_decide_nothing_and_no_candidates_have_no_scores() -> None:
    for count in (0, 1, 7):
        given = evidence([0.3] * count, [2.0] * count, vectors=np.ones((count, 1)))
        np.testing.assert_allclose(fuse(given), np.zeros(count), atol=1e-12)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(-99, 99), st.integers(0, 9)), min_size=8, max_size=8),
       st.permutations(range(8)), st.integers(1, 8))  # fmt: skip
def test_neither_the_order_of_candidates_nor_more_of_them_change_a_score(
    pairs: list[tuple[int, int]], order: list[int], some: int
) -> None:
    cosines, bm25 = np.array(pairs, dtype=float).T / 100

    def scores(places: list[int], among: int) -> np.ndarray:
        own = np.array(places)
        vectors = np.stack([np.cos(own), np.sin(own)], axis=1)
        given = evidence(
            cosines[own].tolist(), bm25[own].tolist(), vectors=vectors, lengths=100 + own, rarest=own, among=own < among
        )
        return fuse(given)

    alone = scores(list(range(some)), some)
    np.testing.assert_allclose(scores(list(range(8)), some)[:some], alone, atol=1e-9)
    np.testing.assert_allclose(scores(order, some)[np.argsort(order)][:some], alone, atol=1e-9)


def test_candidates_that_are_not_among_those_of_the_standard_change_no_score() -> None:
    many = evidence([0.9, 0.1, 0.5, 0.4], [0, 2.0, 9.0, 1.0])
    among = np.array([True, True, False, True])
    few = Evidence(*(value if np.isscalar(value) else value[among] for value in vars(many).values()))
    np.testing.assert_allclose(fuse(replace(many, among=among))[among], fuse(few), atol=1e-12)


def test_lengths_are_compared_in_characters() -> None:
    assert longer("abcd", ["abcdefgh", "abcd"]) == 1.5
    assert longer("abcd", []) == 0
    assert longer("", ["ab"]) == 2
    assert [wordiness(length) for length in (0.0, 2.0, 8.0, 100.0)] == [0, 0.25, 1, 1]


# -- what either search has first is kept


@settings(max_examples=200)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=12), st.data())
def test_the_first_of_either_search_is_among_the_first_five(scores: list[int], data: st.DataObject) -> None:
    places = st.lists(st.integers(0, len(scores) - 1), max_size=2, unique=True)
    best = data.draw(places)
    plain = np.array(scores, float)
    found = safe(plain, best)
    for place in best:
        assert (found > found[place]).sum() < SAFE
    others = np.delete(np.arange(len(scores)), best)
    np.testing.assert_array_equal(found[others], plain[others])
    assert (found >= plain).all()


def test_a_code_is_found_however_far_its_passage_is_from_the_question(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        texts = [f"the boat is tied to the bank of the river {i}" for i in range(400)]
        searcher.add_texts([*texts, "hello world QX4471"], ids=[*map(str, range(400)), "code"])
        hits = searcher.search("the boat is tied to the bank qx4471", 10, mode="hybrid")
        assert hits[0].id == "code"
        nearest = searcher.search("the boat is tied to the bank qx4471", 1)[0].id
        assert nearest in [hit.id for hit in hits[:SAFE]]


# -- words that hardly any passage holds


def test_a_passage_weighs_as_its_rarest_word_does_and_common_words_nothing(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        texts = ["river", "river boat", "river boat water", *["river"] * 447]
        searcher.add_texts(texts, ids=[str(i) for i in range(len(texts))])
        engine = searcher.engine
        with engine.reading():
            ids = engine.passage_ids()
            found = engine.rarest("the river boat, water* or 北京", ids)
        weights = [math.log((450 - count + 0.5) / (count + 0.5)) for count in (2, 1)]
        np.testing.assert_allclose(found[:4], [0, *weights, 0], rtol=1e-6)
        with engine.reading():
            assert engine.rarest("river", ids).tolist() == [0] * 450
            assert engine.rarest("boat", ids[:1]).tolist() == [0]
            assert engine.rarest("?", ids[:2]).tolist() == [0, 0]


# -- whole searches


def expected(searcher: Searcher, question: str, neighbours: bool) -> list[tuple[str, float]]:
    """Ids and scores of a hybrid search over every passage, out of vectors and keyword search."""
    keys = [str(i) for i in range(len(TEXTS))]
    words = {hit.id: hit.score for hit in searcher.search(question, 100, mode="keyword")}
    vectors = np.stack([searcher.passages(key)[0].vector for key in keys]).astype(np.float64)
    cosines = vectors @ searcher.embedder.embed([question], "query")[0].astype(np.float64)
    bm25 = np.array([words.get(key, 0.0) for key in keys])
    lengths = np.array([len(text) for text in TEXTS])
    given = Evidence(cosines, bm25, np.zeros(len(keys)), vectors, lengths, 1.0, np.ones(len(keys), bool))
    best = sorted({int(cosines.argmax()), *([int(bm25.argmax())] if words else [])})
    found = safe(fuse(given, neighbours=neighbours), best)
    return sorted(zip(keys, found.tolist(), strict=True), key=lambda hit: -hit[1])


@pytest.mark.parametrize("neighbours", [True, False])
@pytest.mark.parametrize("question", [QUESTION, "What is the ANSWER to a question?", "vector", "2019 unheard of"])
def test_a_hybrid_search_fuses_what_vectors_and_words_give(searcher: Searcher, question: str, neighbours: bool) -> None:
    [hits] = searcher.rank([question], 100, mode="hybrid", neighbours=neighbours)
    wanted = expected(searcher, question, neighbours)
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
