"""The probability that an answer is right: logistic regression on evidence, and how far it may be trusted."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from searcher.errors import BadValue

__all__ = [
    "Calibration",
    "Logistic",
    "area_under_curve",
    "coverage_at",
    "cross_validated",
    "expected_calibration_error",
    "fit",
    "precision_by_coverage",
    "summary",
]

FOLDS = 10
BINS = 10
PENALTY = 1.0  # on half the squared weights of standardised evidence, against the summed log loss
STEPS = 100  # Newton's method needs fewer than ten
LEAST = 10  # right answers, and wrong ones, that a fit needs


@dataclass(frozen=True)
class Logistic:
    """probability = 1 / (1 + exp(-(bias + weights · (evidence - mean) / spread)))."""

    mean: list[float]
    spread: list[float]
    weights: list[float]
    bias: float

    def probability(self, evidence: np.ndarray) -> np.ndarray:
        """(n, f) -> (n,), 0 … 1."""
        standard = (evidence - np.array(self.mean)) / np.array(self.spread)
        return _sigmoid(standard @ np.array(self.weights) + self.bias)


@dataclass(frozen=True)
class Calibration:
    """What `faq calibrate` found. fingerprint: of the index's settings; method: of what evidence is made of.

    report: how many questions, how good, cross-validated.
    """

    fingerprint: str
    method: str
    logistic: Logistic
    report: dict[str, Any] = field(default_factory=dict)

    def dumps(self) -> str:
        """As JSON; `loads` reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> "Calibration":
        """The calibration that `dumps` wrote."""
        values = json.loads(text)
        return cls(**values | {"logistic": Logistic(**values["logistic"])})


def fit(evidence: np.ndarray, right: np.ndarray, penalty: float = PENALTY) -> Logistic:
    """Logistic regression by Newton's method (iteratively reweighted least squares; Bishop 2006, §4.3.3).

    evidence: (n, f); right: (n,) bool. BadValue with fewer than 10 right or 10 wrong answers.
    """
    _check_counts(right)
    return _fitted(evidence, right, penalty)


def _check_counts(right: np.ndarray) -> None:
    counts = {"right": int(right.sum()), "wrong": int((~right).sum())}
    for name, count in counts.items():
        if count < LEAST:
            raise BadValue(f"{count} {name} answers among {len(right)} questions; at least {LEAST} are needed")


def _fitted(evidence: np.ndarray, right: np.ndarray, penalty: float = PENALTY) -> Logistic:
    mean, spread = evidence.mean(axis=0), evidence.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)  # what is the same everywhere tells nothing
    design = np.column_stack([(evidence - mean) / spread, np.ones(len(evidence))])
    shrink = np.diag([*[penalty] * evidence.shape[1], 0.0])
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        expected = _sigmoid(design @ weights)
        gradient = design.T @ (expected - right) + shrink @ weights
        curvature = (design.T * np.maximum(expected * (1 - expected), 1e-12)) @ design + shrink
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-10:
            break
    return Logistic(mean.tolist(), spread.tolist(), weights[:-1].tolist(), float(weights[-1]))


def cross_validated(evidence: np.ndarray, right: np.ndarray, folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """(n,) the probability of each answer by a fit without its tenth of the questions, each with its share of right.

    BadValue as `fit`, of all the questions.
    """
    _check_counts(right)
    probability = np.empty(len(right))
    draw = np.random.default_rng(seed)
    part = np.empty(len(right), dtype=int)
    for value in (False, True):
        own = np.flatnonzero(right == value)
        part[draw.permutation(own)] = np.arange(len(own)) % folds
    for number in range(folds):
        out = part == number
        if out.any():
            probability[out] = _fitted(evidence[~out], right[~out]).probability(evidence[out])
    return probability


# -- measures


def expected_calibration_error(probability: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Mean distance of the probability from the share that is right, over ten bins of equal width.

    (n,), (n,) -> 0 … 1. Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017, eq. 3.
    """
    number = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = np.bincount(number, weights=probability - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(right))


def area_under_curve(score: np.ndarray, right: np.ndarray) -> float:
    """The share of pairs of a right and a wrong answer in which the right one has the greater score, ties half."""
    ordered = np.sort(score[~right])
    below = np.searchsorted(ordered, score[right], "left")
    ties = np.searchsorted(ordered, score[right], "right") - below
    return float((below + ties / 2).sum() / (len(ordered) * right.sum()))


def precision_by_coverage(score: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From the greatest score down: (threshold, share answered, share right of these), where scores change."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # equal scores are answered together
    answered = ends + 1
    return score[order][ends], answered / len(score), np.cumsum(right[order])[ends] / answered


def coverage_at(precision: float, score: np.ndarray, right: np.ndarray) -> tuple[float, float | None]:
    """(the greatest share that can be answered with that precision, the least score then), (0, None) if none can."""
    threshold, coverage, reached = precision_by_coverage(score, right)
    good = np.flatnonzero(reached >= precision)
    return (float(coverage[good[-1]]), float(threshold[good[-1]])) if len(good) else (0.0, None)


def summary(
    probability: np.ndarray, right: np.ndarray, precisions: Sequence[float] = (0.8, 0.9, 0.95)
) -> dict[str, Any]:
    """The measures by name; `perfect_ECE` is what a perfectly calibrated probability would have by chance."""
    draw = np.random.default_rng(0)
    chance = [expected_calibration_error(probability, draw.random(len(right)) < probability) for _ in range(100)]
    reached = {str(share): coverage_at(share, probability, right) for share in precisions}
    return {
        "questions": len(right), "right": float(right.mean()), "AUROC": area_under_curve(probability, right),
        "ECE": expected_calibration_error(probability, right), "perfect_ECE": float(np.mean(chance)),
        "coverage": {share: coverage for share, (coverage, _) in reached.items()},
        "threshold": {share: threshold for share, (_, threshold) in reached.items()},
    }  # fmt: skip


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(value, -500, 500)))
