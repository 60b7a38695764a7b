"""Questions of several people in one call: each answered as if it were alone, and embedded in one forward pass."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from searcher import Searcher
from searcher.errors import BadValue, FilterError, UnknownName

TEXTS = ["money in the bank account", "the boat is tied to the river bank", "hello world", "water flows near the bank"]


@pytest.fixture(scope="module")
def searcher(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    searcher = Searcher(tmp_path_factory.mktemp("each") / "index", model=tiny_bert)
    searcher.add_texts(TEXTS, ids=list("abcd"), metadatas=[{"n": n, "odd": bool(n % 2)} for n in range(4)])
    return searcher


ASKED: list[dict[str, Any]] = [
    {"query": "the river"},
    {"query": "money", "k": 2},
    {"query": "water -money bank", "mode": "hybrid"},
    {"query": "water -money bank", "mode": "hybrid", "literal": True},
    {"query": "bank", "mode": "keyword", "k": 3},
    {"query": "the river", "where": {"n": 1}},
    {"query": "the river", "where": {"odd": True}},
    {"query": "hello", "mmr": 0.4, "k": 3},
    {"query": "money", "highlight": True},
    {"query": "money", "rerank": "maxsim", "whole": True},
]


def test_every_question_has_the_hits_that_it_has_alone(searcher: Searcher) -> None:
    for own, hits in zip(ASKED, searcher.search_each(ASKED), strict=True):
        alone = searcher.search(**own)
        assert not isinstance(hits, Exception)
        assert [(hit.id, hit.rank, hit.highlight, hit.text) for hit in hits] == [
            (hit.id, hit.rank, hit.highlight, hit.text) for hit in alone
        ]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in alone], abs=1e-5)


def test_all_that_is_embedded_goes_through_the_model_once(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> None:
    embed, calls = searcher.embedder.embed, list[list[str]]()

    def counted(texts: Sequence[str], kind: str) -> Any:
        calls.append(list(texts))
        return embed(texts, kind)

    monkeypatch.setattr(searcher.embedder, "embed", counted)
    searcher.search_each(ASKED[:8])
    assert calls == [["the river", "money", "water bank", "water -money bank", "hello"]]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"query": " "}, BadValue), ({"query": 3}, BadValue), ({}, BadValue), ({"query": "a", "k": 0}, BadValue),
        ({"query": "a", "where": "n = "}, FilterError), ({"query": "a", "where": "m = 1"}, UnknownName),
        ({"query": "a", "mode": "best"}, UnknownName), ({"query": "a", "colour": 1}, TypeError),
        ({"query": "a", "whole": True, "per_document": 2}, BadValue),
    ],
)  # fmt: skip
def test_what_is_wrong_with_one_is_its_answer_and_nobody_elses(
    searcher: Searcher, wrong: dict[str, Any], fault: type[Exception]
) -> None:
    before, answer, after = searcher.search_each([ASKED[0], wrong, ASKED[1]])
    assert type(answer) is fault
    assert not isinstance(before, Exception)
    assert not isinstance(after, Exception)
    assert [hit.id for hit in before] == [hit.id for hit in searcher.search(**ASKED[0])]
    assert len(after) == 2


def test_nothing_is_found_before_the_first_add(tmp_path: Path) -> None:
    assert Searcher(tmp_path / "none").search_each([{"query": "a"}, {"query": "b", "mode": "keyword"}]) == [[], []]
    assert Searcher(tmp_path / "none").search_each([]) == []
