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
PRIOR = 30.0  # the same on half the squared distance from the weights that were known before
BIAS_PRIOR = 1.0  # and from the bias: how often answers are right differs more between FAQs than what tells them
PENALTY = 1.0  # on half the squared weights of standardised evidence, against the summed log loss
STEPS = 100  # Newton's method needs fewer than ten
LEAST = 10  # right answers, and wrong ones, that a fit needs
# Evidence is from 0 to about 1. What differs by less among the questions, as with those that were copied from the FAQ,
# tells nothing: a weight for it would be one for the last digits, and thousands for a question that is unlike them.
ALIKE = 0.01


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

    def standardised(self, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """The same function's weights and, last, its bias for evidence that is standardised otherwise. (f + 1,)"""
        slope = np.array(self.weights) / np.array(self.spread)
        return np.append(slope * spread, self.bias + slope @ (mean - np.array(self.mean)))


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


def fit(
    evidence: np.ndarray,
    right: np.ndarray,
    penalty: float = PENALTY,
    weight: np.ndarray | None = None,
    prior: Logistic | None = None,
) -> Logistic:
    """Logistic regression by damped Newton steps (iteratively reweighted least squares; Bishop 2006, §4.3.3).

    evidence: (n, f); right: (n,) bool; weight: (n,) how many questions each stands for, else one. prior: what holds as
    far as the questions do not say otherwise, the mean of a Gaussian prior (Chelba & Acero 2006); any number will do.
    BadValue with fewer than 10 right or 10 wrong answers and no prior.
    """
    if prior is None:
        _check_counts(right)
    return _fitted(evidence, right, penalty, np.ones(len(right)) if weight is None else weight, prior)


def _check_counts(right: np.ndarray) -> None:
    counts = {"right": int(right.sum()), "wrong": int((~right).sum())}
    for name, count in counts.items():
        if count < LEAST:
            raise BadValue(f"{count} {name} answers among {len(right)} questions; at least {LEAST} are needed")


def _fitted(
    evidence: np.ndarray, right: np.ndarray, penalty: float, weight: np.ndarray, prior: Logistic | None
) -> Logistic:
    mean = np.average(evidence, axis=0, weights=weight)
    spread = np.sqrt(np.average((evidence - mean) ** 2, axis=0, weights=weight))
    spread = np.where(spread > ALIKE, spread, 1.0)
    design = np.column_stack([(evidence - mean) / spread, np.ones(len(evidence))])
    known = np.zeros(design.shape[1]) if prior is None else prior.standardised(mean, spread)
    each, bias = (penalty, 0.0) if prior is None else (PRIOR, BIAS_PRIOR)
    shrink = np.diag([*[each] * evidence.shape[1], bias])

    def loss(weights: np.ndarray) -> float:
        logits, far = design @ weights, weights - known
        return float((weight * (np.logaddexp(0, logits) - right * logits)).sum() + far @ shrink @ far / 2)

    weights = known.copy()
    for _ in range(STEPS):
        expected = _sigmoid(design @ weights)
        gradient = design.T @ (weight * (expected - right)) + shrink @ (weights - known)
        sure = weight * np.maximum(expected * (1 - expected), 1e-12)
        step = np.linalg.solve((design.T * sure) @ design + shrink, gradient)
        before, size = loss(weights), 1.0
        while loss(weights - size * step) > before and size > 1e-9:  # far from the optimum a whole step leads farther
            size /= 2
        weights -= size * step
        if np.abs(step).max() < 1e-10:
            break
    return Logistic(mean.tolist(), spread.tolist(), weights[:-1].tolist(), float(weights[-1]))


def cross_validated(
    evidence: np.ndarray,
    right: np.ndarray,
    folds: int = FOLDS,
    seed: int = 0,
    weight: np.ndarray | None = None,
    prior: Logistic | None = None,
) -> np.ndarray:
    """(n,) the probability of each answer by a fit without its tenth of the questions, each with its share of right.

    BadValue as `fit`, of all the questions.
    """
    if prior is None:
        _check_counts(right)
    weight = np.ones(len(right)) if weight is None else weight
    probability = np.empty(len(right))
    draw = np.random.default_rng(seed)
    part = np.empty(len(right), dtype=int)
    for value in (False, True):
        own = np.flatnonzero(right == value)
        part[draw.permutation(own)] = np.arange(len(own)) % folds
    for number in range(folds):
        out = part == number
        if out.any():
            nothing_left = prior if not weight[~out].any() else None  # of one or two questions: what was known before
            fitted = nothing_left or _fitted(evidence[~out], right[~out], PENALTY, weight[~out], prior)
            probability[out] = fitted.probability(evidence[out])
    return probability


# -- measures: of n questions, each of which may stand for more or less than one (weight)


def expected_calibration_error(
    probability: np.ndarray, right: np.ndarray, bins: int = BINS, weight: np.ndarray | None = None
) -> float:
    """Mean distance of the probability from the share that is right, over ten bins of equal width.

    (n,), (n,) -> 0 … 1. Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017, eq. 3.
    """
    weight = np.ones(len(right)) if weight is None else weight
    number = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = np.bincount(number, weights=weight * (probability - right), minlength=bins)
    return float(np.abs(gaps).sum() / weight.sum())


def area_under_curve(score: np.ndarray, right: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The share of pairs of a right and a wrong answer in which the right one has the greater score, ties half.

    NaN where all are right or all are wrong.
    """
    weight = np.ones(len(right)) if weight is None else weight
    order = np.argsort(score[~right], kind="stable")
    ordered, before = score[~right][order], np.append(0, np.cumsum(weight[~right][order]))
    below, upto = (before[np.searchsorted(ordered, score[right], side)] for side in ("left", "right"))
    pairs = before[-1] * weight[right].sum()
    return float((weight[right] * (below + upto) / 2).sum() / pairs) if pairs else float("nan")


def precision_by_coverage(
    score: np.ndarray, right: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From the greatest score down: (threshold, share answered, share right of these), where scores change; what weighs
    nothing sets no threshold.
    """
    weight = np.ones(len(right)) if weight is None else weight
    score, right, weight = (column[weight > 0] for column in (score, right, weight))
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # equal scores are answered together
    answered, reached = np.cumsum(weight[order])[ends], np.cumsum((weight * right)[order])[ends]
    return score[order][ends], answered / weight.sum(), reached / answered


def coverage_at(
    precision: float, score: np.ndarray, right: np.ndarray, weight: np.ndarray | None = None
) -> tuple[float, float | None]:
    """(the greatest share that can be answered with that precision, the least score then), (0, None) if none can."""
    threshold, coverage, reached = precision_by_coverage(score, right, weight)
    good = np.flatnonzero(reached >= precision - 1e-12)  # sums of weights are not exact
    return (float(coverage[good[-1]]), float(threshold[good[-1]])) if len(good) else (0.0, None)


def summary(
    probability: np.ndarray,
    right: np.ndarray,
    precisions: Sequence[float] = (0.8, 0.9, 0.95),
    weight: np.ndarray | None = None,
) -> dict[str, Any]:
    """The measures by name. perfect_ECE: what a perfectly calibrated probability would have by chance. AUROC is None
    where all are right or all are wrong.
    """
    weight = np.ones(len(right)) if weight is None else weight
    draw = np.random.default_rng(0)
    chance = [
        expected_calibration_error(probability, draw.random(len(right)) < probability, weight=weight)
        for _ in range(100)
    ]
    reached = {str(share): coverage_at(share, probability, right, weight) for share in precisions}
    area = area_under_curve(probability, right, weight)
    return {
        "questions": len(right), "right": float(np.average(right, weights=weight)),
        "AUROC": None if np.isnan(area) else area,
        "ECE": expected_calibration_error(probability, right, weight=weight), "perfect_ECE": float(np.mean(chance)),
        "coverage": {share: coverage for share, (coverage, _) in reached.items()},
        "threshold": {share: threshold for share, (_, threshold) in reached.items()},
    }  # fmt: skip


def _sigmoid(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(value, -500, 500)))
