"""Questions by their words: which of them count, the best passages by BM25 (Robertson & Zaragoza 2009)."""

from collections.abc import Mapping, Sequence
from typing import Protocol
from unicodedata import category

import numpy as np

from searcher.postings import weight
from searcher.store import asked

__all__ = ["Holding", "Scored", "best_by_words", "rarest", "terms"]

COMMON = 150  # a word that more than one in so many passages holds is not rare

Scored = list[tuple[int, float]]  # ids of passages and their BM25, best first, equals by id


class Counted(Protocol):
    """How many hold the words of one question, and whether some do."""

    @property
    def passages(self) -> int:
        """How many there are."""

    def held(self, word: str) -> int:
        """How many passages hold a word."""

    def holds(self, word: str, ids: np.ndarray, most: int) -> tuple[int, np.ndarray]:
        """How many passages hold a word, at most one above the most, and which of some do: (n,) bool."""


class Holding(Counted, Protocol):
    """Who holds the words of one question, in one state of the store."""

    def best(self, held: Mapping[str, int], k: int, allowed: np.ndarray | None, others: Sequence[int]) -> Scored:
        """The best passages for words, of those allowed, and others. held: word → how many hold it."""


def terms(question: str) -> list[str]:
    """The different words of a question, as they are looked for, in their order; pairs where there are no spaces.

    A word with a star is every word that begins so.

    >>> terms('What is "BM25", what NOT* or 2 * 3? 首都')
    ['What', 'is', 'BM25', 'NOT*', 'or', '2', '3', '首都']
    """
    # Letters, digits and marks: every other character is a space to FTS5. It folds their case: ß is not ss to it.
    spaces = "".join(c if c.isalnum() or c == "*" or category(c)[0] == "M" else " " for c in asked(question))
    words: dict[str, str] = {}
    for run in spaces.split():
        for word in run.replace("*", "* ").split():
            if word != "*":
                words.setdefault(word.casefold(), word)
    return list(words.values())


def best_by_words(
    holding: Holding, words: Sequence[str], k: int, allowed: np.ndarray | None = None, others: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """The k passages with the highest BM25 for any of a question's words; and those of others that hold one.

    -> ids (n,) int64, scores (n,) float32, positive, best first, equals by id: the first k, if so many hold a word, are
    the k best of all. allowed: (m,) ids out of which the answers come; the weights of the words are those of the whole
    index.
    """
    held = {word: holding.held(word) for word in words}
    # To FTS5 the words that half of the passages hold weigh 1e-6, and most time would go into them.
    telling = {word: count for word, count in held.items() if 2 * count < holding.passages} or held
    rows = holding.best(telling, k, allowed, others) if telling else []
    if len(rows) < k and len(telling) < len(held):
        rows = holding.best(held, k, allowed, others)
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float32)


def rarest(holding: Counted, words: Sequence[str], ids: np.ndarray) -> np.ndarray:
    """The weight, in nats, of the rarest word of a question that each of some passages holds; 0 for common words alone.

    ids: (n,) int64, rising -> (n,) float32.
    """
    weights, most = np.zeros(len(ids), np.float32), holding.passages // COMMON
    for word in words if most else []:
        count, held = holding.holds(word, ids, most)
        if 0 < count <= most:
            weights[held] = np.maximum(weights[held], weight(holding.passages, count))
    return weights
