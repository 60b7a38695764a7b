"""Scores drawn towards those of the passages most alike: what answers a question seldom stands alone."""

import numpy as np

__all__ = ["smoothed"]

NEIGHBOURS = 5
WEIGHT = 2.0  # of a neighbour that is equal, against 1 for the passage itself
POWER = 6  # of the cosine: one that is little alike says next to nothing


def smoothed(
    scores: np.ndarray, vectors: np.ndarray, readable: float = 1.0, among: np.ndarray | None = None
) -> np.ndarray:
    """Each score averaged with those of the nearest other candidates. (n,), (n, d) unit -> (n,) float64.

    readable, among: as in `fuse`; the neighbours are `among` the candidates, so that more of these change no score, and
    where the model has no tokens for the question, its vectors are taken to tell little of the passages either.

    Diaz 2005 (Regularizing ad hoc retrieval scores, CIKM) by one step of kernel regression (Nadaraya 1964).
    """
    places = np.arange(len(scores)) if among is None else np.flatnonzero(among)
    count = min(NEIGHBOURS, len(places) - 1)
    if count < 1:
        return scores.astype(np.float64)
    exact = vectors.astype(np.float64)
    # Rounded, so that neither equals nor the number of candidates decide by the last bit.
    likeness = np.round(exact @ exact[places].T, 9)
    likeness[places, np.arange(len(places))] = -np.inf
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    cosines = np.maximum(np.take_along_axis(likeness, nearest, axis=1), 0)
    weights = WEIGHT * readable**2 * cosines**POWER
    return (scores + (weights * scores[places][nearest]).sum(axis=1)) / (1 + weights.sum(axis=1))
