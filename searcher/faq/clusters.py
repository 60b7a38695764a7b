"""Questions that ask for the same, found together: what an owner reads instead of a log."""

import numpy as np

__all__ = ["NEAR", "ROUNDING", "clusters"]

NEAR = 0.6  # least cosine with the question in the middle
ROUNDING = 1e-6  # by so much less than 1 may be the cosine, in float32, of two texts that are the same


def clusters(vectors: np.ndarray, near: float = NEAR) -> list[list[int]]:
    """(n, d) unit rows -> numbers of the rows in each cluster, the middle first, the largest cluster first.

    The row with the most others near it takes them, then the one with the most of those that are left, and so on.
    """
    together = vectors @ vectors.T >= near - ROUNDING
    np.fill_diagonal(together, True)
    left = np.ones(len(vectors), dtype=bool)
    found = []
    while left.any():
        counts = np.where(left, (together & left).sum(axis=1), -1)
        middle = int(counts.argmax())
        own = np.flatnonzero(together[middle] & left)
        found.append([middle, *(int(at) for at in own if at != middle)])
        left[own] = False
    return found
