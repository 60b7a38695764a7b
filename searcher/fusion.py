"""One score out of two: the cosine of a passage's vector with the question's, and the BM25 of its words."""

import numpy as np

__all__ = ["CANDIDATES", "fuse"]

CANDIDATES = 100  # of each kind, at least, among which a hybrid search chooses
DENSE = 0.7  # the weight of the cosine


def fuse(cosines: np.ndarray, bm25: np.ndarray) -> np.ndarray:
    """Weighted sum of the standardised scores of a question's candidates. (n,), (n,) -> (n,) float64.

    bm25: 0 for a candidate without any of the question's words.
    """
    return DENSE * _standardised(cosines) + (1 - DENSE) * _standardised(bm25)


def _standardised(scores: np.ndarray) -> np.ndarray:
    """Mean 0 and standard deviation 1; all 0 where there is no deviation."""
    centred = scores.astype(np.float64) - scores.mean(dtype=np.float64)
    return np.asarray(centred / (centred.std() or 1))
