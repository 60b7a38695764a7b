"""A question → hits by its words and its vector both: the candidates of either, and one score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searcher.engines import Candidate, Engine, Near, cosine
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
    known = {own.passage_id: own for _, own in near}
    cosines = {own.passage_id: score for score, own in near}
    ids, scores = engine.by_words(question, depth, where, list(known))
    others = engine.ranked_by(set(ids.tolist()) - known.keys())
    cosines |= {number: cosine(own, vector) for number, own in others.items()}
    numbers = sorted(cosines)  # by id, so that however many there are, sums come out alike
    found = [known.get(number) or others[number] for number in numbers]
    worth = dict(zip(ids.tolist(), scores.tolist(), strict=True))
    # However many hits are asked for, what standardises the scores are the same candidates.
    standard = {*ids[:CANDIDATES].tolist(), *(own.passage_id for _, own in near[:CANDIDATES])}
    evidence = Evidence(
        cosines=np.array([cosines[number] for number in numbers]),
        bm25=np.array([worth.get(number, 0) for number in numbers], np.float32),
        rarest=engine.rarest(question, np.array(numbers, np.int64)),
        vectors=np.array([own.vector for own in found]),
        lengths=np.array([len(own.text) for own in found]),
        readable=readable,
        among=np.array([number in standard for number in numbers], dtype=bool),
    )
    best = [*([near[0][1].passage_id] if near and readable else []), *ids[:1].tolist()]
    return Candidates(found, evidence, tuple(numbers.index(number) for number in dict.fromkeys(best)))
