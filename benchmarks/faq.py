"""How often is the FAQ's answer right, how well is right told from wrong, and do the probabilities mean what they say?

    SEARCHER_DATA=… python benchmarks/faq.py [SET …] [--folder DIR] [--most N]

For each set of faq_sets.SETS, with p of paired tests against the entry of the nearest phrasing by cosine, once with the
weights that are shipped, and once "left out": with those of faq_weights.CHOICES that are best on the sets of other letters, by the
sum of P@1 and, where questions are out of scope, AUROC; no figure of these is of weights, nor of a default, that the set had a part in.

P@1 of the questions with an answer. Of sets with questions out of scope, over all questions: AUROC of right against wrong, share
answered at 90 % precision, and ECE, of the cosine (as it is), of the score, and of the probability by `calibrated` from questions
in scope alone, with made ones and a default that the other letters' sets are fitted to, cross-fitted over FOLDS parts; and how many
out of scope are above the threshold that calibration gives for 90 %. "default": that default alone, of nothing of the set.

FAQs of 25 entries, drawn from the sets of entries: by the shipped default and no calibration, how many right answers
are given, and how many answers to questions of other entries and to general questions.

--choose: the shares and the strength of the prior that are best on CHOSEN_ON, by the sum of the mean and the greatest ECE.
--folder keeps indexes and vectors for the next time; --most: questions of a set that choose weights. The last line is
JSON.
"""

import argparse
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from common import report
from faq_sets import SETS, Set, read_set
from faq_weights import chosen_weights

from searcher.faq import calibrating, calibration
from searcher.faq.calibrating import SHARE, Asked, Outcomes, with_unanswerable
from searcher.faq.calibration import Logistic, area_under_curve, coverage_at, expected_calibration_error, fit
from searcher.faq.defaults import LEAST, SPELT, default_of
from searcher.faq.entries import Entries, Found
from searcher.faq.matching import EVIDENCE, SHIPPED, Weights
from searcher.ranking import GENERAL

SHARES, GENERAL_SHARES, PRIORS = (0.3, 0.35, 0.4, 0.45, 0.5), (0.25, 0.33, 0.5), (1.0, 3.0, 10.0, 30.0)
CHOSEN_ON = ("clinc150", "covidq-scope")
FOLDS = 5
ROUNDS = 10_000
SMALL, DRAWS = 25, 3  # entries of a small FAQ, and how many are drawn


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--most", type=int, default=300)
    parser.add_argument("--choose", action="store_true")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        sets = [read_set(name, options.folder or Path(temporary)) for name in options.sets]
        chosen = chosen_weights(sets, options.most)
        rows = {own.name: measured(own, chosen[own.name], sets) for own in sets}
        if options.choose:
            choose_shares([own for own in sets if own.name in CHOSEN_ON], sets, chosen)
        small = {own.name: small_faqs(own) for own in sets if len(own.entries.answer_vectors)}
    means = means_of(list(rows.values()))
    print(f"\nmean: {shown(means)}")
    report("faq", {"sets": rows, "small": small, **means})


def means_of(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The means of the sets that have a measure, and the least gain in P@1 on the nearest phrasing."""
    means = {}
    for way, name in product(("nearest", "left out", "shipped"), ("P@1", "AUROC", "answered", "ECE")):
        values = [row[way][name] for row in rows if name in row[way]]
        if values:
            means[f"{name}, {way}"] = float(np.mean(values))
    for way in ("left out", "shipped"):
        means[f"least gain in P@1, {way}"] = min(row[way]["P@1"] - row["nearest"]["P@1"] for row in rows)
    return means


# -- what was found


def outcomes_of(own: Set, weights: Weights) -> Outcomes:
    """Of all questions, an answer being right if it is one of those that are."""
    ranked = own.ranked(weights=weights)
    known = [found[0].answer if found[0].answer in right else min(right, default=None)
             for found, right in zip(ranked, own.answers, strict=True)]  # fmt: skip
    return Outcomes.of(ranked, known)


def measured(own: Set, chosen: Weights, sets: list[Set]) -> dict[str, Any]:
    """The measures of one set: of the nearest phrasing, of weights that others chose, and of those that are shipped."""
    cosine, nearest = own.nearest()
    row = {"nearest": {"P@1": percent(nearest[own.inside])}}
    if not own.inside.all():
        row["nearest"] |= told({"": cosine}, nearest)
    for way, weights in (("left out", chosen), ("shipped", SHIPPED)):
        row[way] = of_weights(own, weights, sets, cosine, nearest)
    counts = {"questions": len(own.questions), "out of scope": int((~own.inside).sum())}
    for way, values in row.items():
        print(f"{own.name}, {way}: {shown(values)}", flush=True)
    return counts | row


def told(scores: dict[str, np.ndarray], right: np.ndarray) -> dict[str, float]:
    """AUROC, percent answered at 90 % precision and ECE of scores by name."""
    row = {}
    for name, score in scores.items():
        row[f"AUROC {name}".strip()] = area_under_curve(score, right)
        row[f"answered {name}".strip()] = 100 * coverage_at(0.9, score, right)[0]
        row[f"ECE {name}".strip()] = expected_calibration_error(np.clip(score, 0, 1), right)
    return row


def of_weights(
    own: Set, weights: Weights, sets: list[Set], cosine: np.ndarray, nearest: np.ndarray
) -> dict[str, float]:
    """The measures of one set under some weights."""
    found, inside = outcomes_of(own, weights), own.inside
    row = {"P@1": percent(found.right[inside]), "p": paired(nearest[inside], found.right[inside])}
    if not inside.all():
        default = default_without(own, sets, weights)
        probability, above = crossed(own, found, default, weights)
        alone = default.probability(default_evidence(found))
        row |= told({"": probability, "score": found.score, "default": alone}, found.right)
        row["out of scope above threshold"] = 100 * above
        area = partial(area_of, cosine, nearest), partial(area_of, probability, found.right)
        row["p of AUROC"] = paired_statistics(*area, len(inside))
    return row


def default_without(own: Set, sets: list[Set], weights: Weights) -> Logistic:
    """The default that the sets of other letters give."""
    return fitted_default([other for other in sets if other.letter != own.letter], weights)


def default_evidence(outcomes: Outcomes) -> np.ndarray:
    """Score and log phrasings, of which the default is made. (n, 2)"""
    return np.column_stack([outcomes.score, outcomes.evidence[:, EVIDENCE.index("log phrasings")]])


def fitted_default(sets: list[Set], weights: Weights) -> Logistic:
    """As the shipped one was fitted, every letter alike: SHARE of the questions without an answer, real where there are."""
    parts, letters = [], [own.letter for own in sets]
    for own in sets:
        found = outcomes_of(own, weights)
        if own.inside.all():
            found = with_made(own, found, np.arange(len(own.questions)), weights)
        lacks = found.lacks
        each = np.where(lacks, SHARE / max(lacks.sum(), 1), (1 - SHARE) / (~lacks).sum())
        parts.append((default_evidence(found), found.right, 500 * each / letters.count(own.letter)))
    evidence, right, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return fit(evidence, right, weight=weight)


def with_made(own: Set, outcomes: Outcomes, which: np.ndarray, weights: Weights, share: float = SHARE) -> Outcomes:
    """The outcomes of some questions with those that `faq calibrate` makes."""
    number = {answer: at for at, answer in enumerate(own.entries.answers)}
    asked = [Asked(own.questions[at], own.vectors[at], number[min(own.answers[at])]) for at in which if own.answers[at]]
    some, entries = Outcomes(*(array[which] for array in outcomes[:5]), {}), own.entries.under(weights)
    return with_unanswerable(some, asked, own.general, entries, share, lambda event, count: None)


def crossed(
    own: Set, outcomes: Outcomes, default: Logistic, weights: Weights, share: float = SHARE
) -> tuple[np.ndarray, float]:
    """(probability (q,), share of the questions out of scope above the threshold for 90 %), by calibrations from the
    questions in scope of the other parts.
    """
    inside = np.flatnonzero(own.inside)
    outside = ~own.inside
    part = np.random.default_rng(2).permutation(len(inside)) % FOLDS
    prior = in_evidence(default, outcomes.evidence, weights)
    probability, above = np.zeros(len(own.questions)), []
    for number in range(FOLDS):
        made = with_made(own, outcomes, inside[part != number], weights, share)
        fitted = fit(made.evidence, made.right, weight=made.weight, prior=prior)
        out = inside[part == number]
        probability[out] = fitted.probability(outcomes.evidence[out])
        probability[outside] += fitted.probability(outcomes.evidence[outside]) / FOLDS
        least = coverage_at(0.9, fitted.probability(made.evidence), made.right, made.weight)[1]
        above.append(float((fitted.probability(outcomes.evidence[outside]) >= (2 if least is None else least)).mean()))
    return probability, float(np.mean(above))


def choose_shares(chosen_on: list[Set], sets: list[Set], chosen: dict[str, Weights]) -> None:
    """ECE of each of these sets, by the share of questions without an answer, that of general ones, and the prior."""
    outcomes = {own.name: outcomes_of(own, chosen[own.name]) for own in chosen_on}
    defaults = {own.name: default_without(own, sets, chosen[own.name]) for own in chosen_on}
    shipped, found = (calibrating.GENERAL_SHARE, calibration.PRIOR), []
    for share, general, prior in product(SHARES, GENERAL_SHARES, PRIORS):
        calibrating.GENERAL_SHARE, calibration.PRIOR = general, prior
        errors = []
        for own in chosen_on:
            each = crossed(own, outcomes[own.name], defaults[own.name], chosen[own.name], share)
            errors.append(expected_calibration_error(each[0], outcomes[own.name].right))
        found.append((np.mean(errors) + max(errors), share, general, prior, *errors))
    calibrating.GENERAL_SHARE, calibration.PRIOR = shipped
    for worst, share, general, prior, *errors in sorted(found)[:8]:
        print(
            f"share {share}, general {general}, prior {prior:g}: ECE {errors}, mean + greatest {worst:.3f}", flush=True
        )


def in_evidence(default: Logistic, evidence: np.ndarray, weights: Weights) -> Logistic:
    """A function of score and log phrasings as one of what EVIDENCE names, evidence (n, f) of some answers."""
    slope = np.array(default.weights) / default.spread
    answered = bool((evidence[:, EVIDENCE.index("answer")] != 0).mean() > 0.5)
    each = slope[0] / weights.greatest(answered)
    parts = {
        "regression": each, "nearest cosine": each * weights.closest,
        "nearest spelling": each * weights.closest * weights.spelling, "log phrasings": slope[1],
        "answer": each * weights.answers * answered,
    }  # fmt: skip
    bias = default.bias - float(slope @ np.array(default.mean))
    return Logistic([0.0] * len(EVIDENCE), [1.0] * len(EVIDENCE), [float(parts[name]) for name in EVIDENCE], bias)


# -- small FAQs


def small_faqs(own: Set) -> dict[str, float]:
    """By the shipped default, of the shipped score: percent of the right answers that are given, and of the questions
    of other entries and of the general ones that get an answer.
    """
    given: dict[str, list[bool]] = {"right given": [], "other entries": [], "general": []}
    draw = np.random.default_rng(3)
    for _ in range(DRAWS):
        few = some_entries(own.entries, draw.permutation(len(own.entries.answers))[:SMALL])
        known = set(few.answers)
        for at in draw.permutation(len(own.questions))[: 40 * SMALL]:
            found = few.rank(own.questions[at], own.vectors[at])[0]
            if found.answer in own.answers[at]:
                given["right given"].append(is_given(found))
            elif not own.answers[at] & known and len(given["other entries"]) < 200 * DRAWS:
                given["other entries"].append(is_given(found))
        for text, vector in zip(GENERAL, own.general, strict=True):
            given["general"].append(is_given(few.rank(text, vector)[0]))
    row = {name: percent(np.array(values)) for name, values in given.items()}
    print(f"{SMALL} entries of {own.name}: {shown(row)}", flush=True)
    return row


def is_given(found: Found) -> bool:
    """As `Rule` decides without a calibration."""
    probability = default_of(found.evidence[None]).probability(found.evidence[None])[0]
    return bool(probability >= LEAST or found.evidence[EVIDENCE.index("nearest spelling")] >= SPELT)


def some_entries(entries: Entries, keep: np.ndarray) -> Entries:
    """The FAQ of these entries alone."""
    at = np.flatnonzero(np.isin(entries.entries, keep))
    number = {int(entry): new for new, entry in enumerate(keep)}
    answers = [entries.answers[entry] for entry in keep]
    return Entries(
        [entries.rows[row] for row in at], entries.vectors[at], np.array([number[int(own)] for own in entries.entries[at]]),
        answers, {answer: entries.answer_vectors[answer] for answer in answers if answer in entries.answer_vectors},
    )  # fmt: skip


# -- statistics


def percent(values: np.ndarray) -> float:
    """The mean of truths."""
    return 100 * float(np.mean(values)) if len(values) else float("nan")


def area_of(score: np.ndarray, right: np.ndarray, drawn: np.ndarray) -> float:
    """AUROC of some of the questions."""
    return area_under_curve(score[drawn], right[drawn])


def paired(before: np.ndarray, after: np.ndarray) -> float:
    """P of the difference of two measures of the same questions (n,), by randomisation: signs flipped at random."""
    difference = after.astype(float) - before.astype(float)
    flips = np.random.default_rng(0).choice([-1.0, 1.0], (ROUNDS, len(difference)))
    return float((1 + (np.abs(flips @ difference) >= abs(difference.sum()) - 1e-9).sum()) / (1 + ROUNDS))


def paired_statistics(before: Any, after: Any, count: int, rounds: int = 1_000) -> float:
    """P that the second is no better, for measures that are no means: over bootstrap draws of the questions."""
    draw = np.random.default_rng(0)
    drawn = [draw.integers(0, count, count) for _ in range(rounds)]
    return (1 + sum(after(own) <= before(own) for own in drawn)) / (1 + rounds)


def shown(values: dict[str, Any]) -> str:
    """Names and values on a line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


if __name__ == "__main__":
    main()
