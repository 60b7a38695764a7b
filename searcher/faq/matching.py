"""A question against phrasings → entries: kernel ridge regression on the phrasings, joined with the nearest one.

Which entry a question belongs to is a regression on the phrasings near it: the weights that best give each phrasing
its own entry, so that a dozen phrasings that say the same count less than a dozen different ones, and an entry with
many phrasings draws no more than one with few. Saunders, Gammerman & Vovk 1998, "Ridge regression learning algorithm
in dual variables"; noise in proportion to the size of the entry, as for unbalanced classes.

The constants are those that are best on hint3-sofmattress when every phrasing is near. A smoother regression (sharpness
1, noise 1, spelling 0.4) is better still on both of HINT3's bots, and worse on stackfaq, whose entries have a question
each. The weight of the answers is the best of either half of stackfaq. benchmarks/faq.py chooses again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from searcher.faq.ngrams import likeness

__all__ = ["EVIDENCE", "SHIPPED", "Matches", "Weights", "match"]

EVIDENCE = ("regression", "nearest cosine", "nearest spelling", "log phrasings", "answer")


@dataclass(frozen=True)
class Weights:
    """near: phrasings that count. sharpness: of the kernel exp(sharpness · (cosine - 1)). noise: of the regression.
    spelling: weight of the n-grams beside the kernel. closest: weight of the nearest phrasing beside the regression.
    answers: weight of the same regression on the answers.
    """

    near: int = 128
    sharpness: float = 2.0
    noise: float = 0.1
    spelling: float = 0.2
    closest: float = 0.5
    answers: float = 1.0

    def greatest(self, answered: bool) -> float:
        """The sum of which a score is a share. answered: whether the answers count."""
        return 1 + self.closest * (1 + self.spelling) + self.answers * answered


SHIPPED = Weights()


class Matches(NamedTuple):
    """For each of E entries: scores (E,), about 0 … 1; closest (E,), its phrasing of the greatest cosine; evidence
    (E, 5), EVIDENCE of it. order: (E,), best first.
    """

    order: np.ndarray
    scores: np.ndarray
    closest: np.ndarray
    evidence: np.ndarray


def match(
    question: str,
    vector: np.ndarray,
    phrasings: Sequence[str],
    vectors: np.ndarray,
    entries: np.ndarray,
    answers: np.ndarray | None = None,
    weights: Weights = SHIPPED,
    unseen: np.ndarray | None = None,
) -> Matches:
    """How well each entry answers a question.

    vector: (d,) the question's; vectors: (n, d) the phrasings', unit rows; entries: (n,) the entry of each, every
    number 0 … E - 1 at least once; answers: (E, d) unit rows, if known. unseen: (E,) further phrasings of
    each entry.
    """
    count = int(entries.max()) + 1
    member = np.eye(count)[entries]  # (n, E)
    sizes = member.sum(axis=0)
    cosines = np.clip(vectors @ vector, -1, 1).astype(np.float64)
    spelling = likeness([*phrasings, question]).astype(np.float64)
    between = _kernel(vectors @ vectors.T, weights) + weights.spelling * spelling[:-1, :-1]
    towards = _kernel(cosines, weights) + weights.spelling * spelling[-1, :-1]
    noise = sizes[entries] / sizes[entries].mean()
    regression = _ridge(between, towards, noise, weights) @ member
    closest = np.array([np.where(own, cosines, -2).argmax() for own in member.T.astype(bool)])
    spelt = (member * spelling[-1, :-1, None]).max(axis=0)
    scores = regression + weights.closest * (cosines[closest] + weights.spelling * spelt)
    answered = np.zeros(count)
    if answers is not None:
        kernel = _kernel(answers @ answers.T, weights)
        answered = _ridge(kernel, _kernel(answers @ vector, weights), np.ones(count), weights)
        scores = scores + weights.answers * answered
    known = sizes if unseen is None else sizes + unseen
    evidence = np.stack([regression, cosines[closest], spelt, np.log(known), answered], axis=1)
    scores = scores / weights.greatest(answers is not None)
    return Matches(np.argsort(-scores, kind="stable"), scores, closest, evidence)


def _kernel(cosines: np.ndarray, weights: Weights) -> np.ndarray:
    """Gaussian in the distance of unit vectors, whose square is 2 - 2 cosine."""
    return np.exp(weights.sharpness * (cosines.astype(np.float64) - 1))


def _ridge(between: np.ndarray, towards: np.ndarray, noise: np.ndarray, weights: Weights) -> np.ndarray:
    """(n,) how much of each of n known points is in a new one: towards (between + noise)⁻¹."""
    return np.linalg.solve(between + weights.noise * np.diag(noise), towards)
