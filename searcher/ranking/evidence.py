"""What tells for a passage that may answer a question: columns of numbers, of which `fuse` makes one score."""

from dataclasses import dataclass

import numpy as np

__all__ = ["COLUMNS", "Evidence", "columns", "standardised"]

SPREAD = 0.115  # the usual standard deviation of the cosines of a question's candidates
RARE = 5.0  # a word weighs so much, in nats, that less than one passage in 150 holds
NEIGHBOURS, POWER = 5, 6  # how many passages alike speak for one, and how fast their voice falls with the cosine
BRIEF, FOLD = 90, 3.2  # characters: below that words tell less, in passages 3.2 times as short by a unit, the most
LEAD, LEADS = 0.06, 0.18  # mean and standard deviation, over the questions of benchmarks/quality.py, of what `led` is
MOST = 2.0  # standard deviations: no lead counts for more

COLUMNS = ("cosine", "words", "words brief", "words led", "near", "rare")


@dataclass(frozen=True)
class Evidence:
    """What is known of a question's n candidates.

    cosines: (n,) with the question. bm25: (n,), 0 without a word of it. rarest: (n,), how much the rarest of the
    question's words that each holds weighs in the index, in nats; 0 without. vectors: (n, d) of unit length. lengths:
    (n,) characters. readable: the share of the question's tokens that the model knows. among: (n,) bool, the candidates
    that means, deviations and neighbours are taken of: more candidates then change no score.
    """

    cosines: np.ndarray
    bm25: np.ndarray
    rarest: np.ndarray
    vectors: np.ndarray
    lengths: np.ndarray
    readable: float
    among: np.ndarray


def columns(given: Evidence, neighbours: bool = True) -> np.ndarray:
    """The n candidates of a question, in the order of COLUMNS. -> (n, 6) float64.

    neighbours: False for what each passage has by itself alone.

    - cosine: above the mean, in the same unit for every question: where all are alike near, they decide little.
    - words: BM25 less its mean, over its deviation (Montague & Aslam 2001): one passage that stands out decides much.
    - words brief, words led: the words once more, as far as passages are shorter than most (a paraphrase shares few of
      a line's words), and as far as the nearest is nearer to the question than passages are to one another, which shows
      a model that knows its way (query performance prediction: Shtok et al. 2012, Cronen-Townsend et al. 2002).
    - near: the words of the passages most alike (Diaz 2005; Kurland & Lee 2004).
    - rare: a word that hardly any passage holds, a name, a code, an error's number (Spärck Jones 1972).
    """
    seen, known = given.among, given.readable**2
    if not seen.any():
        return np.zeros((len(given.cosines), len(COLUMNS)))
    cosine = known * _above(given.cosines, seen)
    words = standardised(given.bm25, seen)
    brief = float(np.clip(np.log((given.lengths[seen].mean() + 1) / BRIEF) / np.log(FOLD), -1, 0))
    near, likeness = _neighbours(given, words)
    led = known * float(np.clip((given.cosines[seen].max() - likeness - LEAD) / LEADS, -MOST, MOST))
    near = near * (known if neighbours else 0.0)
    rare = np.maximum(given.rarest.astype(np.float64) - RARE, 0)
    return np.stack([cosine, words, brief * words, led * words, near, rare], axis=1)


def standardised(scores: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
    """Less the mean, over the standard deviation, of those `among`; all 0 where they do not differ. (n,) -> (n,)."""
    scores = scores.astype(np.float64)
    sample = scores if among is None else scores[among]
    spread = float(np.ptp(sample)) if len(sample) else 0.0
    return (scores - sample.mean()) / sample.std() if spread else np.zeros_like(scores)


def _above(cosines: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Cosines above their mean, in units of SPREAD."""
    cosines = cosines.astype(np.float64)
    return (cosines - cosines[among].mean()) / SPREAD


def _neighbours(given: Evidence, words: np.ndarray) -> tuple[np.ndarray, float]:
    """The words of each candidate's nearest others (n,), and how alike candidates are to theirs on average."""
    places = np.flatnonzero(given.among)
    count = min(NEIGHBOURS, len(places) - 1)
    if count < 1:
        return np.zeros(len(words)), 0.0
    exact = given.vectors.astype(np.float64)
    # Rounded, so that neither equals nor the number of candidates decide by the last bit.
    likeness = np.round(exact @ exact[places].T, 9)
    likeness[places, np.arange(len(places))] = -np.inf
    nearest = np.argsort(-likeness, axis=1, kind="stable")[:, :count]
    cosines = np.take_along_axis(likeness, nearest, axis=1)
    voices = np.maximum(cosines, 0) ** POWER
    total = voices.sum(axis=1)
    said = (voices * words[places][nearest]).sum(axis=1) / np.where(total > 0, total, 1)
    return said, float(cosines[places].mean())
