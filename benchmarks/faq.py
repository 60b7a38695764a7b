"""How often is the FAQ's answer right, and does its probability mean what it says?

    SEARCHER_DATA=… python benchmarks/faq.py [--choose] [--plot FILE]

hint3-curekart, hint3-sofmattress: phrasings labelled with an answer, live questions, many without one. stackfaq: 125
questions with answers, their paraphrases asked. Every figure is of `Searcher.faq.rank`, what `searcher ask` answers
with, against the nearest phrasing by cosine. "cross-validated": probabilities of ten folds of the same set; "across":
fitted on the other bot. --choose: choose the weights on each bot by the area under precision against coverage, and
report on the other; the weight of the answers on each half of stackfaq's entries, and report on the other half.
"""

import argparse
import csv
import json
import tempfile
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import data_folder, report

from searcher import Searcher
from searcher.faq import precision_by_coverage
from searcher.faq.calibrating import Outcomes
from searcher.faq.calibration import area_under_curve, coverage_at, cross_validated, expected_calibration_error, fit
from searcher.faq.entries import Entries, Found
from searcher.faq.matching import SHIPPED, Weights

BOTS = ("hint3-curekart", "hint3-sofmattress")
OTHER = dict(zip(BOTS, reversed(BOTS), strict=True))
GOALS = {
    "hint3-curekart": {"right": 86, "AUROC": 0.92, "answered": 30, "ECE": 0.03, "ECE across": 0.08},
    "hint3-sofmattress": {"right": 81, "AUROC": 0.87, "answered": 25, "ECE": 0.03, "ECE across": 0.08},
    "stackfaq": {"P@1": 95.5, "nDCG@10": 98.0},
}
CHOICES = {"sharpness": (1.0, 2.0, 3.0), "noise": (0.1, 1.0), "spelling": (0.0, 0.2, 0.4), "closest": (0.25, 0.5, 1.0)}
ANSWER_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
ROUNDS = 10_000


class Set(NamedTuple):
    """Questions (texts, unit vectors), their right answers (None: there is none), and the entries of the index."""

    questions: list[str]
    vectors: np.ndarray
    answers: list[str | None]
    entries: Entries

    def ranked(self, weights: Weights = SHIPPED) -> list[list[Found]]:
        """What `Searcher.faq.rank` gives, without opening the index for each choice of weights."""
        return [
            self.entries.rank(question, vector, weights=weights)
            for question, vector in zip(self.questions, self.vectors, strict=True)
        ]

    def nearest(self) -> tuple[np.ndarray, np.ndarray]:
        """By cosine alone: the greatest (q,), and whether that phrasing's entry is right (q,)."""
        cosines = self.vectors @ self.entries.vectors.T
        best = [self.entries.answers[self.entries.entries[at]] for at in cosines.argmax(axis=1)]
        return cosines.max(axis=1), np.array([own == answer for own, answer in zip(best, self.answers, strict=True)])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        sets = {name: read_bot(Path(temporary), name) for name in BOTS}
        stack = read_stackfaq(Path(temporary))
        outcomes = {name: Outcomes.of(own.ranked(), own.answers) for name, own in sets.items()}
        for name in BOTS:
            result[name] = bot(sets[name], outcomes[name], outcomes[OTHER[name]])
            table(name, result[name])
        result["stackfaq"] = stackfaq(stack, SHIPPED)
        table("stackfaq", result["stackfaq"])
        if options.choose:
            result["chosen"] = chosen(sets, stack)
        if options.plot:
            draw(sets, outcomes, options.plot)
    report("faq", result)


# -- the sets


def read_bot(folder: Path, name: str) -> Set:
    """A HINT3 bot: its answers are labels, so they are not embedded."""
    source = data_folder() / name
    searcher = Searcher(folder / name)
    searcher.add_faq(source / "phrasings.jsonl", answers=False)
    rows = [json.loads(line) for line in (source / "queries.jsonl").open(encoding="utf-8")]
    return as_set(searcher, [row["text"] for row in rows], [row["answer"] for row in rows])


def read_stackfaq(folder: Path) -> Set:
    """Every answer is known by the id of its entry."""
    source = data_folder() / "stackfaq"
    searcher = Searcher(folder / "stackfaq")
    searcher.add_faq(source / "faq.jsonl")
    answer_of = {row["id"]: row["answer"] for row in map(json.loads, (source / "faq.jsonl").open(encoding="utf-8"))}
    texts = {row["_id"]: row["text"] for row in map(json.loads, (source / "queries.jsonl").open(encoding="utf-8"))}
    with (source / "qrels" / "test.tsv").open(encoding="utf-8") as stream:
        judged = list(csv.reader(stream, delimiter="\t"))[1:]
    return as_set(searcher, [texts[row[0]] for row in judged], [answer_of[row[1]] for row in judged])


def as_set(searcher: Searcher, questions: list[str], answers: list[str | None]) -> Set:
    """With the questions embedded."""
    entries, _ = searcher.faq.entries()
    return Set(questions, searcher.embedder.embed(questions, "query"), answers, entries)


# -- the measures


def bot(own: Set, outcomes: Outcomes, other: Outcomes) -> dict[str, dict[str, float]]:
    """Measures of the nearest phrasing, of the score, and of the probability cross-validated and from the other bot."""
    cosine, nearest_right = own.nearest()
    inside = np.array([answer is not None for answer in own.answers])
    score = np.array([found[0].score for found in own.ranked()])
    within = cross_validated(*outcomes)
    across = fit(*other).probability(outcomes.evidence)
    rows = {
        "nearest phrasing": measures(cosine, nearest_right, inside),
        "score": measures(score, outcomes.right, inside),
        "probability, cross-validated": measures(within, outcomes.right, inside, probability=True),
        "probability, across": measures(across, outcomes.right, inside, probability=True),
    }
    rows["score"]["p"] = paired(nearest_right[inside], outcomes.right[inside])
    p = paired_statistics(partial(area, cosine, nearest_right), partial(area, within, outcomes.right), len(cosine))
    rows["probability, cross-validated"]["p of AUROC"] = p
    p = paired_statistics(partial(share, cosine, nearest_right), partial(share, within, outcomes.right), len(cosine))
    rows["probability, cross-validated"]["p of answered"] = p
    return rows


def measures(score: np.ndarray, right: np.ndarray, inside: np.ndarray, probability: bool = False) -> dict[str, float]:
    """right: percent of the questions that have an answer; answered: percent of all, at 90 % precision."""
    found = {
        "right": 100 * float(right[inside].mean()), "AUROC": area_under_curve(score, right),
        "answered": 100 * coverage_at(0.9, score, right)[0],
    }  # fmt: skip
    if probability:
        draw = np.random.default_rng(0)
        chance = [expected_calibration_error(score, draw.random(len(right)) < score) for _ in range(200)]
        found |= {"ECE": expected_calibration_error(score, right), "ECE of a perfect one": float(np.mean(chance))}
    return found


def area(score: np.ndarray, right: np.ndarray, drawn: np.ndarray) -> float:
    """AUROC of some of the questions."""
    return area_under_curve(score[drawn], right[drawn])


def share(score: np.ndarray, right: np.ndarray, drawn: np.ndarray) -> float:
    """What can be answered of them at 90 % precision."""
    return coverage_at(0.9, score[drawn], right[drawn])[0]


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


def gains(ranked: list[list[Found]], answers: list[str | None]) -> tuple[np.ndarray, np.ndarray]:
    """P@1 and nDCG@10 of each question (q,)."""
    places = [
        next((place for place, found in enumerate(own) if found.answer == answer), 10_000)
        for own, answer in zip(ranked, answers, strict=True)
    ]
    at = np.array(places)
    return (at == 0) * 1.0, np.where(at < 10, 1 / np.log2(at + 2), 0.0)


def by_cosine(own: Set) -> tuple[np.ndarray, np.ndarray]:
    """The same of the questions alone, by cosine."""
    cosines = own.vectors @ own.entries.vectors.T
    right = np.array([own.entries.answers.index(str(answer)) for answer in own.answers])
    best = np.stack(
        [cosines[:, own.entries.entries == entry].max(axis=1) for entry in range(len(own.entries.answers))], 1
    )
    at = (best > best[np.arange(len(best)), right][:, None]).sum(axis=1)
    return (at == 0) * 1.0, np.where(at < 10, 1 / np.log2(at + 2), 0.0)


def stackfaq(own: Set, weights: Weights) -> dict[str, dict[str, float]]:
    """P@1 and nDCG@10 of the nearest question, and of the score with and without the answers."""
    first, gain = by_cosine(own)
    rows = {"nearest phrasing": {"P@1": 100 * first.mean(), "nDCG@10": 100 * gain.mean()}}
    for name, used in (("score, questions alone", replace(weights, answers=0.0)), ("score", weights)):
        p1, ndcg = gains(own.ranked(used), own.answers)
        rows[name] = {
            "P@1": 100 * p1.mean(), "nDCG@10": 100 * ndcg.mean(), "p of P@1": paired(first, p1), "p of nDCG@10": paired(gain, ndcg),
        }  # fmt: skip
    return rows


# -- choosing


def chosen(sets: dict[str, Set], stack: Set) -> dict[str, Any]:
    """Weights chosen on one set, and how they fare on the other."""
    found: dict[str, Any] = {}
    for name, own in sets.items():
        best = max(grid(), key=lambda weights: quality(own, weights))
        target = sets[OTHER[name]]
        outcomes = Outcomes.of(target.ranked(best), target.answers)
        there = bot_score(target, best)
        within = cross_validated(*outcomes)
        there |= {"AUROC of the probability": area_under_curve(within, outcomes.right)}
        there |= {"answered by probability": 100 * coverage_at(0.9, within, outcomes.right)[0]}
        found[f"on {name}"] = {"weights": repr(best), f"on {OTHER[name]}": there}
        print(f"chosen on {name}: {best}; on {OTHER[name]}: {rounded(there)}", flush=True)
    found["stackfaq"] = halves(stack)
    print(f"answers' weight chosen on each half of stackfaq: {found['stackfaq']}")
    return found


def grid() -> list[Weights]:
    """Every choice of weights; that of the answers has no say where they are labels."""
    return [replace(SHIPPED, **dict(zip(CHOICES, values, strict=True))) for values in product(*CHOICES.values())]


def quality(own: Set, weights: Weights) -> float:
    """The mean precision over all shares of the questions that could be answered."""
    ranked = own.ranked(weights)
    right = np.array([found[0].answer == answer for found, answer in zip(ranked, own.answers, strict=True)])
    order = np.argsort(-np.array([found[0].score for found in ranked]), kind="stable")
    return float((np.cumsum(right[order]) / np.arange(1, len(right) + 1)).mean())


def bot_score(own: Set, weights: Weights) -> dict[str, float]:
    """Measures of the score under other weights."""
    ranked = own.ranked(weights)
    right = np.array([found[0].answer == answer for found, answer in zip(ranked, own.answers, strict=True)])
    score = np.array([found[0].score for found in ranked])
    return measures(score, right, np.array([answer is not None for answer in own.answers]))


def halves(own: Set) -> dict[str, Any]:
    """P@1 and nDCG@10 of each half of the entries' questions under the weight that is best (nDCG) on the other half."""
    half = np.array([own.entries.answers.index(str(answer)) % 2 for answer in own.answers])
    tried = {weight: gains(own.ranked(replace(SHIPPED, answers=weight)), own.answers) for weight in ANSWER_WEIGHTS}
    picks = [max(tried, key=lambda weight: tried[weight][1][half == number].mean()) for number in (0, 1)]
    mixed = [np.where(half == 0, tried[picks[1]][which], tried[picks[0]][which]) for which in (0, 1)]
    first, gain = by_cosine(own)
    return {
        "weights": picks, "P@1": round(100 * mixed[0].mean(), 2), "nDCG@10": round(100 * mixed[1].mean(), 2),
        "p of P@1": paired(first, mixed[0]), "p of nDCG@10": paired(gain, mixed[1]),
    }  # fmt: skip


# -- output


def table(name: str, rows: dict[str, dict[str, float]]) -> None:
    """The measures of one set, and its goals."""
    print(f"\n{name}")
    for row, values in rows.items():
        print(f"  {row:<30} {rounded(values)}")
    print(f"  {'goal':<30} {rounded(GOALS[name])}", flush=True)


def rounded(values: dict[str, float]) -> str:
    """Names and values on a line."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def draw(sets: dict[str, Set], outcomes: dict[str, Outcomes], file: Path) -> None:
    """Precision against coverage: the cosine of the nearest phrasing, and the cross-validated probability."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(sets), figsize=(10, 4), sharey=True)
    for axis, (name, own) in zip(axes, sets.items(), strict=True):
        curves = {
            "cosine of the nearest phrasing": own.nearest(),
            "probability": (cross_validated(*outcomes[name]), outcomes[name].right),
        }
        for label, (score, right) in curves.items():
            _, coverage, precision = precision_by_coverage(score, right)
            axis.plot(coverage[precision.size // 100 :], precision[precision.size // 100 :], label=label)
        axis.axhline(0.9, color="grey", linewidth=0.5)
        axis.set(title=name, xlabel="share of the questions answered", ylim=(0.4, 1.02))
    axes[0].set_ylabel("share of the answers right")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(file, dpi=110)


if __name__ == "__main__":
    main()
