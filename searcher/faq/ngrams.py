"""How alike texts are in spelling: character n-grams, which a slip of the keyboard leaves mostly as they were."""

import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from searcher.text import spelled_once

__all__ = ["LENGTHS", "likeness"]

LENGTHS = (2, 3, 4)  # characters


def likeness(texts: Sequence[str]) -> np.ndarray:
    """Cosine of the texts' n-grams of 2 to 4 characters, log(1 + count) times log(1 + texts / texts with it) each.

    n texts -> (n, n) float32, 0 … 1. Case and the width of white space do not count. Salton & Buckley 1988.
    """
    counted = [_counted(text) for text in texts]
    grams = np.concatenate([found for found, _ in counted])
    rows = np.repeat(np.arange(len(texts)), [len(found) for found, _ in counted])
    _, columns, spread = np.unique(grams, return_inverse=True, return_counts=True)
    matrix = np.zeros((len(texts), len(spread)), dtype=np.float32)
    matrix[rows, columns] = np.concatenate([weights for _, weights in counted])
    matrix *= np.log1p(len(texts) / spread)
    matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    return matrix @ matrix.T


@lru_cache(maxsize=10_000)
def _counted(text: str) -> tuple[np.ndarray, np.ndarray]:
    """The different n-grams of a text, a number for each, and log(1 + count)."""
    line = f" {' '.join(spelled_once(text).lower().split())} "
    counts = Counter(line[at : at + length] for length in LENGTHS for at in range(len(line) - length + 1))
    numbers = np.fromiter((zlib.crc32(gram.encode()) for gram in counts), dtype=np.uint32, count=len(counts))
    return numbers, np.log1p(np.fromiter(counts.values(), dtype=np.float32, count=len(counts)))
