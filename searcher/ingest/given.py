"""Vectors that a caller gives: read from whatever holds them, checked, and made into documents ready to be written."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from searcher.errors import BadValue
from searcher.plain import plain
from searcher.records import Chunk, Document, Prepared

__all__ = ["prepared", "vectors_of"]

EXACT = 1e-6  # a vector whose length is so near to 1 is kept as it stands: float32 can be no nearer


def vectors_of(given: Any, count: int) -> list[np.ndarray | None]:
    """A vector (d,) float32, all of one length, or None, for each of n texts.

    given: an array or a tensor (n, d), or a list of vectors and Nones. BadValue for another number of them, unlike
    lengths, and for what is not finite, in float32 too.
    """
    if hasattr(given, "__array__"):
        array = np.asarray(given)
        if array.dtype.kind in "fiu" and array.ndim != 2:
            raise BadValue(f"vectors of shape {array.shape}; good: ({count}, d), a row for each text")
        given = array if array.dtype.kind in "fiu" else array.tolist()
    if isinstance(given, str | bytes) or not hasattr(given, "__iter__"):
        raise BadValue(f"vectors is {given!r:.40}; good: an array (n, d), or a list of vectors and Nones")
    rows = given if isinstance(given, np.ndarray) else list(given)
    if len(rows) != count:
        raise BadValue(f"{len(rows)} vectors for {count} texts")
    vectors = [None if row is None else _vector(row, number) for number, row in enumerate(rows, 1)]
    lengths = sorted({len(vector) for vector in vectors if vector is not None})
    if len(lengths) > 1:
        raise BadValue(f"vectors of unlike lengths: {', '.join(map(str, lengths))}")
    return vectors


def _vector(row: Any, number: int) -> np.ndarray:
    try:
        array = np.asarray(plain(row))
    except ValueError:  # a list in a list
        array = np.empty(0, object)
    if array.dtype.kind not in "fiu" or array.ndim != 1 or not len(array):
        raise BadValue(f"vector {number} is {row!r:.40}; good: a list of numbers, or None")
    with np.errstate(over="ignore"):
        vector = array.astype("<f4")
    if not np.isfinite(vector).all():
        raise BadValue(f"vector {number} has a NaN or infinite component")
    return vector


def prepared(documents: Sequence[Document], dimension: int) -> list[Prepared]:
    """Documents as they are written with the vectors that they have: one passage each, none for an empty one without.

    BadValue for a vector of another length than the dimension.
    """
    items = []
    for document in documents:
        vector = document.vector
        if vector is not None and len(vector) != dimension:
            raise BadValue(
                f"{document.source}: a vector of {len(vector)} numbers; those of this index have {dimension}"
            )
        chunks = [Chunk(0, len(document.text), (), 0)] if vector is not None or document.text.strip() else []
        unit = np.zeros((len(chunks), dimension), np.float32)
        if vector is not None:
            unit[0] = unit_of(vector)
        items.append(Prepared(document, document.digest(), None, chunks, unit, [vector] * len(chunks)))
    return items


def unit_of(vector: np.ndarray) -> np.ndarray:
    """A vector (d,) float32 over its length; one of zeros stays it."""
    exact = vector.astype(np.float64)
    length = float(np.sqrt((exact * exact).sum()))
    if not length:
        return np.zeros_like(vector)  # of which a zero may have had a sign
    return vector if abs(length - 1) <= EXACT else (exact / length).astype(np.float32)
