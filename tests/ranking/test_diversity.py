"""Hits that are not all alike: MMR against brute force, a limit for each document, and never fewer than there can be."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from models import WORDS

from searcher import Searcher
from searcher.cli.program import cli
from searcher.errors import BadValue
from searcher.records import Passage

MODES = ["dense", "keyword", "hybrid"]
COUNTS = {"one": 1, "two": 2, "few": 4, "many": 130, "none": 0}  # passages of each document
QUESTION = "the river bank"


def text(key: str, passages: int) -> str:
    """Paragraphs of which each is a passage, and holds a word of the question."""
    chance = random.Random(key)
    return "\n\n".join(" ".join(["river", *chance.choices(WORDS, k=8)]) for _ in range(passages)) or " "


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("diversity") / "index", tiny_bert, chunk_tokens=16) as searcher:
        metadatas = [{"size": passages} for passages in COUNTS.values()]
        searcher.add_texts([text(*item) for item in COUNTS.items()], ids=list(COUNTS), metadatas=metadatas)
        yield searcher


def held(searcher: Searcher) -> Counter[str | None]:
    """How many passages each document has."""
    return Counter(row.id for key in COUNTS for row in searcher.passages(key))


def test_the_index_is_as_the_tests_below_take_it(searcher: Searcher) -> None:
    counts = held(searcher)
    assert {key: counts[key] for key in COUNTS} == COUNTS
    assert len(searcher.search(QUESTION, 1000, mode="keyword")) == sum(COUNTS.values())


# -- a limit for each document


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("trade", [None, 0.5])
@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 60, 1000])
def test_there_are_k_hits_or_as_many_as_the_limit_leaves(
    searcher: Searcher, mode: str, trade: float | None, limit: int, k: int
) -> None:
    hits = searcher.search(QUESTION, k, mode=mode, per_document=limit, mmr=trade)
    counts = Counter(hit.id for hit in hits)
    assert max(counts.values()) <= limit
    assert len(hits) == min(k, sum(min(limit, count) for count in COUNTS.values()))
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert len({hit.passage_id for hit in hits}) == len(hits)


@pytest.mark.parametrize("mode", ["dense", "keyword"])
@pytest.mark.parametrize("limit", [1, 3])
def test_of_each_document_the_best_passages_are_shown_in_their_order(searcher: Searcher, mode: str, limit: int) -> None:
    used: Counter[str | None] = Counter()
    expected = []
    for hit in searcher.search(QUESTION, 1000, mode=mode):
        used[hit.id] += 1
        if used[hit.id] <= limit:
            expected.append((hit.passage_id, hit.score))
    hits = searcher.search(QUESTION, 1000, mode=mode, per_document=limit)
    assert [(hit.passage_id, hit.score) for hit in hits] == expected


def test_a_limit_and_a_filter_and_a_least_score_hold_together(searcher: Searcher) -> None:
    scores = [hit.score for hit in searcher.search(QUESTION, 1000, "size > 1")]
    least = scores[len(scores) // 2]
    hits = searcher.search(QUESTION, 9, "size > 1", least, per_document=2)
    assert all(hit.score >= least and hit.id != "one" for hit in hits)
    above = Counter(hit.id for hit in searcher.search(QUESTION, 1000, "size > 1", least))
    assert len(hits) == sum(min(2, count) for count in above.values())


def test_many_questions_are_answered_as_each_alone(searcher: Searcher) -> None:
    questions = [QUESTION, "money", "hello world"]
    how: dict[str, Any] = {"per_document": 1, "mmr": 0.3, "mode": "hybrid"}
    together = searcher.search(questions, 3, **how)
    for question, hits in zip(questions, together, strict=True):
        alone = searcher.search(question, 3, **how)
        assert [hit.passage_id for hit in hits] == [hit.passage_id for hit in alone]


# -- maximal marginal relevance


def assert_mmr(
    hits: Sequence[Passage], scores: Mapping[int, float], vectors: Mapping[int, np.ndarray], trade: float
) -> None:
    """Each hit has the greatest gain of those that were left; where two are equal either may be meant."""
    shown: list[int] = []
    for hit in hits:
        gains = {
            number: trade * score
            - (1 - trade) * max((float(vectors[number] @ vectors[other]) for other in shown), default=0.0)
            for number, score in scores.items()
            if number not in shown
        }
        assert gains[hit.passage_id] >= max(gains.values()) - 2e-6
        shown.append(hit.passage_id)


@pytest.fixture(scope="module")
def changing(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searcher]:
    with Searcher(tmp_path_factory.mktemp("mmr") / "index", tiny_bert) as searcher:
        searcher.add_texts([])
        yield searcher


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), max_size=30),
    st.lists(st.integers(-9, 9), min_size=32, max_size=32).filter(any),
    st.sampled_from([0, 0.2, 0.5, 0.9, 1]),
    st.integers(1, 35),
)
def test_mmr_chooses_as_its_formula(
    changing: Searcher, texts: list[str], query: list[int], trade: float, k: int
) -> None:
    if old := [row["id"] for row in changing.engine.listing()]:
        changing.remove(ids=old)
    changing.add_texts(texts, ids=[f"d{number}" for number in range(len(texts))])
    vector = np.array(query, np.float32)
    plain = changing.search(vector, 1000)
    scores = {hit.passage_id: hit.score for hit in plain}
    vectors = {row.passage_id: row.vector for hit in plain for row in changing.passages(str(hit.id))}
    hits = changing.search(vector, k, mmr=trade)
    assert len(hits) == min(k, len(texts))
    assert all(hit.score == scores[hit.passage_id] for hit in hits)
    assert_mmr(hits, scores, vectors, trade)
    if trade == 1:
        assert hits == plain[:k]


@pytest.mark.parametrize("mode", ["keyword", "hybrid"])
def test_scores_of_other_kinds_are_put_on_the_scale_of_cosines(searcher: Searcher, mode: str) -> None:
    best = searcher.search(QUESTION, 80, mode=mode)  # 4 × 20: those that MMR chooses from
    low, high = min(hit.score for hit in best), max(hit.score for hit in best)
    scores = {hit.passage_id: (hit.score - low) / (high - low) for hit in best}
    vectors = {row.passage_id: row.vector for key in COUNTS for row in searcher.passages(key)}
    hits = searcher.search(QUESTION, 20, mode=mode, mmr=0.5)
    assert len(hits) == 20
    assert_mmr(hits, scores, vectors, 0.5)


def test_a_text_that_is_there_twice_is_shown_once_before_all_others(changing: Searcher) -> None:
    if old := [row["id"] for row in changing.engine.listing()]:
        changing.remove(ids=old)
    changing.add_texts(["river bank", "river bank", "boat", "money in our account"], ids=["a", "b", "c", "d"])
    assert {hit.id for hit in changing.search("river bank", 2)} == {"a", "b"}
    assert len({"a", "b"} & {hit.id for hit in changing.search("river bank", 3, mmr=0.1)}) == 1
    assert len(changing.search("river bank", 4, mmr=0.1)) == 4


# -- what cannot be


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"mmr": -0.1}, "mmr is -0.1"), ({"mmr": 1.5}, "mmr is 1.5"), ({"mmr": float("nan")}, "mmr is nan"),
        ({"mmr": "0.5"}, "mmr is '0.5'"), ({"mmr": True}, "mmr is True"), ({"per_document": 0}, "per_document is 0"),
        ({"per_document": 1.5}, "per_document is 1.5"), ({"per_document": True}, "per_document is True"),
    ],
)  # fmt: skip
def test_a_wrong_wish_is_named(searcher: Searcher, how: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadValue, match=problem) as fault:
        searcher.search(QUESTION, **how)
    assert "\n" not in str(fault.value)


# -- from the shell


def run(searcher: Searcher, *arguments: str) -> str:
    result = CliRunner().invoke(cli, ["search", QUESTION, "-i", str(searcher.folder), *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_documents_are_ranked_by_their_best_passages_a_line_for_each(searcher: Searcher) -> None:
    best: dict[str | None, float] = {}
    for hit in searcher.search(QUESTION, 1000):
        best.setdefault(hit.id, hit.score)
    lines = [line.split()[:3] for line in run(searcher, "--documents").splitlines()]
    assert [[rank, score, place.split(":")[0]] for rank, score, place in lines] == [
        [str(rank), f"{score:.3f}", key] for rank, (key, score) in enumerate(best.items(), 1)
    ]
    hits = json.loads(run(searcher, "--documents", "--json"))
    assert [hit["id"] for hit in hits] == list(best)
    assert [hit["score"] for hit in hits] == pytest.approx(list(best.values()), abs=1e-5)


def test_the_options_reach_the_search(searcher: Searcher) -> None:
    arguments = ["--mode", "hybrid", "--mmr", "0.4", "--per-document", "2", "-k", "5", "--json"]
    expected = searcher.search(QUESTION, 5, mode="hybrid", mmr=0.4, per_document=2)
    assert [hit["passage_id"] for hit in json.loads(run(searcher, *arguments))] == [hit.passage_id for hit in expected]


def test_documents_with_another_limit_is_wrong_usage(searcher: Searcher) -> None:
    arguments = ["search", QUESTION, "-i", str(searcher.folder), "--documents", "--per-document", "2"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "leave out --per-document" in result.output
