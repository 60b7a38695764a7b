"""Calibration of a FAQ: questions with the answer that is right, or phrasings left out, and how each fared.

A probability learned from questions that all have an answer is too high for those that have none. Where a file says of
fewer than ten that they have none, such questions are made: each question once more while its entry is not there, and
general questions of topics that the FAQ does not know. They count as SHARE of all, a GENERAL_SHARE of them general:
chosen on clinc150 and covidq-scope for the least error of the probability, reported on HINT3 (benchmarks/faq.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any, NamedTuple

import numpy as np

from searcher.errors import BadValue
from searcher.faq.calibration import Calibration, Logistic, cross_validated, fit, summary
from searcher.faq.defaults import REACHED, default_of
from searcher.faq.entries import Entries, Found
from searcher.faq.matching import EVIDENCE, SHIPPED
from searcher.ranking import TOPICS

__all__ = [
    "FEW", "METHOD", "SHARE", "Asked", "Outcomes", "by_default", "calibrated", "leaving_out", "several", "shared_out",
    "with_unanswerable",
]  # fmt: skip

# Of which a calibration made otherwise is no more the same.
METHOD = f"{', '.join(EVIDENCE)}: {astuple(SHIPPED)}; unanswerable questions made"
SAMPLE = 500  # questions asked once more at most
SHARE = 0.4  # of the questions have no answer, where nothing else is known
GENERAL_SHARE = 0.25  # of these are general
FEW = 20  # phrasings left out; fewer tell nothing

Progress = Callable[[str, int], None]


class Outcomes(NamedTuple):
    """What was found for n questions: evidence (n, f) of the best entry, right (n,) bool whether it was the one, weight
    (n,) how many questions each stands for, score (n,) of the entry, lacks (n,) bool whether it has no answer.

    made: how many of the last are made, by kind.
    """

    evidence: np.ndarray
    right: np.ndarray
    weight: np.ndarray
    score: np.ndarray
    lacks: np.ndarray
    made: dict[str, int]

    @classmethod
    def of(cls, ranked: Sequence[list[Found]], answers: Sequence[str | None]) -> "Outcomes":
        """From what was ranked for each question and its right answer, None if it has none."""
        best = [own[0] for own in ranked]
        right = [found.answer == answer for found, answer in zip(best, answers, strict=True)]
        evidence = np.array([found.evidence for found in best]).reshape(len(best), len(EVIDENCE))
        scores = np.array([found.score for found in best])
        lacks = np.array([answer is None for answer in answers], dtype=bool)
        return cls(evidence, np.array(right, dtype=bool), np.ones(len(best)), scores, lacks, {})


class Asked(NamedTuple):
    """A question, its vector (d,), and the entry that is right, None if there is none."""

    text: str
    vector: np.ndarray
    entry: int | None


def calibrated(outcomes: Outcomes, fingerprint: str, how: str, has_default: bool) -> tuple[Calibration, np.ndarray]:
    """The calibration with its cross-validated report, and the probabilities (n,) that this was made of.

    has_default: whether the shipped default is for this model, and holds as far as the questions do not say otherwise.
    """
    prior = default_of(outcomes.evidence) if has_default else None
    evidence, right, weight = outcomes[:3]
    probability = cross_validated(evidence, right, weight=weight, prior=prior)
    report: dict[str, Any] = {"how": how, **summary(probability, right, weight=weight)}
    report |= {"questions": len(right) - sum(outcomes.made.values()), "made": outcomes.made}
    report |= {
        "prior": "shipped default" if has_default else None,
        "unanswerable": float(np.average(outcomes.lacks, weights=weight)),
    }
    return Calibration(fingerprint, METHOD, fit(evidence, right, weight=weight, prior=prior), report), probability


def by_default(entries: Entries, fingerprint: str) -> Calibration:
    """The shipped default as a calibration, for a FAQ that tells too little of itself."""
    nearest = [entries.rank(row.text, row.vector) for row in entries.rows[:FEW]]
    made: Logistic = default_of(np.array([found[0].evidence for found in nearest]).reshape(-1, len(EVIDENCE)))
    report: dict[str, Any] = {"how": "shipped default", "questions": 0, "made": {}, "prior": "shipped default"}
    report |= dict.fromkeys(("right", "AUROC", "ECE", "perfect_ECE", "unanswerable"))
    report |= {"coverage": dict.fromkeys(REACHED), "threshold": dict(REACHED)}
    return Calibration(fingerprint, METHOD, made, report)


# -- questions without an answer


def with_unanswerable(
    outcomes: Outcomes, asked: Sequence[Asked], general: np.ndarray, entries: Entries, share: float, progress: Progress
) -> Outcomes:
    """The outcomes of the asked questions, and of as many made ones that `share` of all have no answer.

    general: (g, d) vectors of the questions of TOPICS, in their order. Those of topics whose questions fit the entries
    better than half of the asked ones do without their own entry are left out: the FAQ may know them.
    """
    chosen = [question for question in asked if question.entry is not None]
    chosen = [chosen[at] for at in np.random.default_rng(0).permutation(len(chosen))[:SAMPLE]]
    texts = [text for questions in TOPICS.values() for text in questions]
    progress("total", len(chosen) + len(texts))
    without = []
    for text, vector, entry in chosen:
        without.append(entries.rank(text, vector, np.flatnonzero(entries.entries == entry)))
        progress("file", 1)
    fared = []
    for text, vector in zip(texts, general, strict=True):
        fared.append(entries.rank(text, vector))
        progress("file", 1)
    left_out, foreign = (Outcomes.of([own for own in found if own], [None] * sum(map(bool, found)))
                         for found in (without, fared))  # fmt: skip
    if len(foreign.right) and len(left_out.right):
        foreign = _chosen(foreign, _other_topics(foreign.score, float(np.median(left_out.score))))
    having = sum(question.entry is not None for question in asked)
    wanted = having * share / (1 - share) - (len(asked) - having)
    kinds = {"asked without their entry": (left_out, 1 - GENERAL_SHARE), "general": (foreign, GENERAL_SHARE)}
    kinds = {name: kind for name, kind in kinds.items() if len(kind[0].right)}
    if wanted < 1e-9 or not kinds:  # by a rounded share none would be one of no weight
        return outcomes
    whole = sum(part for _, part in kinds.values())
    parts = [outcomes]
    for made, part in kinds.values():
        parts.append(made._replace(weight=made.weight * wanted * part / whole / len(made.right)))
    arrays = [np.concatenate(columns) for columns in zip(*(own[:5] for own in parts), strict=True)]
    evidence, right, weight, score, lacks = arrays
    return Outcomes(evidence, right, weight, score, lacks, {name: len(made.right) for name, (made, _) in kinds.items()})


def shared_out(outcomes: Outcomes, share: float) -> Outcomes:
    """The outcomes, those of the questions without an answer weighed to be that share of all."""
    wanted = (~outcomes.lacks).sum() * share / (1 - share) / outcomes.lacks.sum()
    return outcomes._replace(weight=np.where(outcomes.lacks, wanted, 1.0))


def _other_topics(score: np.ndarray, most: float) -> np.ndarray:
    """Which general questions (g,) are of topics whose mean score is no greater."""
    topic = np.repeat(np.arange(len(TOPICS)), [len(questions) for questions in TOPICS.values()])
    means = np.bincount(topic, weights=score) / np.bincount(topic)
    return np.asarray(means[topic] <= most)


def _chosen(outcomes: Outcomes, which: np.ndarray) -> Outcomes:
    evidence, right, weight, score, lacks = (array[which] for array in outcomes[:5])
    return Outcomes(evidence, right, weight, score, lacks, outcomes.made)


# -- phrasings left out


def several(entries: Entries) -> np.ndarray:
    """The phrasings of entries with another one: what can be left out. (n,)"""
    sizes = np.bincount(entries.entries) if len(entries.rows) else np.empty(0)
    return np.flatnonzero(sizes[entries.entries] > 1) if len(sizes) > 1 else np.empty(0, dtype=int)


def leaving_out(entries: Entries, progress: Progress) -> tuple[Outcomes, list[Asked]]:
    """Phrasings, each asked while it is not there. BadValue where too few can be left out."""
    found = several(entries)
    if len(found) < FEW:
        count = len(entries.answers)
        raise BadValue(
            f"{len(found)} phrasings of {count} entries could be left out, and {FEW} of at least 2 are needed;"
            " give entries more phrasings, or questions with their answers: --labelled FILE"
        )
    chosen = np.random.default_rng(0).permutation(found)[:SAMPLE]
    progress("total", len(chosen))
    ranked = []
    for at in chosen:
        ranked.append(entries.rank(entries.rows[at].text, entries.vectors[at], np.array([at])))
        progress("file", 1)
    asked = [Asked(entries.rows[at].text, entries.vectors[at], int(entries.entries[at])) for at in chosen]
    return Outcomes.of(ranked, [entries.answers[entries.entries[at]] for at in chosen]), asked
