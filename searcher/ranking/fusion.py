"""One score out of two: the cosine of a passage's vector with the question's, and the BM25 of its words."""

import numpy as np

__all__ = ["CANDIDATES", "fuse", "longer", "standardised", "wordiness"]

CANDIDATES = 100  # of each kind; among these a hybrid search chooses, and by these scores are standardised
KEYWORD = 0.9  # weight of the words where they count fully, against 1 for the cosine
FULL = 8.0  # they do in passages so many times as long as the question


def fuse(
    cosines: np.ndarray, bm25: np.ndarray, longer: float, readable: float = 1.0, among: np.ndarray | None = None
) -> np.ndarray:
    """The score of each candidate of a question: a weighted sum of both, standardised. (n,), (n,) -> (n,) float64.

    bm25: 0 for a candidate without any of the question's words. longer: how many times as long as the question the
    candidates are. readable: the share of the question's tokens that the model knows. among: (n,) bool, the candidates
    whose mean and standard deviation are taken, all by default; more candidates then change no score.

    A convex combination of standardised scores (Montague & Aslam 2001) does better than ranks (Bruch, Gai & Ingber
    2023). The weights differ from question to question: where passages are no longer than the question, as in a FAQ,
    a paraphrase shares few of its words and BM25 tells little; where the model has no tokens for the question, its
    vector tells little.
    """
    dense, words = standardised(cosines, among), standardised(bm25, among)
    return readable**2 * dense + KEYWORD * wordiness(longer) * words


def wordiness(longer: float) -> float:
    """How much single words tell, 0 … 1, in passages so many times as long as the question."""
    return min(1.0, longer / FULL)


def longer(question: str, passages: list[str]) -> float:
    """How many times as long as the question passages are, on average, in characters; 0 if there are none."""
    return sum(map(len, passages)) / len(passages) / max(1, len(question)) if passages else 0.0


def standardised(scores: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Less the mean, over the standard deviation, of those `among`; all 0 where they do not differ. (n,) -> (n,)."""
    scores = scores.astype(np.float64)
    sample = scores if among is None else scores[among]
    spread = float(np.ptp(sample)) if len(sample) else 0.0
    return (scores - sample.mean()) / sample.std() if spread else np.zeros_like(scores)
