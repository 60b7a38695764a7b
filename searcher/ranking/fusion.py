"""One score out of what tells for a passage: the cosine of its vector with the question's, its words, both together."""

import numpy as np

from searcher.ranking.evidence import COLUMNS, Evidence, columns

__all__ = ["CANDIDATES", "WEIGHTS", "fuse", "longer", "wordiness"]

CANDIDATES = 100  # of each kind; among these a hybrid search chooses, and by these scores are standardised
FULL = 8.0  # token by token, likeness tells fully in passages so many times as long as the question

# Those under which the judged passages of 23 sets are most probable among the first candidates (a softmax over their
# scores: ListNet, Cao et al. 2007; each set counts alike; ridge of .002). benchmarks/quality.py finds them anew, and
# says what they are worth on a set that was left out.
WEIGHTS = dict(zip(COLUMNS, (1.04, 0.52, 0.65, -0.22, 0.18, 0.45), strict=True))


def fuse(given: Evidence, alone: bool = False) -> np.ndarray:
    """The score of each candidate of a question, a weighted sum of `columns`; alone: as there. -> (n,) float64.

    A linear form of few weights does as well on sets that it was not fitted on as trees do, and better than either
    list's ranks (Bruch, Gai & Ingber 2023).
    """
    return columns(given, alone) @ np.array(list(WEIGHTS.values()))


def wordiness(longer: float) -> float:
    """How much single words tell, 0 … 1, in passages so many times as long as the question."""
    return min(1.0, longer / FULL)


def longer(question: str, passages: list[str]) -> float:
    """How many times as long as the question passages are, on average, in characters; 0 if there are none."""
    return sum(map(len, passages)) / len(passages) / max(1, len(question)) if passages else 0.0
