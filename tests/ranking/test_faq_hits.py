"""A FAQ entry is one hit of a search, by the phrasing that fits best, unless all phrasings are asked for."""

import json
from pathlib import Path

import pytest

from searcher import Searcher

ENTRIES = [
    {
        "id": "open",
        "question": "are you open today",
        "answer": "yes",
        "phrasings": ["open today", "are we open", "is it open"],
    },
    {
        "id": "bank",
        "question": "where is the bank",
        "answer": "by the river",
        "phrasings": ["bank", "the bank is near"],
    },
    {"id": "boat", "question": "is the boat tied", "answer": "it is", "phrasings": []},
]


@pytest.fixture(scope="module")
def s(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Searcher:
    folder = tmp_path_factory.mktemp("faq")
    (folder / "faq.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ENTRIES), encoding="utf-8")
    searcher = Searcher(folder / "index", model=tiny_bert)
    searcher.add_faq(folder / "faq.jsonl")
    searcher.add_texts(["we are open", "the river bank"], ids=["text-1", "text-2"])
    return searcher


HOW: list[tuple[str, dict[str, object]]] = [
    *((mode, options) for mode in ("dense", "keyword", "hybrid") for options in ({}, {"mmr": 0.7})),
    *((mode, {"rerank": "maxsim"}) for mode in ("dense", "hybrid")),
]


@pytest.mark.parametrize(("mode", "options"), HOW, ids=str)
def test_an_entry_is_one_hit_by_its_best_phrasing(s: Searcher, mode: str, options: dict[str, object]) -> None:
    every = s.search("is it open", 20, mode=mode, phrasings=True)
    found = s.search("is it open", 5, mode=mode, **options)
    entries = [hit.id for hit in found if hit.metadata.get("answer")]
    assert len(entries) == len(set(entries))
    texts = {hit.id for hit in every}
    assert len(found) == min(5, len(texts))  # as many as there are, in the place of copies
    if not options:
        first = {}
        for hit in every:
            first.setdefault(hit.id, hit.passage_id)
        assert [hit.passage_id for hit in found] == list(first.values())[:5]


def test_all_phrasings_are_shown_when_asked_for(s: Searcher) -> None:
    every = s.search("is it open", 20, phrasings=True)
    assert sum(hit.id == "open" for hit in every) == 5  # four ways of asking, and the answer
    assert len(every) == s.counts()["passages"]


def test_entries_like_a_document_come_once_too(s: Searcher) -> None:
    hits = s.similar("text-1", 3)
    assert len({hit.id for hit in hits}) == 3
