"""Vectors → nearest ids: FAISS, under our ids; what the index was made of never changes."""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np

__all__ = ["FLAT", "VectorIndex", "flat_bytes"]

FLAT = "flat"


@cache
def library() -> Any:
    """FAISS, loaded when first needed."""
    import faiss

    # OpenMP's threads do not live through a fork: a child that waits for them hangs.
    os.register_at_fork(after_in_child=lambda: faiss.omp_set_num_threads(1))
    return faiss


class VectorIndex:
    """An exact FAISS index of unit vectors under our ids; never changed after it was made, so any thread may search."""

    def __init__(self, index: Any, body: np.ndarray | None = None) -> None:
        faiss = library()

        self._index, self._body = index, body  # FAISS reads where the body lies
        self._flat = faiss.downcast_index(index.index)
        self.ids: np.ndarray = faiss.vector_to_array(index.id_map)  # (n,) int64, rising

    @classmethod
    def build(cls, ids: np.ndarray, vectors: np.ndarray) -> "VectorIndex":
        """In memory. ids: (n,) int64, rising. vectors: (n, d) float32 unit rows."""
        return cls(_flat(ids, vectors))

    @classmethod
    def read(cls, body: np.ndarray) -> "VectorIndex":
        """The index in FAISS's own bytes, without a copy. body: (n,) uint8, verified: FAISS trusts what it parses."""
        faiss = library()

        return cls(faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(body), len(body))), body)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def vectors(self) -> np.ndarray:
        """The vectors themselves, in the order of `ids`. (n, d) float32, a view."""
        faiss = library()

        flat = self._flat
        return np.asarray(faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d))

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> np.ndarray:
        """The k nearest ids of each query by inner product. (q, d) float32 -> (q, at most k) int64.

        allowed: (n,) bool, those out of which the answers come; all of them are found where they are fewer than k.
        """
        faiss = library()

        count = len(self.ids) if allowed is None else int(allowed.sum())
        k = min(k, count)  # a k of 10**9 would abort the process
        if k <= 0 or not len(queries):
            return np.empty((len(queries), 0), dtype=np.int64)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if allowed is None:
            _, places = self._flat.search(queries, k)
        else:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            _, places = self._flat.search(queries, k, params=faiss.SearchParameters(sel=selector))
        return self.ids[places]


def flat_bytes(ids: np.ndarray, pieces: Iterable[np.ndarray], dimension: int) -> Iterator[np.ndarray]:
    """FAISS's serialisation of a flat index, piece by piece: an index larger than the memory can be written.

    ids: (n,) int64, rising. pieces: arrays (m, d) float32, together n rows. FAISS's faiss/impl/index_write.cpp: an
    index is a header, which holds the number of vectors, then their floats after how many these are; the map of ids
    has a header of its own before, and the ids after how many these are.
    """
    faiss = library()

    # What FAISS writes of one vector of zeros under id 0 is all zeros from the floats on, and their number before.
    small = np.asarray(faiss.serialize_index(_flat(np.zeros(1, np.int64), np.zeros((1, dimension), np.float32))))
    header = bytearray(small[: len(small) - 4 * dimension - 24].tobytes())
    inner = bytes(header).index(b"IxFI")
    for start in (0, inner):  # four letters, dimension as int32, then the number of vectors
        header[start + 8 : start + 16] = len(ids).to_bytes(8, "little")
    yield np.frombuffer(bytes(header) + (len(ids) * dimension).to_bytes(8, "little"), np.uint8)
    for piece in pieces:
        yield np.ascontiguousarray(piece, "<f4").view(np.uint8).reshape(-1)
    yield np.frombuffer(len(ids).to_bytes(8, "little"), np.uint8)
    yield np.ascontiguousarray(ids, "<i8").view(np.uint8)


def _flat(ids: np.ndarray, vectors: np.ndarray) -> Any:
    faiss = library()

    index = faiss.index_factory(vectors.shape[1], "IDMap,Flat", faiss.METRIC_INNER_PRODUCT)
    index.add_with_ids(np.ascontiguousarray(vectors), ids)
    return index
