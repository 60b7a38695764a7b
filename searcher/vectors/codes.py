"""A byte a number (FAISS's SQ8), scanned by our own kernel where that was built and the CPU has AVX-512 VNNI.

FAISS turns every code back into floats for every question. Here the question is rounded to bytes as well, which loses
as much as the codes have lost already; what is found is scored again with the stored vectors in any case.
"""

import ctypes
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searcher.system import kernel_library

__all__ = ["MOST", "Codes", "kernels"]

LIBRARY = Path(__file__).with_name("libscan.so.1")
P, I, L = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64  # noqa: E741
WIDEST = 2**31 // (255 * 127)  # numbers of a vector, whose products have to fit 32 bits
MOST = 1000  # candidates of a question: they are kept in order one by one


@cache
def kernels() -> Any:
    """The functions of scan.c, None where they were not built or the CPU has no AVX-512 VNNI."""
    library = kernel_library(LIBRARY)
    if library is None:
        return None
    library.searcher_scan.argtypes = [P, L, L, I, P, I, P, I, P, P]
    library.searcher_signs.argtypes = [P, L, L, I, P, P]
    library.searcher_sieve.argtypes = [P]
    return library if library.searcher_scan_supported() else None


class Rounded(NamedTuple):
    """Questions in bytes. weights: (q, d) int8; step, base: (q, 1) float32, by which products become scores."""

    weights: np.ndarray
    step: np.ndarray
    base: np.ndarray

    def scores(self, products: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Inner products (q, k) float32; of no place, -1, it is less than any."""
        return np.where(places < 0, -np.inf, self.base + self.step * products).astype(np.float32)


class Codes:
    """codes: (n, d) uint8, each the place of a number between `least` (d,) and `least + span` (d,), in 255 steps."""

    def __init__(self, codes: np.ndarray, least: np.ndarray, span: np.ndarray) -> None:
        self.codes, self.least, self.span = codes, least, span

    @classmethod
    def of(cls, index: Any) -> "Codes | None":
        """Those of a FAISS index, without a copy; None if it has none such, or they cannot be scanned here."""
        import faiss

        if kernels() is None or not isinstance(index, faiss.IndexScalarQuantizer):
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
        rounded = self.rounded(queries)
        products = np.empty((len(queries), k), dtype=np.int32)
        places = np.empty((len(queries), k), dtype=np.int64)
        bits = None if allowed is None else allowed.ctypes.data
        kernels().searcher_scan(
            self.codes.ctypes.data, start, stop, self.codes.shape[1], rounded.weights.ctypes.data, len(queries), bits,
            k, products.ctypes.data, places.ctypes.data,
        )  # fmt: skip
        return rounded.scores(products, places), places

    def rounded(self, queries: np.ndarray) -> Rounded:
        """Queries (q, d) float32 as the kernel takes them."""
        weights = queries * (self.span / 255)  # of a step in each number
        step = np.maximum(np.abs(weights).max(axis=1, keepdims=True) / 127, np.finfo(np.float32).tiny)
        whole = np.rint(weights / step)
        # FAISS takes the middle of a step. What rounding leaves of a weight counts as if each code were the middle one.
        base = queries @ self.least + 128 * weights.sum(axis=1) - 127.5 * (step * whole).sum(axis=1)
        return Rounded(np.ascontiguousarray(whole.astype(np.int8)), step, base[:, None])

    def doubt(self, queries: np.ndarray, error: float) -> np.ndarray:
        """How far the scores of `scan` may be from the inner products of queries (q, d) and what the codes stand for,
        none of which is farther than `error` from a vector of unit length. -> (q,) float64
        """
        rounded, steps = self.rounded(queries), np.maximum(self.span, np.finfo(np.float32).tiny) / 255
        left = queries - rounded.step * rounded.weights / steps  # of the question, once it is rounded
        left[:, self.span == 0] = 0
        middle = self.least + self.span / 2
        return np.linalg.norm(left, axis=1) * (1 + error + np.linalg.norm(middle))

    def vectors(self, places: np.ndarray) -> np.ndarray:
        """What the codes at (m,) places stand for. (m, d) float32"""
        return (self.least + self.span * ((self.codes[places] + 0.5) / 255)).astype(np.float32)
