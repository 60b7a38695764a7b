"""The measures: how good one ranking of documents is, against grades that may be fractions, as trec_eval has them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from searcher.errors import BadValue

__all__ = ["MEASURES", "Judged", "Run", "check_relevant", "judged", "query_values"]

Run = Mapping[str, Mapping[str, float]]  # query id → document id → score
Qrels = Mapping[str, Mapping[str, float]]  # query id → document id → grade


class Judged(NamedTuple):
    """A ranking, judged. gains: (n,) grade of each document in its order, 0 for one that is not judged or below 0;
    good: (n,) bool, which of them are relevant; best: (m,) the grades above 0 of all documents, falling; relevant: how
    many documents are.
    """

    gains: np.ndarray
    good: np.ndarray
    best: np.ndarray
    relevant: int


def ndcg(ranking: Judged, depth: int) -> float:
    """Järvelin & Kekäläinen 2002, with the grade itself as gain: the discounted gains over those of the best order."""
    ideal = _discounted(ranking.best[:depth])
    return _discounted(ranking.gains[:depth]) / ideal if ideal else 0.0


def precision(ranking: Judged, depth: int) -> float:
    """The share of the first `depth` places that a relevant document has."""
    return float(ranking.good[:depth].sum()) / depth


def reciprocal_rank(ranking: Judged, depth: int) -> float:
    """One over the rank of the first relevant document, 0 if none is among the first."""
    good = ranking.good[:depth]
    return 1.0 / (int(good.argmax()) + 1) if good.any() else 0.0


def recall(ranking: Judged, depth: int) -> float:
    """The share of the relevant documents that are among the first."""
    return float(ranking.good[:depth].sum()) / ranking.relevant if ranking.relevant else 0.0


def average_precision(ranking: Judged, depth: int) -> float:
    """The mean over the relevant documents of the precision at the rank of each, 0 for one not among the first."""
    places = np.flatnonzero(ranking.good[:depth])
    return float((np.arange(1, len(places) + 1) / (places + 1)).sum()) / ranking.relevant if ranking.relevant else 0.0


# The literature's names, → what measures so, how many documents count.
MEASURES: dict[str, tuple[Callable[[Judged, int], float], int]] = {
    "nDCG@10": (ndcg, 10),
    "P@1": (precision, 1),
    "MRR@10": (reciprocal_rank, 10),
    "recall@10": (recall, 10),
    "recall@100": (recall, 100),
    "MAP@100": (average_precision, 100),
}


def query_values(qrels: Qrels, run: Run, relevant: float | None = None) -> dict[str, list[float]]:
    """For each of MEASURES its value for every query of `qrels`, in that order; 0 for one without an answer.

    relevant: the least grade that makes a document relevant, by default any above 0; nDCG counts every grade above 0.
    """
    rankings = [judged(grades, run.get(query, {}), relevant) for query, grades in qrels.items()]
    return {name: [measure(own, depth) for own in rankings] for name, (measure, depth) in MEASURES.items()}


def judged(grades: Mapping[str, float], scores: Mapping[str, float], relevant: float | None = None) -> Judged:
    """The documents in the order of their scores, equals as they come, and how they were graded."""
    order = sorted(scores, key=lambda document: -scores[document])
    gains = np.array([max(0.0, grades.get(document, 0.0)) for document in order])
    all_grades = np.array(sorted((grade for grade in grades.values() if grade > 0), reverse=True))
    least = check_relevant(relevant)
    return Judged(gains, gains >= least, all_grades, int((all_grades >= least).sum()))


def check_relevant(relevant: float | None) -> float:
    """The least grade that is relevant. BadValue unless it is above 0: else what nobody judged were relevant."""
    if relevant is None:
        return float(np.nextafter(0, 1))
    if not 0 < relevant < np.inf:
        raise BadValue(f"the least relevant grade is {relevant!r}; it must be a number above 0")
    return float(relevant)


def _discounted(gains: np.ndarray) -> float:
    """The sum of gains, each over the logarithm of its rank."""
    return float((gains / np.log2(np.arange(2, len(gains) + 2))).sum())
