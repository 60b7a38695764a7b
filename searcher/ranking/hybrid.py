"""A question → hits by its words and its vector both: the candidates of either, one score, and what feeds back."""

from dataclasses import dataclass

import numpy as np

from searcher.engines import Engine, Hit, cosine
from searcher.filters import Filter
from searcher.ranking.feedback import moved
from searcher.ranking.fusion import CANDIDATES, fuse, longer
from searcher.ranking.smoothing import smoothed
from searcher.records import Row

__all__ = ["Candidates", "candidates_of", "hybrid"]


@dataclass(frozen=True)
class Candidates:
    """Passages that may answer a question, and what its words say of them: bm25 (n,) float32.

    longer, readable, among: as in `fuse`.
    """

    rows: list[Row]
    bm25: np.ndarray
    longer: float
    readable: float
    among: np.ndarray

    def ranked(self, vector: np.ndarray, smooth: bool = False) -> list[Hit]:
        """The hits, best first, equals by id. vector: (d,) of unit length; smooth: whether passages alike share."""
        cosines = np.array([cosine(row, vector) for row in self.rows])
        scores = fuse(cosines, self.bm25, self.longer, self.readable, self.among)
        if smooth:
            scores = smoothed(scores, np.array([row.vector for row in self.rows]), self.readable, self.among)
        return sorted(zip(scores.tolist(), self.rows, strict=True), key=lambda hit: (-hit[0], hit[1].passage_id))


def candidates_of(
    engine: Engine, question: str, near: list[Hit], depth: int, where: Filter | None, readable: float = 1.0
) -> Candidates:
    """The passages nearest to a question, and as many, `depth`, of those that hold its words."""
    rows = {row.passage_id: row for _, row in near}
    ids, scores = engine.by_words(question, depth, where, list(rows))
    rows |= engine.rows(set(ids.tolist()) - rows.keys())
    numbers = sorted(rows)  # by id, so that however many there are, sums come out alike
    worth = dict(zip(ids.tolist(), scores.tolist(), strict=True))
    bm25 = np.array([worth.get(number, 0) for number in numbers], np.float32)
    # However many hits are asked for, what standardises the scores are the same candidates.
    best = {*ids[:CANDIDATES].tolist(), *(row.passage_id for _, row in near[:CANDIDATES])}
    among = np.array([number in best for number in numbers], dtype=bool)
    length = longer(question, [rows[number].text for number in best])
    return Candidates([rows[number] for number in numbers], bm25, length, readable, among)


def hybrid(candidates: Candidates, vector: np.ndarray, first: np.ndarray | None = None) -> list[Hit]:
    """Hits of a question (d,), its vector moved towards `first` (d,), else what is first by `fuse`, scores smoothed.

    Neither where `first` is zeros.
    """
    if not candidates.rows:
        return []
    if first is None:
        first = candidates.ranked(vector)[0][1].vector
    return candidates.ranked(moved(vector, first), smooth=True) if first.any() else candidates.ranked(vector)
