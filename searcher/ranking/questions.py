"""Questions: what one may be, a text or a vector, in the forms that a mode needs; how many hits may be asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from numbers import Real
from typing import Any

import numpy as np

from searcher.embedding import normalize
from searcher.errors import BadValue
from searcher.plain import plain

__all__ = ["Questions", "asked_with", "check_k", "check_score", "query_texts", "query_vectors", "questions_of"]

QUERY_CHARACTERS = 1_000_000  # only the model's window of it counts; a longer one is a mistake


@dataclass(frozen=True)
class Questions:
    """Questions in the forms that their mode needs. texts: q of them; vectors: (q, d) float32 unit rows.

    readable: (q,) the share of each one's tokens that the model knows. neighbours: whether in a hybrid
    search passages speak for those that are alike.
    """

    texts: Sequence[str] | None
    vectors: np.ndarray | None
    readable: np.ndarray | None = None
    neighbours: bool = True

    def __len__(self) -> int:
        return len(self.vectors if self.texts is None else self.texts)  # type: ignore[arg-type]

    def at(self, places: Sequence[int]) -> "Questions":
        """Some of them."""
        texts = None if self.texts is None else [self.texts[place] for place in places]
        vectors, readable = (None if own is None else own[list(places)] for own in (self.vectors, self.readable))
        return Questions(texts, vectors, readable, self.neighbours)


def questions_of(query: Any) -> tuple[list[str] | np.ndarray, bool]:
    """The questions in whatever somebody calls one, texts or vectors, and whether it was one alone.

    A text is a question, and so is a list of numbers; a list, an array, a tensor or a generator of such are several. A
    generator is read once. BadValue for what is none of these.
    """
    query = plain(query) if isinstance(query, Enum) else query
    if isinstance(query, str):
        return query_texts([str(query)]), True
    if hasattr(query, "__array__"):
        array = np.asarray(query)
        if array.dtype.kind in "fiu":
            return query_vectors(array), array.ndim == 1
        if array.ndim == 0:
            return questions_of(array.item())
        query = array.tolist()
    if isinstance(query, bytes | Mapping) or not isinstance(query, Iterable):
        raise BadValue(f"the query is not a text: {query!r:.40}")
    items = list(query)
    if items and all(isinstance(item, Real) and not isinstance(item, bool) for item in items):
        return query_vectors(np.array(items, dtype=np.float64)), True
    if items and all(_is_vector(item) for item in items):
        if len(lengths := {len(item) for item in items}) > 1:
            raise BadValue(f"query vectors of unlike lengths: {', '.join(map(str, sorted(lengths)))}")
        return query_vectors(np.array([np.asarray(item, dtype=np.float64) for item in items])), False
    return query_texts(items), False


def asked_with(query: Any, vector: Any) -> tuple[list[str] | np.ndarray, np.ndarray | None, bool]:
    """Questions, the vectors (q, d) that were given for those that are texts, and whether it was one alone.

    Raises BadValue as `questions_of`, and where texts and vectors do not belong to each other.
    """
    if vector is None:
        if query is None:
            raise BadValue("the query is missing; good: a text, a vector, or both")
        queries, single = questions_of(query)
        return queries, None, single
    vectors, single = questions_of(vector)
    if isinstance(vectors, list):
        raise BadValue(f"vector is {vector!r:.40}; good: numbers, or a list of vectors")
    if query is None:
        return vectors, None, single
    texts, alone = questions_of(query)
    if isinstance(texts, np.ndarray):
        raise BadValue("the query is a vector, and vector is one too; leave one out")
    if (len(texts), alone) != (len(vectors), single):
        raise BadValue(f"{len(vectors)} vectors for {len(texts)} questions; one question takes one vector (d,)")
    return texts, vectors, single


def _is_vector(item: Any) -> bool:
    """Whether it is a sequence of numbers."""
    if hasattr(item, "__array__"):
        array = np.asarray(item)
        return array.ndim == 1 and array.dtype.kind in "fiu"
    return isinstance(item, list | tuple) and len(item) > 0 and all(isinstance(number, Real) for number in item)


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
    if isinstance(query, str | bytes) or not isinstance(query, Iterable):
        raise BadValue(f"the questions are no list of texts: {query!r:.40}")
    texts = [plain(text) if isinstance(text, Enum) else text for text in query]
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


def check_score(least: Any, name: str = "min_score") -> None:
    """BadValue unless it is a number that scores can be compared with, or None: nothing is above or below NaN."""
    if least is not None and (isinstance(least, bool) or not isinstance(least, Real) or least != least):
        raise BadValue(f"{name} is {least!r}; it must be a number")
