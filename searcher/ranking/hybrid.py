"""A question → hits by its words and its vector both: the candidates of either, and one score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searcher.engines import Candidate, Engine, Near, cosines
from searcher.filters import Filter
from searcher.ranking.evidence import Evidence
from searcher.ranking.fusion import CANDIDATES, fuse

__all__ = ["SAFE", "Candidates", "candidates_of", "safe"]

SAFE = 5  # the nearest passage and the best by words are among so many hits, whatever else is said of them


@dataclass(frozen=True)
class Candidates:
    """Passages that may answer a question, by their ids, what is known of them, and which of them each kind of search
    has first.
    """

    passages: list[Candidate]
    evidence: Evidence
    best: tuple[int, ...]

    def ranked(self, k: int, neighbours: bool = True) -> list[Near]:
        """The k best, best first, equals by id. neighbours: as in `columns`."""
        scores = safe(fuse(self.evidence, neighbours), self.best)
        first = np.argsort(-scores, kind="stable")[:k].tolist()
        return [(float(scores[place]), self.passages[place]) for place in first]


def safe(scores: np.ndarray, best: Sequence[int]) -> np.ndarray:
    """The scores (n,), raised where it needs that for those of the places `best` to be among the first SAFE."""
    places = list(best)
    if len(scores) <= SAFE or not places:
        return scores
    passed = np.sort(np.delete(scores, places))[len(places) - 1 - SAFE]  # the best score that must not be before them
    raised = scores.copy()
    raised[places] = np.maximum(scores[places], np.nextafter(passed, np.inf))
    return raised


def candidates_of(
    engine: Engine,
    question: str,
    vector: np.ndarray,
    near: list[Near],
    depth: int,
    where: Filter | None,
    readable: float = 1.0,
) -> Candidates:
    """The passages nearest to a question (d,), and as many, `depth`, of those that hold its words."""
    every = {own.passage_id: own for _, own in near}
    ids, scores = engine.by_words(question, depth, where, list(every))
    every |= engine.ranked_by(set(ids.tolist()) - every.keys())
    numbers = np.array(sorted(every), np.int64)  # by id, so that however many there are, sums come out alike
    found = [every[number] for number in numbers.tolist()]
    vectors = np.array([own.vector for own in found])
    bm25, among = np.zeros(len(found), np.float32), np.zeros(len(found), bool)
    bm25[numbers.searchsorted(ids)] = scores
    # However many hits are asked for, what standardises the scores are the same candidates.
    standard = [*ids[:CANDIDATES].tolist(), *(own.passage_id for _, own in near[:CANDIDATES])]
    among[numbers.searchsorted(standard)] = True
    evidence = Evidence(
        cosines=cosines(vectors, vector).astype(np.float64) if found else np.empty(0),
        bm25=bm25,
        rarest=engine.rarest(question, numbers),
        vectors=vectors,
        lengths=np.array([len(own.text) for own in found]),
        readable=readable,
        among=among,
    )
    best = [*([near[0][1].passage_id] if near and readable else []), *ids[:1].tolist()]
    return Candidates(found, evidence, tuple(numbers.searchsorted([*dict.fromkeys(best)]).tolist()))
