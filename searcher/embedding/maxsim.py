"""MaxSim: how alike a question and a text are token by token, where rare tokens count more."""

import numpy as np

__all__ = ["maxsim", "rarity"]


def maxsim(likeness: np.ndarray, weights: np.ndarray) -> float:
    """Each token of the question takes the text's token most like it; their weighted mean.

    likeness: (t, m) cosines of the text's tokens with the question's; weights: (m,), positive. Khattab & Zaharia 2020
    (ColBERT), §3.3, with the token vectors of a model that was not trained for it.
    """
    return float(likeness.max(axis=0) @ weights / weights.sum())


def rarity(present: np.ndarray) -> np.ndarray:
    """How rare tokens are among some texts, positive: (texts, m) bool, whether each holds it -> (m,) float64.

    Their inverse document frequency (Spärck Jones 1972), smoothed.
    """
    return np.log((len(present) + 1) / (present.sum(axis=0) + 0.5))
