"""Questions that nobody asks: those of a file with known answers are measured and learned from, and never kept."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from searcher import Searcher
from searcher.errors import BadValue
from searcher.faq import read_questions

ENTRIES = [
    ("Where is the boat?", "At the river."),
    ("Where is the money?", "In the bank."),
    ("Who is there?", "Hello."),
]
ASKED = [("where is our boat", "At the river."), ("where did the money go", "In the bank."), ("is it raining", "")]


def table(file: Path, rows: list[tuple[str, str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("question", "answer"), *rows])
    return file


@pytest.fixture
def searcher(tiny_bert: Path, tmp_path: Path) -> Searcher:
    made = Searcher(tmp_path / "index", tiny_bert)
    made.add_faq(table(tmp_path / "faq.csv", ENTRIES))
    return made


def test_the_questions_of_an_evaluation_are_not_kept(searcher: Searcher, tmp_path: Path) -> None:
    searcher.faq.log(True)
    measures = searcher.faq.evaluate(table(tmp_path / "asked.csv", ASKED), min_score=1e9)
    assert (measures["questions"], measures["answered"], measures["refused"]) == (3, 0.0, 1.0)
    assert searcher.faq.unanswered() == []
    searcher.faq.verdicts(["is it raining"], min_score=1e9)
    assert [(own.question, own.times) for own in searcher.faq.unanswered()] == [("is it raining", 1)]


@pytest.mark.parametrize("score", [float("nan"), "0.5", True])
def test_a_least_score_that_is_no_number_is_refused_wherever_one_is_taken(searcher: Searcher, score: Any) -> None:
    for ask in (
        lambda: searcher.search("boat", min_score=score),
        lambda: searcher.search(["boat"], min_score=score, mode="keyword"),
        lambda: searcher.context("boat", min_score=score),
        lambda: searcher.faq.verdicts(["boat"], score),
        lambda: searcher.answer("boat", score),
    ):
        with pytest.raises(BadValue, match=r"min_score is .*; it must be a number"):
            ask()


def test_a_least_score_may_be_any_number(searcher: Searcher) -> None:
    assert searcher.search("boat", min_score=float("inf")) == []
    assert len(searcher.search("boat", min_score=float("-inf"))) == 3
    assert searcher.faq.verdicts(["boat"], float("inf"))[0].why == "its score is {:.3f}, below inf".format(
        searcher.faq.rank(["boat"])[0][0].score
    )


@pytest.fixture
def embedded(searcher: Searcher, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that are embedded from now on."""
    embed, seen = searcher.embedder.embed, list[str]()

    def listed(texts: Any, *how: Any) -> Any:
        seen.extend(texts)
        return embed(texts, *how)

    monkeypatch.setattr(searcher.embedder, "embed", listed)
    return seen


def test_each_labelled_question_is_embedded_once(searcher: Searcher, tmp_path: Path, embedded: list[str]) -> None:
    rows = [(f"{text} {number}", answer) for number in range(10) for text, answer in ASKED]
    report = searcher.faq.calibrate(table(tmp_path / "many.csv", rows)).calibration.report
    assert (report["questions"], report["made"]) == (30, {})
    assert sorted(embedded) == sorted(text for text, _ in rows)


def test_each_kept_question_is_embedded_once_to_be_grouped(searcher: Searcher, embedded: list[str]) -> None:
    searcher.faq.log(True)
    for text in (*(text for text, _ in ASKED), ASKED[0][0]):
        searcher.faq.verdicts([text], min_score=1e9)
    embedded.clear()
    groups = searcher.faq.unanswered(near=1)
    assert sorted(embedded) == sorted(text for text, _ in ASKED)
    assert {own.question: own.score for own in groups} == pytest.approx(
        {text: searcher.faq.rank([text])[0][0].score for text, _ in ASKED}
    )


# -- answers by another hand


def test_answers_that_differ_in_the_space_around_them_are_one_entry_and_are_named_however_they_are_broken(
    tiny_bert: Path, tmp_path: Path
) -> None:
    entries = [
        {"question": "hello world", "answer": "Yes.\nIn the bank.\n"},
        {"question": "river bank", "answer": " Yes.\nIn the bank."},
        {"question": "money account", "answer": "No  more."},
    ]
    (tmp_path / "faq.jsonl").write_text("\n".join(map(json.dumps, entries)), "utf-8")
    said = ["Yes.\r\nIn the bank.\r\n", "Yes. In the bank.", "yes no", " No more. ", "", "  ", None]
    asked = ["hello world", "river bank", "the water", "money account", "the boat", "a boat", "boat"]
    rows = [{"question": question, "answer": answer} for question, answer in zip(asked, said, strict=True)]
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add_faq(tmp_path / "faq.jsonl")
        assert searcher.faq.entries()[0].answers == ["Yes.\nIn the bank.", "No  more."]
        file = tmp_path / "asked.jsonl"
        file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
        with pytest.raises(BadValue, match="no entry has the answer, id, source or question 'yes no'"):
            searcher.faq.evaluate(file)
        file.write_text("\n".join(map(json.dumps, rows[:2] + rows[3:])), "utf-8")
        measures = searcher.faq.evaluate(file, min_probability=0)
    assert (measures["questions"], measures["unanswerable"], measures["P@1"]) == (6, 3, 1.0)


def test_a_json_list_of_texts_is_a_question_each_and_other_json_is_none(tmp_path: Path) -> None:
    file = tmp_path / "asked.json"
    for written, read in (
        ('["a", "b c"]', ["a", "b c"]),
        ('[{"text": "a"}]', ["a"]),
        ('{"hits": [{"query": "q"}]}', ["q"]),
    ):
        file.write_text(written, encoding="utf-8")
        assert list(read_questions(file)) == read
    for written in ("[]", "{}", "[1]", '"x"', "hello", '[["a"]]', ""):
        file.write_text(written, encoding="utf-8")
        with pytest.raises(BadValue, match=r"asked\.json holds no list of objects with question \(or text, query\)"):
            list(read_questions(file))
    file.write_text('["a", " "]', encoding="utf-8")
    with pytest.raises(BadValue, match=r"asked\.json#2: no question"):
        list(read_questions(file))


@pytest.mark.parametrize("least", ["0.5", True, float("nan"), 1.5, -0.1])
def test_a_least_probability_that_is_none_is_refused(searcher: Searcher, least: Any) -> None:
    with pytest.raises(BadValue, match="min_probability is "):
        searcher.answer("where is the boat", min_probability=least)
