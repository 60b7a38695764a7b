"""Probabilities that do not mislead: made questions without an answer, the shipped default, "no answer" unasked."""

import csv
import io
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import minimize

from searcher import Searcher
from searcher.cli import main
from searcher.errors import BadValue, UnreadableFile
from searcher.faq.calibration import (
    Logistic,
    area_under_curve,
    coverage_at,
    cross_validated,
    expected_calibration_error,
    fit,
)
from searcher.ranking import GENERAL

BOTS = ("hint3-sofmattress", "hint3-curekart")
NONSENSE = (
    "best pizza in town", "who won the cup", "asdf qwer zxcv", "?", "¿dónde está la biblioteca?", "今天天气怎么样",
    "how tall is the tallest giraffe", "lorem ipsum dolor sit amet", "42", "is my horoscope good this week",
)  # fmt: skip
SHOP = {
    "When do you open?": "From nine to five, on Saturdays till noon.",
    "Can I return a mattress?": "Yes, within 30 days, in its box.",
    "How do I pay by invoice?": "Choose invoice at the end; you have two weeks.",
    "Where is my parcel?": "The number in our letter leads to the carrier's page.",
    "Do you deliver to Norway?": "To all of Scandinavia, for 12 euros.",
    "How do I change my password?": "Under Account, Security.",
    "Is there a warranty?": "Two years on everything, ten on frames.",
    "How do I cancel my order?": "As long as it is not packed: Orders, Cancel.",
    "Which sizes are there?": "80, 90, 140 and 160 centimetres.",
    "How do I wash the cover?": "At 60 degrees; no dryer.",
    "Do you take the old mattress away?": "Yes, for 25 euros.",
    "Can I try one in a shop?": "In Hamburg and Leipzig.",
}


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    """Run the command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCHER_INDEX", raising=False)

    def call(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Result(stop.value.code, captured.out, captured.err)

    return call


def entries_file(folder: Path) -> Path:
    rows = [{"id": str(n), "question": question, "answer": answer} for n, (question, answer) in enumerate(SHOP.items())]
    return lines(folder / "shop.jsonl", rows)


def lines(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def shop(bundled: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of a FAQ of twelve entries, asked in one way each."""
    folder = tmp_path_factory.mktemp("shop")
    with Searcher(folder / "index", bundled) as searcher:
        assert searcher.add_faq(entries_file(folder)).failed == []
    return folder / "index"


@pytest.fixture
def index(shop: Path, tmp_path: Path) -> Path:
    return shutil.copytree(shop, tmp_path / "index_data")


# -- fits: weights and what was known before, against an independent optimum


def drawn(count: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(4)
    evidence = draw.standard_normal((count, 2)) * [1, 20] + [3, -5]
    right = draw.random(count) < 1 / (1 + np.exp(-(evidence[:, 0] - 3)))
    return evidence, right, draw.integers(1, 5, count)


def test_a_weight_is_as_many_questions() -> None:
    evidence, right, weight = drawn()
    many, once = fit(np.repeat(evidence, weight, 0), np.repeat(right, weight)), fit(evidence, right, weight=weight)
    assert np.allclose(once.probability(evidence), many.probability(evidence), atol=1e-9)
    score = np.round(once.probability(evidence), 1)
    repeated = np.repeat(score, weight), np.repeat(right, weight)
    assert area_under_curve(score, right, weight) == pytest.approx(area_under_curve(*repeated))
    assert coverage_at(0.6, score, right, weight) == pytest.approx(coverage_at(0.6, *repeated))
    error = expected_calibration_error(score, right, weight=weight)
    assert error == pytest.approx(expected_calibration_error(*repeated))


@pytest.mark.parametrize(("slope", "bias"), [(0.8, -0.3), (9.0, -40.0), (-9.0, 40.0)])  # near, and so far off that
def test_what_was_known_before_is_where_the_fit_begins_and_questions_move_it(slope: float, bias: float) -> None:
    evidence, right, _ = drawn()  # whole steps of Newton's would never come back
    before = Logistic([1.0, 0.0], [2.0, 1.0], [slope, 0.02], bias)
    mean, spread, strength = evidence.mean(axis=0), evidence.std(axis=0), np.array([30, 30, 1])

    def loss(parameters: np.ndarray) -> float:
        """Of the same function, written in the evidence as it is."""
        weights, constant = parameters[:2], parameters[2]
        margins = np.where(right, 1, -1) * (evidence @ weights + constant)
        known = np.array(before.weights) / before.spread
        there = before.bias + known @ (mean - before.mean)
        moved = np.append((weights - known) * spread, constant + weights @ mean - there)
        return np.logaddexp(0, -margins).sum() + (strength * moved) @ moved / 2

    best = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-6, "maxiter": 5_000}).x
    expected = 1 / (1 + np.exp(-(evidence @ best[:2] + best[2])))
    assert np.allclose(fit(evidence, right, prior=before).probability(evidence), expected, atol=1e-4)
    none = fit(evidence[:1], right[:1], weight=np.array([1e-9]), prior=before)  # of nothing
    assert np.allclose(none.probability(evidence), before.probability(evidence), atol=1e-6)


def test_a_handful_of_questions_is_enough_where_something_is_known() -> None:
    evidence, right, _ = drawn(6)
    before = Logistic([0.0, 0.0], [1.0, 1.0], [1.0, 0.0], -3.0)
    assert cross_validated(evidence, right, prior=before).shape == (6,)
    with pytest.raises(BadValue, match="at least 10 are needed"):
        fit(evidence, right)


# -- a calibration of questions that all have an answer


@pytest.mark.parametrize("bot", [BOTS[0], pytest.param(BOTS[1], marks=pytest.mark.slow)])
def test_in_scope_questions_alone_give_no_probability_that_is_too_high(
    bot: str, data: Path, bundled: str, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in (data / bot / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    inside = [{"question": row["text"], "answer": row["answer"]} for row in rows if row["answer"] is not None]
    with Searcher(tmp_path / "index", bundled) as searcher:
        searcher.add_faq(data / bot / "phrasings.jsonl", answers=False)
        report = searcher.faq.calibrate(lines(tmp_path / "inside.jsonl", inside)).calibration.report
        verdicts = searcher.faq.verdicts([row["text"] for row in rows], min_probability=0)
    probability = np.array([verdict.best.probability if verdict.best else 0.0 for verdict in verdicts], dtype=float)
    right = np.array(
        [v.best is not None and v.best.answer == row["answer"] for v, row in zip(verdicts, rows, strict=True)]
    )
    outside = np.array([row["answer"] is None for row in rows])
    assert report["questions"] == len(inside)
    assert report["made"]["asked without their entry"] == len(inside)
    assert report["made"]["general"] > 200
    assert (probability[outside] >= report["threshold"]["0.9"]).mean() <= 0.15
    assert expected_calibration_error(probability, right) <= 0.06


def labelled(folder: Path, unanswerable: Sequence[str] = (), times: int = 2) -> Path:
    rows = [
        {"question": f"{'please, ' * n}{question.lower()}", "answer": str(number)}
        for n in range(times)
        for number, question in enumerate(SHOP)
    ]
    return lines(folder / "asked.jsonl", [*rows, *({"question": text, "answer": None} for text in unanswerable)])


def test_made_questions_are_told_with_their_number_and_their_share(
    run: Callable[..., Result], index: Path, tmp_path: Path
) -> None:
    result = run("faq", "calibrate", "--labelled", labelled(tmp_path))
    assert "calibrated with 24 questions (labelled questions)" in result.out
    assert f"some were made: 24 asked without their entry and {len(GENERAL)} general" in result.out
    assert "40%, taken for what daily use has" in result.out
    assert "the shipped default" in result.out
    report = json.loads(run("faq", "calibrate", "--labelled", tmp_path / "asked.jsonl", "--json").out)
    assert report["right"] <= 0.6 + 1e-9  # at most the 24 among 24 + 16
    assert report["unanswerable"] == pytest.approx(0.4)


def test_a_file_with_ten_unanswerable_questions_needs_no_made_ones(
    run: Callable[..., Result], index: Path, tmp_path: Path
) -> None:
    file = labelled(tmp_path, NONSENSE)
    report = json.loads(run("faq", "calibrate", "--labelled", file, "--json").out)
    assert (report["questions"], report["made"]) == (34, {})
    assert report["unanswerable"] == pytest.approx(10 / 34)
    more = json.loads(run("faq", "calibrate", "--labelled", file, "--unanswerable", "0.6", "--json").out)
    assert (more["made"], more["unanswerable"]) == ({}, pytest.approx(0.6))
    few = json.loads(run("faq", "calibrate", "--labelled", labelled(tmp_path, NONSENSE[:3]), "--json").out)
    assert few["made"]["general"] > 200
    assert few["unanswerable"] == pytest.approx(0.4)


def test_whoever_says_that_all_questions_have_an_answer_is_believed(index: Path, tmp_path: Path) -> None:
    with Searcher(index) as searcher:
        assert searcher.faq.calibrate(labelled(tmp_path), unanswerable=0).calibration.report["made"] == {}
        for share in (-0.1, 1, 1.5):
            with pytest.raises(BadValue, match=f"unanswerable is {share}"):
                searcher.faq.calibrate(labelled(tmp_path), unanswerable=share)
        with pytest.raises(BadValue, match=r"none of the 3 questions of .* has an answer"):
            searcher.faq.calibrate(labelled(tmp_path, NONSENSE[:3], times=0))


# -- a FAQ that tells too little of itself


def test_a_small_faq_gets_the_shipped_default_that_is_said_to_be_one(run: Callable[..., Result], index: Path) -> None:
    result = run("faq", "calibrate")
    assert result.code == 0
    assert "too few phrasings to learn from: the shipped default holds" in result.out
    assert "not checked on this" in result.out
    assert "faq calibrate --labelled FILE" in result.out
    report = json.loads(run("faq", "calibrate", "--json").out)
    assert (report["how"], report["questions"], report["ECE"]) == ("shipped default", 0, None)
    sure = json.loads(run("ask", "can I send a mattress back", "--json").out)
    assert sure["answer"] == SHOP["Can I return a mattress?"]
    assert sure["probability"] > 0.5
    threshold = report["threshold"]["0.8"]
    assert json.loads(run("ask", "who won the cup", "--min-probability", threshold, "--json").out)["answer"] is None


def test_without_a_default_for_its_model_a_small_faq_is_refused_a_probability(tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add_faq(entries_file(tmp_path))
        with pytest.raises(BadValue, match=r"0 phrasings of 12 entries could be left out.*--labelled"):
            searcher.faq.calibrate()


@pytest.mark.parametrize("question", NONSENSE)
def test_nonsense_has_no_answer_unasked(question: str, shop: Path) -> None:
    with Searcher(shop) as searcher:
        assert searcher.answer(question) is None
        [verdict] = searcher.faq.verdicts([question])
        assert verdict.best is not None
        assert "by the shipped default, below 0.15" in str(verdict.why)
        assert searcher.answer(question, min_probability=0) == verdict.best


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("opening hours", "When do you open?"),
        ("I don't want the matress any more, can it go back?", "Can I return a mattress?"),
        ("hwo do i chnage my pasword", "How do I change my password?"),
        ("PARCEL NOT HERE YET", "Where is my parcel?"),
    ],
)
def test_a_question_in_other_words_still_has_its_answer(question: str, asked: str, shop: Path) -> None:
    with Searcher(shop) as searcher:
        answer = searcher.answer(question)
        assert answer is not None
        assert answer.answer == SHOP[asked]


def test_nobody_is_warned_that_a_short_window_cuts_questions_which_nobody_asked(
    tiny_bert: Path, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    with Searcher(tmp_path / "index", tiny_bert) as searcher:
        searcher.add_faq(entries_file(tmp_path))
        searcher.embedder.max_seq_length = 5
        recwarn.clear()
        searcher.answer(["zzz", "qqq"])
        assert searcher.engine.notes.get("nonsense")
        assert [str(each.message) for each in recwarn] == []


def test_several_questions_have_the_answers_that_each_has_alone(shop: Path) -> None:
    asked = ["opening hours", NONSENSE[0], "PARCEL NOT HERE YET"]
    with Searcher(shop) as searcher:
        several = searcher.answer(asked)
        assert [each and each.answer for each in several] == [
            SHOP["When do you open?"],
            None,
            SHOP["Where is my parcel?"],
        ]
        for each, question in zip(several, asked, strict=True):
            alone = searcher.answer(question)
            # The last bits are rounding's: not every CPU multiplies three rows as it does one.
            assert (each and each.as_dict()) == (alone and pytest.approx(alone.as_dict(), abs=1e-6))
        assert searcher.answer([]) == []


def test_with_another_model_an_answer_beats_general_questions(bundled: str, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", bundled, pooling="max") as searcher:
        searcher.add_faq(entries_file(tmp_path))
        assert searcher.answer("which sizes do you have") is not None
        [verdict] = searcher.faq.verdicts(["lorem ipsum dolor sit amet"])
        assert "general questions get up to" in str(verdict.why)
        level = json.loads(searcher.engine.notes.get("nonsense") or "")["level"]
        scores = [found[0].score for found in searcher.faq.rank(GENERAL[::3])]
        assert level == pytest.approx(np.quantile(scores, 0.95))


# -- files of questions


def test_a_file_of_questions_is_answered_row_by_row(run: Callable[..., Result], index: Path, tmp_path: Path) -> None:
    questions = ["which sizes do you have", "best pizza in town", 'a "quoted", question']
    with (tmp_path / "asked.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([["Question", "asked on"], *([question, "monday"] for question in questions)])
    (tmp_path / "asked.txt").write_text("\ufeff" + "\n\n".join(questions), encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(run("ask", "--queries", "asked.csv", "--format", "csv").out)))
    assert list(rows[0]) == ["query", "answer", "probability", "source", "question", "score", "margin", "why"]
    assert [row["query"] for row in rows] == questions
    assert (rows[0]["answer"], rows[0]["why"]) == (SHOP["Which sizes are there?"], "")
    assert rows[0]["source"].endswith("shop.jsonl#8")
    assert rows[1]["answer"] == ""
    assert "below 0.15" in rows[1]["why"]
    objects = [json.loads(line) for line in run("ask", "--queries", "asked.txt", "--jsonl").out.splitlines()]
    assert [row["query"] for row in objects] == questions
    assert [row["answer"] for row in objects] == [row["answer"] or None for row in rows]
    assert json.loads(run("ask", "--queries", "asked.txt", "--json").out) == objects
    assert "── best pizza in town\nno answer\n" in run("ask", "--queries", "asked.txt").out


def test_probabilities_stand_in_the_rows_once_there_are_some(
    run: Callable[..., Result], index: Path, tmp_path: Path
) -> None:
    (tmp_path / "asked.txt").write_text("which sizes do you have\nbest pizza in town\n", encoding="utf-8")
    run("faq", "calibrate")
    first, second = map(json.loads, run("ask", "--queries", "asked.txt", "--jsonl").out.splitlines())
    assert first["probability"] > 0.5
    assert (second["answer"], second["why"][:38]) == (None, "it is right with a probability of 0.02")
    strict = run("ask", "--queries", "asked.txt", "--jsonl", "--min-probability", "1").out.splitlines()
    assert [json.loads(line)["answer"] for line in strict] == [None, None]


def test_a_question_and_a_file_of_them_are_one_too_many(
    run: Callable[..., Result], index: Path, tmp_path: Path
) -> None:
    (tmp_path / "asked.txt").write_text("why\n", encoding="utf-8")
    (tmp_path / "empty.txt").write_text("\n \n", encoding="utf-8")
    (tmp_path / "latin.txt").write_bytes(b"Wo liegt K\xf6ln?\n")
    assert run("ask", "why", "--queries", "asked.txt").code == run("ask").code == 2
    assert run("ask", "--queries", "asked.txt", "--json", "--format", "csv").err.startswith("Error: One format, not")
    assert run("ask", "--queries", "empty.txt").err == "Error: empty.txt holds no question\n"
    assert run("ask", "--queries", "latin.txt").err == "Error: latin.txt is not UTF-8\n"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("frage,answer", "no column 'question', 'text', 'query'; its fields: frage, answer"),
        ("question,reply", "no column 'answer'; its fields: question, reply"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(
    header: str, said: str, run: Callable[..., Result], index: Path, tmp_path: Path
) -> None:
    (tmp_path / "asked.csv").write_text(f"{header}\nopening hours,0\n", encoding="utf-8")
    assert said in run("faq", "calibrate", "--labelled", "asked.csv").err
    assert said in run("faq", "eval", "asked.csv").err
    with Searcher(index) as searcher, pytest.raises(UnreadableFile):
        searcher.faq.evaluate(tmp_path / "asked.csv")


def test_what_is_no_table_of_answers_is_named(run: Callable[..., Result], index: Path, tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text("why\n", encoding="utf-8")
    (tmp_path / "folder.csv").mkdir()
    for name, said in [("asked.txt", "these are: .csv"), ("gone.csv", "gone.csv"), ("folder.csv", "folder.csv")]:
        result = run("faq", "eval", name)
        assert (result.code, result.out) == (1, "")
        assert said in result.err


def test_a_faq_file_with_other_columns_is_one_failure_that_names_them(
    run: Callable[..., Result], index: Path, tmp_path: Path
) -> None:
    rows = "".join(f"how {n},so {n}\n" for n in range(300))
    (tmp_path / "faq.csv").write_text(f"Q,A\n{rows}", encoding="utf-8")
    result = run("faq", "add", "faq.csv")
    assert result.code == 1
    [line] = [line for line in result.err.splitlines() if line.startswith("failed")]
    assert "an entry has fields question and answer, and these have: Q, A" in line


def test_answers_that_look_like_numbers_dates_or_booleans_are_ids_all_the_same(bundled: str, tmp_path: Path) -> None:
    names = ["007", "1.50", "true", "2024-01-02"]
    rows = [{"id": name, "question": q, "answer": a} for name, (q, a) in zip(names, SHOP.items(), strict=False)]
    with (tmp_path / "asked.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["QUESTION", "Answer"], *([row["question"], row["id"]] for row in rows)])
    with Searcher(tmp_path / "index", bundled) as searcher:
        searcher.add_faq(lines(tmp_path / "faq.jsonl", rows))
        assert searcher.faq.evaluate(tmp_path / "asked.csv")["P@1"] == 1


def test_eval_tells_how_questions_fare(run: Callable[..., Result], index: Path, tmp_path: Path) -> None:
    rows = [
        {"query": "opening hours", "answer": "When do you open?"},
        {"query": "which sizes do you have", "answer": SHOP["Which sizes are there?"]},
        {"query": "which sizes do you have?", "answer": SHOP["Where is my parcel?"]},  # judged amiss
        {"query": "best pizza in town", "answer": None},
    ]
    file = lines(tmp_path / "asked.jsonl", rows)
    measures = json.loads(run("faq", "eval", file, "--json").out)
    assert (measures["questions"], measures["unanswerable"], measures["ECE"]) == (4, 1, None)
    assert measures["P@1"] == pytest.approx(2 / 3)
    assert (measures["answered"], measures["precision"], measures["refused"]) == (0.75, pytest.approx(2 / 3), 1)
    everything = json.loads(run("faq", "eval", file, "--json", "--min-probability", "0").out)
    assert (everything["answered"], everything["precision"], everything["refused"]) == (1, 0.5, 0)
    run("faq", "calibrate")
    assert json.loads(run("faq", "eval", file, "--json").out)["ECE"] > 0
    assert "P@1           0.667" in run("faq", "eval", file).out


def test_the_entries_are_listed(run: Callable[..., Result], bundled: str, tmp_path: Path) -> None:
    rows = [{"question": q, "answer": "At nine."} for q in ("When do you open?", "opening hours")]
    run("faq", "add", lines(tmp_path / "faq.jsonl", [*rows, {"question": "Where?", "answer": "Here."}]))
    first, second = json.loads(run("faq", "list", "--json").out)
    assert (first["answer"], first["questions"]) == ("At nine.", ["When do you open?", "opening hours"])
    assert [source.rpartition("#")[2] for source in first["sources"]] == ["1", "2"]
    assert (second["answer"], second["questions"]) == ("Here.", ["Where?"])
    assert [json.loads(line) for line in run("faq", "list", "--jsonl").out.splitlines()] == [first, second]
    shown = run("faq", "list").out
    assert "When do you open?  +1\n    At nine." in shown
    assert "2 entries, 3 ways of asking" in shown
    assert "opening hours" in run("faq", "list", "--phrasings").out
