"""Probabilities of right answers: logistic regression against an independent optimum, measures worked by hand."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import mannwhitneyu

from searcher.errors import BadValue
from searcher.faq import precision_by_coverage
from searcher.faq.calibration import (
    Calibration,
    area_under_curve,
    coverage_at,
    cross_validated,
    expected_calibration_error,
    fit,
    summary,
)


def drawn(count: int = 300, features: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Evidence of unlike scales, and answers that are right the more often the greater its weighted sum."""
    draw = np.random.default_rng(seed)
    evidence = draw.standard_normal((count, features)) * [1, 10, 0.1][:features] + [5, -3, 0][:features]
    logit = (evidence - evidence.mean(0)) / evidence.std(0) @ np.array([1.5, -1, 0.5][:features]) - 0.4
    return evidence, draw.random(count) < 1 / (1 + np.exp(-logit))


@pytest.mark.parametrize("penalty", [0.1, 1.0, 30.0])
def test_the_fit_is_the_optimum_that_scipy_finds(penalty: float) -> None:
    evidence, right = drawn()
    standard = (evidence - evidence.mean(axis=0)) / evidence.std(axis=0)
    signs = np.where(right, 1, -1)

    def loss(parameters: np.ndarray) -> float:
        margins = signs * (standard @ parameters[:3] + parameters[3])
        return np.logaddexp(0, -margins).sum() + penalty / 2 * parameters[:3] @ parameters[:3]

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-6}).x
    logistic = fit(evidence, right, penalty)
    assert np.allclose([*logistic.weights, logistic.bias], best, atol=1e-4)
    assert loss(np.array([*logistic.weights, logistic.bias])) <= loss(best) + 1e-9


def test_the_mean_probability_is_the_share_that_was_right() -> None:
    evidence, right = drawn()
    assert fit(evidence, right).probability(evidence).mean() == pytest.approx(right.mean(), abs=1e-9)


def test_evidence_that_is_always_the_same_changes_nothing() -> None:
    evidence, right = drawn()
    padded = np.column_stack([evidence, np.full(len(right), 0.3)])
    assert np.allclose(fit(padded, right).probability(padded), fit(evidence, right).probability(evidence), atol=1e-12)


def test_perfectly_parted_answers_get_finite_weights() -> None:
    evidence = np.linspace(-1, 1, 40)[:, None]
    probability = fit(evidence, evidence[:, 0] > 0).probability(evidence)
    assert np.isfinite(probability).all()
    assert ((probability > 0.5) == (evidence[:, 0] > 0)).all()


def test_the_number_given_is_that_of_all_questions_not_of_a_fold() -> None:
    evidence, _ = drawn(50)
    assert cross_validated(evidence, np.arange(50) < 10).shape == (50,)  # enough, though not all are in each fold
    with pytest.raises(BadValue, match="9 right answers among 50 questions; at least 10 are needed"):
        cross_validated(evidence, np.arange(50) < 9)


def test_too_few_right_answers_are_refused_with_their_number() -> None:
    evidence, _ = drawn(50)
    with pytest.raises(BadValue, match="9 right answers among 50 questions; at least 10 are needed"):
        fit(evidence, np.arange(50) < 9)
    with pytest.raises(BadValue, match="0 wrong answers among 50"):
        fit(evidence, np.ones(50, dtype=bool))


def test_a_question_has_no_part_in_the_fit_that_judges_it() -> None:
    evidence, right = drawn()
    logits = []
    for step in range(3):  # a fit that saw it would bend with it
        moved = evidence.copy()
        moved[7] += 0.5 * step * evidence.std(axis=0)
        probability = cross_validated(moved, right)[7]
        logits.append(np.log(probability / (1 - probability)))
    assert logits[2] - logits[1] == pytest.approx(logits[1] - logits[0], abs=1e-8)
    assert abs(logits[1] - logits[0]) > 0.1


def test_the_area_under_the_curve_is_the_share_of_ordered_pairs_with_ties_half() -> None:
    draw = np.random.default_rng(3)
    score, right = draw.integers(0, 20, 200) / 20, draw.random(200) < 0.3
    pairs = right.sum() * (~right).sum()
    assert area_under_curve(score, right) == pytest.approx(mannwhitneyu(score[right], score[~right]).statistic / pairs)


def test_the_calibration_error_is_the_gap_of_each_bin_by_its_share() -> None:
    probability = np.array([0.05, 0.05, 0.05, 0.05, 0.62, 0.68, 1.0, 1.0])
    right = np.array([0, 0, 0, 1, 1, 0, 1, 1], dtype=bool)
    # 4 of 8: |0.05 - 0.25|; 2 of 8: |0.65 - 0.5|; 2 of 8: 0
    assert expected_calibration_error(probability, right) == pytest.approx(0.5 * 0.2 + 0.25 * 0.15)


def test_equal_scores_are_answered_together() -> None:
    score, right = np.array([0.9, 0.5, 0.5, 0.2]), np.array([True, False, True, False])
    threshold, coverage, precision = precision_by_coverage(score, right)
    assert threshold.tolist() == [0.9, 0.5, 0.2]
    assert coverage.tolist() == [0.25, 0.75, 1.0]
    assert precision == pytest.approx([1, 2 / 3, 1 / 2])


def test_the_coverage_at_a_precision_is_the_greatest_share_that_keeps_it() -> None:
    score, right = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([False, True, True, True, False])
    assert coverage_at(0.75, score, right) == (0.8, 0.6)  # although the very first answer is wrong
    assert coverage_at(0.9, score, right) == (0.0, None)


def test_a_calibration_read_back_gives_the_same_probabilities() -> None:
    evidence, right = drawn()
    made = Calibration("fingerprint", "method", fit(evidence, right), summary(cross_validated(evidence, right), right))
    again = Calibration.loads(made.dumps())
    assert again == made
    assert np.array_equal(again.logistic.probability(evidence), made.logistic.probability(evidence))
    assert json.loads(made.dumps())["report"]["questions"] == 300


def test_the_error_by_chance_is_that_of_a_probability_that_is_true() -> None:
    draw = np.random.default_rng(1)
    probability = draw.random(400)
    true = [expected_calibration_error(probability, draw.random(400) < probability) for _ in range(300)]
    report = summary(probability, draw.random(400) < probability)
    assert report["perfect_ECE"] == pytest.approx(np.mean(true), abs=0.003)
