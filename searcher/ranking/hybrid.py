"""A question → hits by its words and its vector both: the candidates of either, and one score."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searcher.engines import Engine, Hit, cosine
from searcher.filters import Filter
from searcher.ranking.evidence import Evidence
from searcher.ranking.fusion import CANDIDATES, fuse
from searcher.records import Row

__all__ = ["SAFE", "Candidates", "candidates_of", "safe"]

SAFE = 5  # the nearest passage and the best by words are among so many hits, whatever else is said of them


@dataclass(frozen=True)
class Candidates:
    """Passages that may answer a question, what is known of them, and which of them each kind of search has first."""

    rows: list[Row]
    evidence: Evidence
    best: tuple[int, ...]

    def ranked(self, neighbours: bool = True) -> list[Hit]:
        """The hits, best first, equals by id. neighbours: as in `columns`."""
        scores = safe(fuse(self.evidence, neighbours), self.best)
        return sorted(zip(scores.tolist(), self.rows, strict=True), key=lambda hit: (-hit[0], hit[1].passage_id))


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
    near: list[Hit],
    depth: int,
    where: Filter | None,
    readable: float = 1.0,
) -> Candidates:
    """The passages nearest to a question (d,), and as many, `depth`, of those that hold its words."""
    rows = {row.passage_id: row for _, row in near}
    ids, scores = engine.by_words(question, depth, where, list(rows))
    rows |= engine.rows(set(ids.tolist()) - rows.keys())
    numbers = sorted(rows)  # by id, so that however many there are, sums come out alike
    worth = dict(zip(ids.tolist(), scores.tolist(), strict=True))
    # However many hits are asked for, what standardises the scores are the same candidates.
    standard = {*ids[:CANDIDATES].tolist(), *(row.passage_id for _, row in near[:CANDIDATES])}
    found = [rows[number] for number in numbers]
    evidence = Evidence(
        cosines=np.array([cosine(row, vector) for row in found]),
        bm25=np.array([worth.get(number, 0) for number in numbers], np.float32),
        rarest=engine.rarest(question, np.array(numbers, np.int64)),
        vectors=np.array([row.vector for row in found]),
        lengths=np.array([len(row.text) for row in found]),
        readable=readable,
        among=np.array([number in standard for number in numbers], dtype=bool),
    )
    best = [*([near[0][1].passage_id] if near and readable else []), *ids[:1].tolist()]
    return Candidates(found, evidence, tuple(numbers.index(number) for number in dict.fromkeys(best)))
