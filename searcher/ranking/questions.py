"""Questions: what one may be, a text or a vector, in the forms that a mode needs; how many hits may be asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from searcher.embedding import normalize
from searcher.errors import BadValue

__all__ = ["Questions", "check_k", "query_texts", "query_vectors"]

QUERY_CHARACTERS = 1_000_000  # only the model's window of it counts; a longer one is a mistake


@dataclass(frozen=True)
class Questions:
    """Questions in the forms that their mode needs. texts: q of them; vectors: (q, d) float32 unit rows.

    readable: (q,) the share of each one's tokens that the model knows. first: (q, d) float32, the vectors of the
    passages that feed back in a hybrid search, rows of 0 for none; without it the best passages by `fuse` do.
    """

    texts: Sequence[str] | None
    vectors: np.ndarray | None
    readable: np.ndarray | None = None
    first: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.vectors if self.texts is None else self.texts)  # type: ignore[arg-type]

    def at(self, places: Sequence[int]) -> "Questions":
        """Some of them."""
        texts = None if self.texts is None else [self.texts[place] for place in places]
        arrays = (None if array is None else array[list(places)] for array in (self.vectors, self.readable, self.first))
        return Questions(texts, *arrays)


def query_vectors(query: np.ndarray) -> np.ndarray:
    """Unit vectors (q, d) float32 of vectors (d,) or (q, d) of any length. BadValue for one without a direction."""
    if query.ndim not in (1, 2):
        raise BadValue(f"query vectors of shape {query.shape}; good: (d,) or (q, d)")
    vectors = np.atleast_2d(query).astype(np.float64)
    largest = np.abs(vectors).max(axis=1, initial=0, keepdims=True)
    bad = {
        "has a NaN or infinite component": ~np.isfinite(largest),
        "is all zeros, which has no direction": largest == 0,
    }
    for fault, rows in bad.items():
        if rows.any():
            which = f"query vector {rows.argmax() + 1}" if query.ndim == 2 else "the query vector"
            raise BadValue(f"{which} {fault}")
    return normalize((vectors / largest).astype(np.float32))  # no square overflows


def query_texts(query: Any) -> list[str]:
    """The questions in a list of them. BadValue for one that is empty, too long or no text."""
    if isinstance(query, bytes) or not isinstance(query, Iterable):
        raise BadValue(f"the query is not a text: {query!r:.40}")
    texts = list(query)
    for number, text in enumerate(texts, 1):
        which = f"query {number}" if len(texts) > 1 else "the query"
        if not isinstance(text, str):
            raise BadValue(f"{which} is not a text: {text!r:.40}")
        if not text.strip():
            raise BadValue(f"{which} is empty")
        if len(text) > QUERY_CHARACTERS:
            raise BadValue(f"{which} has {len(text):,} characters; at most {QUERY_CHARACTERS:,} are taken")
    return texts


def check_k(k: Any, name: str = "k") -> None:
    """BadValue unless it is a number of hits."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise BadValue(f"{name} is {k!r}; it must be a whole number of at least 1")
