"""Which sequences go through the encoder together: like lengths, at most so many tokens."""

from collections.abc import Iterator

import numpy as np

__all__ = ["by_token_budget"]


def by_token_budget(lengths: np.ndarray, budget: int) -> Iterator[np.ndarray]:
    """Indices in batches whose padded size, the number of sequences times the longest, is at most `budget`.

    lengths: (n,) int64. Longest first, so that the largest batch comes first and memory only falls.

    >>> [batch.tolist() for batch in by_token_budget(np.array([3, 9, 4, 2]), budget=9)]
    [[1], [2, 0], [3]]
    """
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        longest = max(1, int(lengths[order[first]]))
        last = first + max(1, budget // longest)
        yield order[first:last]
        first = last
