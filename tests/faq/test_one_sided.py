"""Calibrations of questions that tell little: copied from the FAQ, all right, all wrong, or of no weight."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from searcher import Searcher
from searcher.cli.program import cli
from searcher.faq.calibration import Logistic, coverage_at, fit, precision_by_coverage, summary

SHOP = {
    "How do I reset my password?": "Click on forgot password.",
    "Where is my parcel?": "See the tracking page.",
    "Can I pay by invoice?": "Yes, by bank transfer within 14 days.",
    "Which countries do you ship to?": "All of Europe.",
    "How long does delivery take?": "Two to four days.",
    "Do you have a shop in Berlin?": "Yes, at Alexanderplatz 1.",
    "How can I return an item?": "Print the label and send it back.",
    "Is there a discount for students?": "Ten percent.",
}
FOREIGN = ["who won the world cup in 1998", "tell me a joke", "banana bread recipe", "???"]
QUESTIONS, ANSWERS = list(SHOP), list(SHOP.values())


def table(file: Path, pairs: Sequence[tuple[str, str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("question", "answer"), *pairs])
    return file


@pytest.fixture
def index(bundled: str, tmp_path: Path) -> Path:
    with Searcher(tmp_path / "index") as searcher:
        searcher.add_faq(table(tmp_path / "faq.csv", list(SHOP.items())))
    return tmp_path / "index"


LABELLED = {
    "right": list(SHOP.items()),
    "wrong": list(zip(QUESTIONS, ANSWERS[1:] + ANSWERS[:1], strict=True)),
    "half": [(question, ANSWERS[at // 2 * 2]) for at, question in enumerate(QUESTIONS)],
    "one": list(SHOP.items())[:1],
    "one many times": list(SHOP.items())[:1] * 60,
}


@pytest.mark.parametrize("pairs", LABELLED.values(), ids=LABELLED.keys())
@pytest.mark.parametrize("unanswerable", [0, None])
def test_questions_copied_from_the_faq_make_no_foreign_one_probable(
    index: Path, tmp_path: Path, pairs: list[tuple[str, str]], unanswerable: float | None
) -> None:
    with Searcher(index) as searcher:
        searcher.faq.calibrate(table(tmp_path / "asked.csv", pairs), unanswerable=unanswerable)
        best = [verdict.best for verdict in searcher.faq.verdicts([*QUESTIONS, *FOREIGN], min_probability=0)]
    probability = [0.0 if own is None or own.probability is None else own.probability for own in best]
    known, foreign = probability[: len(QUESTIONS)], probability[len(QUESTIONS) :]
    assert all(0 <= each <= 1 for each in probability)
    assert max(foreign) < 0.1
    assert max(foreign) < min(known)


def test_evidence_that_differs_in_the_last_digits_alone_keeps_the_weight_that_was_known() -> None:
    draw = np.random.default_rng(0)
    evidence = np.column_stack([1 + 1e-7 * draw.standard_normal(40), draw.random(40)])
    right = draw.random(40) < 0.5
    prior = Logistic([0.0, 0.0], [1.0, 1.0], [6.0, 3.0], -5.0)
    with_prior, without = fit(evidence, right, prior=prior), fit(evidence, right)
    for made, known in ((with_prior, 6.0), (without, 0.0)):
        assert made.weights[0] / made.spread[0] == pytest.approx(known, abs=1e-5)
    assert float(with_prior.probability(np.array([[0.0, 0.5]]))[0]) < 0.01


def test_what_weighs_nothing_sets_no_threshold() -> None:
    score = np.array([0.99, 0.9, 0.8, 0.1])
    right, weight = np.array([False, True, True, False]), np.array([0.0, 1.0, 1.0, 0.0])
    assert coverage_at(0.9, score, right, weight) == (1.0, 0.8)
    assert [each.tolist() for each in precision_by_coverage(score, right, weight)] == [[0.9, 0.8], [0.5, 1], [1, 1]]


@pytest.mark.parametrize("right", [True, False])
def test_where_all_are_right_or_all_are_wrong_there_is_no_auroc(right: bool) -> None:
    report = summary(np.array([0.2, 0.9]), np.array([right, right]))
    assert report["AUROC"] is None
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_a_calibration_without_an_auroc_is_printed_and_is_json(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["faq", "calibrate", "-i", str(index), "--unanswerable", "0", "--labelled"]
    command.append(str(table(tmp_path / "asked.csv", LABELLED["right"])))
    printed = CliRunner().invoke(cli, command)
    assert "  right told from wrong (AUROC)    –\n" in printed.stdout
    report = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout, parse_constant=pytest.fail)
    assert (report["AUROC"], report["right"], report["questions"]) == (None, 1.0, 8)


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 0.5])
def test_the_share_that_is_told_holds_also_where_the_file_has_few_questions_without_an_answer_but_more_than_that(
    index: Path, tmp_path: Path, share: float
) -> None:
    file = table(tmp_path / "asked.csv", [*list(SHOP.items())[:6], *((question, "") for question in FOREIGN)])
    with Searcher(index) as searcher:
        report = searcher.faq.calibrate(file, unanswerable=share).calibration.report
        as_it_is = searcher.faq.calibrate(file).calibration.report
    assert report["unanswerable"] == pytest.approx(share)
    assert bool(report["made"]) == (share > 0.4)
    assert (as_it_is["unanswerable"], as_it_is["made"]) == (pytest.approx(0.4), {})


def test_one_answer_among_questions_of_no_weight_is_enough_where_something_is_known(
    index: Path, tmp_path: Path
) -> None:
    foreign = [f"{question} {number}" for question in FOREIGN for number in range(3)]
    file = table(tmp_path / "asked.csv", [*LABELLED["one"], *((question, "") for question in foreign)])
    with Searcher(index) as searcher:
        report = searcher.faq.calibrate(file, unanswerable=0).calibration.report
    assert (report["questions"], report["right"], report["unanswerable"], report["AUROC"]) == (13, 1.0, 0.0, None)
