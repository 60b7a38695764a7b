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
BEFORE, GAP = 5, 0.1  # how far the nearest is before the fifth: the third and the tenth do as well
GUESS, FLAT = 0.5, 0.5  # a candidate counts e^(FLAT · (cosine + GUESS · words)) in the crowd; FLAT .25 does as well
OTHERS = 0.2  # of the crowd at least so much is taken to be others, for a passage that is nearly all of it

COLUMNS = ("cosine", "words", "words brief", "words led", "rare", "rare led", "near", "near cosine", "crowd")


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
    """The n candidates of a question, in the order of COLUMNS. -> (n, 9) float64.

    neighbours: False for what each passage has by itself alone.

    - cosine: above the mean, in the same unit for every question: where all are alike near, they decide little.
    - words: BM25 less its mean, over its deviation (Montague & Aslam 2001): one passage that stands out decides much.
    - words brief, words led: the words once more, as far as passages are shorter than most (a paraphrase shares few of
      a line's words), and as far as the nearest is nearer to the question than passages are to one another, which shows
      a model that knows its way (query performance prediction: Shtok et al. 2012, Cronen-Townsend et al. 2002).
    - rare, rare led: a word that hardly any passage holds, a name, a code, an error's number (Spärck Jones 1972); once
      more, as far as the nearest is before those that follow, who know the answer better than a word does.
    - near, near cosine: the words and the cosines of the passages most alike (Diaz 2005; Kurland & Lee 2004).
    - crowd: how alike a passage is to all that was found, the likelier ones the more. It tells against it: what is near
      to everything answers nothing in particular (hubs: Radovanović et al. 2010; the negative part of Rocchio 1971).
    """
    seen, known = given.among, given.readable**2
    if not seen.any():
        return np.zeros((len(given.cosines), len(COLUMNS)))
    cosine = known * _above(given.cosines, seen)
    words = standardised(given.bm25, seen)
    brief = float(np.clip(np.log((given.lengths[seen].mean() + 1) / BRIEF) / np.log(FOLD), -1, 0))
    likeness = _likeness(given)
    (near, near_cosine), alike = _neighbours(likeness, seen, words, cosine)
    led = known * float(np.clip((given.cosines[seen].max() - alike - LEAD) / LEADS, -MOST, MOST))
    crowd = _above(_crowd(likeness, seen, cosine + GUESS * words), seen)
    rare = np.maximum(given.rarest.astype(np.float64) - RARE, 0)
    before = known * float(np.clip(_before(given.cosines[seen]) / GAP - 1, -1, 1))
    others = [known * near, near_cosine, known * crowd] if neighbours else [np.zeros(len(rare))] * 3
    return np.stack([cosine, words, brief * words, led * words, rare, before * rare, *others], axis=1)


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


def _before(cosines: np.ndarray) -> float:
    """How far the nearest is before the passage at place BEFORE, or the last."""
    first = -np.sort(-cosines.astype(np.float64))[:BEFORE]
    return float(first[0] - first[-1])


def _likeness(given: Evidence) -> np.ndarray:
    """Cosines of each of n candidates with the m others `among`, -inf with itself. -> (n, m) float64.

    Rounded, so that neither equals nor the number of candidates decide by the last bit.
    """
    exact = given.vectors.astype(np.float64)
    places = np.flatnonzero(given.among)
    likeness = np.round(exact @ exact[places].T, 9)
    likeness[places, np.arange(len(places))] = -np.inf
    return likeness


def _neighbours(likeness: np.ndarray, among: np.ndarray, *told: np.ndarray) -> tuple[list[np.ndarray], float]:
    """What each candidate's nearest others have of each of `told` (n,), and how alike candidates are to theirs."""
    count = min(NEIGHBOURS, likeness.shape[1] - 1)
    if count < 1:
        return [np.zeros(len(likeness)) for _ in told], 0.0
    nearest, left = np.empty((len(likeness), count), np.int64), likeness.copy()
    for place in range(count):  # quicker than to sort them all; of equals the first
        nearest[:, place] = left.argmax(axis=1)
        left[np.arange(len(left)), nearest[:, place]] = -np.inf
    cosines = np.take_along_axis(likeness, nearest, axis=1)
    voices = np.maximum(cosines, 0) ** POWER
    total = voices.sum(axis=1)
    voices /= np.where(total > 0, total, 1)[:, None]
    return [(voices * own[among][nearest]).sum(axis=1) for own in told], float(cosines[among].mean())


def _crowd(likeness: np.ndarray, among: np.ndarray, first: np.ndarray) -> np.ndarray:
    """How alike each candidate is to the others `among`, which count by a first guess (n,) at the scores. -> (n,).

    Rounded, as likeness is: passages that are the same are as much in the crowd to the last bit.
    """
    counted = np.exp(FLAT * (first[among] - first[among].max()))
    counted /= counted.sum()
    other = np.isfinite(likeness)
    return np.round(np.where(other, likeness, 0) @ counted / np.maximum(other @ counted, OTHERS), 9)
