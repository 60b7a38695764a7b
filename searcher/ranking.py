"""Query vectors → hits: what a query may be, and the nearest passages with scores from the stored vectors."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from searcher.errors import BadValue
from searcher.pooling import normalize
from searcher.schema import Row
from searcher.snapshots import Snapshots

__all__ = ["Hit", "check_k", "cosine", "nearest", "query_texts", "query_vectors"]

Hit = tuple[float, Row]  # score and passage

QUERY_CHARACTERS = 1_000_000  # only the model's window of it counts; a longer one is a mistake


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


def cosine(row: Row, vector: np.ndarray) -> float:
    """Of a passage's stored vector and a unit vector (d,)."""
    # Not for many at once: a matrix product may round equal rows differently.
    return float(np.clip(np.dot(row.vector, vector), -1, 1))


def nearest(snapshots: Snapshots, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None) -> list[list[Hit]]:
    """The k hits of each query (q, d) by cosine, best first, equals in the order of their ids. Call inside `reading`.

    Scores are made from the stored vectors: a damaged FAISS index could miss a passage, never misjudge one.
    """
    check_k(k)
    snapshot = snapshots.current()
    if snapshot is None:
        return [[] for _ in vectors]
    found = snapshot.search(vectors, int(k), allowed)
    rows = snapshots.store.rows(sorted({int(number) for number in found.ravel() if number >= 0}))
    ranked = []
    for vector, ids in zip(vectors, found, strict=True):
        hits = [(cosine(rows[number], vector), rows[number]) for number in ids.tolist() if number in rows]
        ranked.append(sorted(hits, key=lambda hit: (-hit[0], hit[1].passage_id))[:k])
    return ranked
