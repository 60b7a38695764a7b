"""A byte a number (FAISS's SQ8), scanned by our own kernel where that was built and the CPU has AVX-512 VNNI.

FAISS turns every code back into floats for every question. Here the question is rounded to bytes as well, which loses
as much as the codes have lost already; what is found is scored again with the stored vectors in any case.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["MOST", "Codes", "scanner"]

LIBRARY = Path(__file__).with_name("libscan.so.1")
P, I, L = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64  # noqa: E741
WIDEST = 2**31 // (255 * 127)  # numbers of a vector, whose products have to fit 32 bits
MOST = 1000  # candidates of a question: they are kept in order one by one


@cache
def scanner() -> Any:
    """The function of scan.c, None where it was not built or the CPU has no AVX-512 VNNI."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
    library.searcher_scan.argtypes = [P, L, L, I, P, I, P, I, P, P]
    return library.searcher_scan if library.searcher_scan_supported() else None


class Codes:
    """codes: (n, d) uint8, each the place of a number between `least` (d,) and `least + span` (d,), in 255 steps."""

    def __init__(self, codes: np.ndarray, least: np.ndarray, span: np.ndarray) -> None:
        self.codes, self.least, self.span = codes, least, span

    @classmethod
    def of(cls, index: Any) -> "Codes | None":
        """Those of a FAISS index, without a copy; None if it has none such, or they cannot be scanned here."""
        import faiss

        if scanner() is None or not isinstance(index, faiss.IndexScalarQuantizer):
            return None
        if index.sq.qtype != faiss.ScalarQuantizer.QT_8bit or not index.ntotal or index.d >= WIDEST:
            return None
        codes = faiss.rev_swig_ptr(index.codes.data(), index.ntotal * index.d).reshape(index.ntotal, index.d)
        least, span = faiss.vector_to_array(index.sq.trained).reshape(2, index.d)
        return cls(codes, least, span)

    def scan(
        self, queries: np.ndarray, k: int, start: int, stop: int, allowed: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The k ≤ MOST greatest inner products of each query (q, d) float32 with codes start … stop - 1.

        allowed: (⌈n / 8⌉,) uint8, a bit a code, the lowest first. -> (q, k) float32, falling, and places int64; -1 is
        none.
        """
        weights = queries * (self.span / 255)  # of a step in each number
        step = np.maximum(np.abs(weights).max(axis=1, keepdims=True) / 127, np.finfo(np.float32).tiny)
        rounded = np.ascontiguousarray(np.rint(weights / step).astype(np.int8))
        products = np.empty((len(queries), k), dtype=np.int32)
        places = np.empty((len(queries), k), dtype=np.int64)
        bits = None if allowed is None else allowed.ctypes.data
        scanner()(
            self.codes.ctypes.data, start, stop, self.codes.shape[1], rounded.ctypes.data, len(queries), bits, k,
            products.ctypes.data, places.ctypes.data,
        )  # fmt: skip
        base = queries @ self.least + weights.sum(axis=1) / 2  # FAISS takes the middle of a step
        scores = (base[:, None] + step * products).astype(np.float32)
        return np.where(places < 0, -np.inf, scores).astype(np.float32), places
