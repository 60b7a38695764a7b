"""Vectors as they are, scanned for a question or a few by our own kernel where that was built and the CPU has AVX2.

FAISS takes twice as long for a question, five times as long for 64; only its matrix products for hundreds are faster.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from searcher.system import kernel_library

__all__ = ["kernel", "scan"]

LIBRARY = Path(__file__).with_name("libfloats.so.1")
P, I, L = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64  # noqa: E741


@cache
def kernel() -> Any:
    """The function of floats.c, None where it was not built or the CPU has no AVX2."""
    library = kernel_library(LIBRARY)
    if library is None:
        return None
    library.searcher_floats.argtypes = [P, L, L, I, P, I, P, I, P, P]
    return library.searcher_floats if library.searcher_floats_supported() else None


def scan(
    vectors: np.ndarray, queries: np.ndarray, k: int, start: int, stop: int, allowed: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The k greatest inner products of each query (q, d) with vectors start … stop - 1 of (n, d), both float32 in rows.

    allowed: as in `Codes.scan`, and what is returned: (q, k) float32, falling, and places int64; -1 is none.
    """
    ordered = np.empty((len(queries), k), dtype=np.int32)
    places = np.empty((len(queries), k), dtype=np.int64)
    bits = None if allowed is None else allowed.ctypes.data
    kernel()(
        vectors.ctypes.data, start, stop, vectors.shape[1], queries.ctypes.data, len(queries), bits, k,
        ordered.ctypes.data, places.ctypes.data,
    )  # fmt: skip
    scores = (ordered ^ (ordered >> 31 & np.iinfo(np.int32).max)).view(np.float32)
    return np.where(places < 0, np.float32(-np.inf), scores), places
