"""Whether an entry is good enough to be the answer, and why not: what a question comes to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from searcher.faq.calibration import Calibration, area_under_curve, expected_calibration_error
from searcher.faq.defaults import LEAST, SPELT, default_of
from searcher.faq.entries import Found
from searcher.faq.matching import EVIDENCE
from searcher.records import Answer

__all__ = ["Rule", "Verdict", "fared"]


class Verdict(NamedTuple):
    """What a question comes to. best: the entry that fits best, None where there is none; why: it is not the answer, in
    a phrase, None where it is.
    """

    question: str
    best: Answer | None
    why: str | None

    @property
    def answer(self) -> Answer | None:
        """The best entry, if it is good enough."""
        return self.best if self.why is None else None


@dataclass(frozen=True)
class Rule:
    """What an answer must reach: a score, a probability, or, where neither is asked for, what is more than nothing.

    made: the calibration, if there is one. has_default: whether the shipped default stands in for it, to say no and not
    to be shown; level: else the score that general questions stay below.
    """

    min_score: float | None
    min_probability: float | None
    made: Calibration | None
    has_default: bool
    level: Callable[[], float]

    def verdict(self, question: str, ranked: Sequence[Found]) -> Verdict:
        """What a question comes to whose entries were ranked so."""
        if not ranked:
            return Verdict(question, None, "there is no entry")
        found, evidence = ranked[0], ranked[0].evidence[None]
        probability = float(self.made.logistic.probability(evidence)[0]) if self.made else None
        best = Answer(found.answer, found.row.text, found.row.source, found.score, probability, found.margin)
        return Verdict(question, best, self._why(found, probability))

    def _why(self, found: Found, probability: float | None) -> str | None:
        """What it lacks."""
        if self.min_score is not None and found.score < self.min_score:
            return f"its score is {found.score:.3f}, below {self.min_score:g}"
        if self.min_probability is not None:
            return None if probability is None else _unlikely(probability, self.min_probability)
        if self.min_score is not None:
            return None
        if probability is not None:
            return _unlikely(probability, LEAST)
        if found.evidence[EVIDENCE.index("nearest spelling")] >= SPELT:
            return None
        if self.has_default:
            evidence = found.evidence[None]
            return _unlikely(float(default_of(evidence).probability(evidence)[0]), LEAST, ", by the shipped default")
        low = found.score <= (level := self.level())
        return f"its score is {found.score:.3f}, and general questions get up to {level:.3f}" if low else None


def _unlikely(probability: float, least: float, by: str = "") -> str | None:
    """What is said of a probability that is too low."""
    return f"it is right with a probability of {probability:.3f}{by}, below {least:g}" if probability < least else None


def fared(verdicts: Sequence[Verdict], answers: Sequence[str | None]) -> dict[str, float | int | None]:
    """Measures by name of what questions came to whose right answers are known, None where there is none.

    P@1: share of those with an answer whose best entry is right; answered: of all; precision: of the answers given that
    are right; refused: of the questions without an answer. AUROC and ECE of the probability, or AUROC of the score.
    """
    best = [verdict.best for verdict in verdicts]
    right = np.array([a is not None and a.answer == known for a, known in zip(best, answers, strict=True)], dtype=bool)
    having = np.array([answer is not None for answer in answers], dtype=bool)
    given = np.array([verdict.answer is not None for verdict in verdicts], dtype=bool)
    probability = [a.probability if a else 0.0 for a in best]
    known = np.array([p for p in probability if p is not None])
    score = known if len(known) == len(best) else np.array([a.score if a else 0.0 for a in best])
    auroc = area_under_curve(score, right)
    return {
        "questions": len(answers), "unanswerable": int((~having).sum()), "P@1": _share(right, having),
        "answered": _share(given, np.ones(len(given), dtype=bool)), "precision": _share(right, given),
        "refused": _share(~given, ~having), "AUROC": None if np.isnan(auroc) else auroc,
        "ECE": expected_calibration_error(known, right) if len(known) == len(best) else None,
    }  # fmt: skip


def _share(what: np.ndarray, among: np.ndarray) -> float | None:
    """None of nothing."""
    return float(what[among].mean()) if among.any() else None
