"""Which of the best passages to show, so that they are not all alike: FAQ entries once, a limit a document, MMR."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from searcher.engines import Hit

__all__ = ["limited", "mmr", "once", "scaled"]


def once(hits: Sequence[Hit]) -> list[Hit]:
    """The hits with each FAQ entry by the best of its phrasings alone: they all give the same answer."""
    met: set[int] = set()
    kept = []
    for hit in hits:
        if (row := hit[1]).kind == "faq":
            if row.document_id in met:
                continue
            met.add(row.document_id)
        kept.append(hit)
    return kept


def limited(groups: Sequence[int], limit: int | None, k: int) -> list[int]:
    """Places of the first k of which no more than `limit` are of one group.

    >>> limited([7, 7, 8, 7, 8], 1, 3), limited([7, 7, 8, 7, 8], 2, 4)
    ([0, 2], [0, 1, 2, 4])
    """
    chosen: list[int] = []
    used: Counter[int] = Counter()
    for place, group in enumerate(groups):
        if len(chosen) < k and (limit is None or used[group] < limit):
            used[group] += 1
            chosen.append(place)
    return chosen


def mmr(
    relevance: np.ndarray, vectors: np.ndarray, trade: float, k: int, groups: Sequence[int], limit: int | None = None
) -> list[int]:
    """Places of k candidates by maximal marginal relevance, in the order of choice (Carbonell & Goldstein 1998).

    The next is the one with the greatest trade · relevance - (1 - trade) · (greatest cosine with those chosen); of
    equals the first. relevance: (n,); vectors: (n, d) of unit length; no more than `limit` of one group are chosen.
    """
    free = np.ones(len(relevance), dtype=bool)
    nearest = np.zeros(len(relevance))
    chosen: list[int] = []
    used: Counter[int] = Counter()
    of_group = np.asarray(groups)
    while len(chosen) < k and free.any():
        gains = np.where(free, trade * relevance - (1 - trade) * nearest, -np.inf)
        best = int(gains.argmax())
        alike = vectors @ vectors[best]
        nearest = np.maximum(nearest, alike) if chosen else alike
        chosen.append(best)
        free[best] = False
        used[groups[best]] += 1
        if limit is not None and used[groups[best]] >= limit:
            free &= of_group != groups[best]
    return chosen


def scaled(scores: np.ndarray) -> np.ndarray:
    """Scores of any kind on the scale of cosines: the least 0, the greatest 1. (n,) -> (n,)."""
    spread = float(np.ptp(scores)) if len(scores) else 0.0
    return (scores - scores.min()) / spread if spread else np.ones(len(scores))
