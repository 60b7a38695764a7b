"""The question's vector moved towards the passage found first: pseudo-relevance feedback."""

import numpy as np

from searcher.embedding import normalize

__all__ = ["moved"]

WEIGHT = 0.45  # of the passage, against 1 for the question


def moved(question: np.ndarray, first: np.ndarray) -> np.ndarray:
    """The unit vector between a question's and that of the best passage. (d,), (d,) unit -> (d,) float32, unit.

    Rocchio 1971 on vectors, as Li et al. 2023 (arXiv 2108.11044) apply it to dense retrieval, with one passage: it
    stays first, and what is alike rises; with more passages, a wrong one among them costs more than it gains where a
    question has one answer only.
    """
    return normalize(question + np.float32(WEIGHT) * first)
