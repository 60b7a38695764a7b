"""One score out of what tells for a passage: the cosine of its vector with the question's, its words, both together."""

import numpy as np

from searcher.ranking.evidence import COLUMNS, Evidence, columns

__all__ = ["CANDIDATES", "WEIGHTS", "fuse", "longer", "weighed", "wordiness"]

CANDIDATES = 100  # of each kind; among these a hybrid search chooses, and by these scores are standardised
FULL = 8.0  # token by token, likeness tells fully in passages so many times as long as the question

# Those under which the judged passages of 23 sets are most probable among the first candidates (a softmax over their
# scores: ListNet, Cao et al. 2007; a set where vectors find more than words counts twice; ridge of .002).
# benchmarks/quality.py finds them anew, and says what they are worth on a set that was left out.
WEIGHTS = dict(zip(COLUMNS, (1.16, 0.49, 0.7, -0.19, 0.4, -0.57, 0.13, 0.2, -0.41), strict=True))
KINDS = ("words", "rare")  # of which each column tells by itself, and by gates of the question
GATED = [[place for place, name in enumerate(COLUMNS) if name.split()[0] == kind] for kind in KINDS]
OTHERS = [place for place, name in enumerate(COLUMNS) if name.split()[0] not in KINDS]
LEAST = 0.05  # stackfaq, sofmattress and covidq, of which passages are brief, gain up to .7 by it, and no set loses


def fuse(given: Evidence, neighbours: bool = True) -> np.ndarray:
    """The score of each candidate of a question, a weighted sum of `columns`; neighbours: as there. -> (n,) float64.

    A form of few weights, linear but for LEAST, does as well on sets that it was not fitted on as trees do, and better
    than either list's ranks (Bruch, Gai & Ingber 2023).
    """
    return weighed(columns(given, neighbours), np.array(list(WEIGHTS.values())))


def weighed(columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n, 9) @ (9,) -> (n,), but that words, and rare ones, tell LEAST at least for a passage that holds them.

    Where passages are brief or the nearest leads by far, the gates would let words tell against them.
    """
    score = columns[:, OTHERS] @ weights[OTHERS]
    for gated in GATED:
        plain, told = columns[:, gated[0]], columns[:, gated] @ weights[gated]
        place = int(np.abs(plain).argmax()) if len(plain) else 0
        if len(plain) and plain[place] and told[place] / plain[place] < LEAST:
            told = LEAST * plain
        score = score + told
    return score


def wordiness(longer: float) -> float:
    """How much single words tell, 0 … 1, in passages so many times as long as the question."""
    return min(1.0, longer / FULL)


def longer(question: str, passages: list[str]) -> float:
    """How many times as long as the question passages are, on average, in characters; 0 if there are none."""
    return sum(map(len, passages)) / len(passages) / max(1, len(question)) if passages else 0.0
