"""Vectors → nearest ids: FAISS, and its cache file, which may be deleted at any time without losing anything."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from searcher.errors import BadValue

__all__ = ["CACHE", "Stamp", "VectorIndex"]

CACHE = "vectors.faiss"
# A cache file: FAISS's own format; our stamp as JSON; its length, 8 bytes; a checksum of all that; MAGIC.
MAGIC = b"searcher-cache-1"
DIGEST = 16  # bytes of the checksum
TAIL = 4096  # bytes in which all that follows the FAISS index has room


@cache
def library() -> Any:
    """FAISS, loaded when first needed."""
    import faiss

    # OpenMP's threads do not live through a fork: a child that waits for them hangs.
    os.register_at_fork(after_in_child=lambda: faiss.omp_set_num_threads(1))
    return faiss


@dataclass(frozen=True)
class Stamp:
    """Which state of the store a cache file holds; it is used only if all of it matches."""

    generation: int
    nonce: str
    count: int
    dimension: int
    fingerprint: str
    metric: str = "inner product"
    type: str = "flat"


class VectorIndex:
    """An exact FAISS index of unit vectors under our ids; never changed after it was made, so any thread may search."""

    def __init__(self, index: Any) -> None:
        faiss = library()

        self.index = index
        self.ids: np.ndarray = faiss.vector_to_array(index.id_map)  # (n,) int64, rising

    @classmethod
    def build(cls, ids: np.ndarray, vectors: np.ndarray) -> "VectorIndex":
        """ids: (n,) int64, rising. vectors: (n, d) float32 unit rows."""
        faiss = library()

        index = faiss.index_factory(vectors.shape[1], "IDMap,Flat", faiss.METRIC_INNER_PRODUCT)
        index.add_with_ids(np.ascontiguousarray(vectors), ids)
        return cls(index)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.index.d)

    @property
    def vectors(self) -> np.ndarray:
        """The vectors themselves, in the order of `ids`. (n, d) float32, a view."""
        faiss = library()

        flat = faiss.downcast_index(self.index.index)
        return faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> np.ndarray:
        """The k nearest ids of each query by inner product. (q, d) float32 -> (q, at most k) int64.

        allowed: (m,) ids, rising, out of which the answers come; all min(k, m) of them are found.
        Raises BadValue for another dimension or a query with NaN or infinity (FAISS itself would only assert).
        """
        faiss = library()

        if queries.ndim != 2 or queries.shape[1] != self.dimension:
            raise BadValue(f"query vectors of shape {queries.shape}; the index has vectors of {self.dimension}")
        if not np.isfinite(queries).all():
            raise BadValue("a query vector has a NaN or infinite component")
        k = min(k, len(self.ids) if allowed is None else len(allowed))  # a k of 10**9 would abort the process
        if k <= 0 or not len(queries):
            return np.empty((len(queries), 0), dtype=np.int64)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if allowed is None:
            _, ids = self.index.search(queries, k)
        else:
            selector = faiss.IDSelectorBatch(allowed)
            _, ids = self.index.search(queries, k, params=faiss.SearchParameters(sel=selector))
        return np.asarray(ids)

    def save(self, path: Path, stamp: Stamp) -> None:
        """Write the cache file whole or not at all: FAISS's own format, then our stamp and a checksum of both."""
        import xxhash

        faiss = library()

        body = faiss.serialize_index(self.index)  # write_index says nothing when the disk is full
        note = json.dumps(asdict(stamp)).encode()
        tail = note + len(note).to_bytes(8, "little")
        digest = xxhash.xxh3_128(body.data)
        digest.update(tail)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                for part in (body.data, tail, digest.digest(), MAGIC):
                    stream.write(part)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        finally:
            temporary.unlink(missing_ok=True)

    @staticmethod
    def stamped(path: Path, stamp: Stamp) -> bool:
        """Whether a cache file says that it holds that state; what it holds is not looked at."""
        try:
            with path.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                stream.seek(max(0, size - TAIL))
                return _note(stream.read())[0] == asdict(stamp)
        except OSError:
            return False

    @classmethod
    def load(cls, path: Path, stamp: Stamp) -> "VectorIndex | None":
        """The index in a cache file, None if there is none of that very state, or it is damaged."""
        import xxhash

        faiss = library()

        try:
            data = np.fromfile(path, dtype=np.uint8)
        except OSError:
            return None
        note, end = _note(data[-TAIL:].tobytes())
        if note != asdict(stamp):
            return None
        signed = len(data) - len(MAGIC) - DIGEST
        if xxhash.xxh3_128(data[:signed].data).digest() != data[signed : signed + DIGEST].tobytes():
            return None
        return cls(faiss.deserialize_index(data[: len(data) - end]))


def _note(tail: bytes) -> tuple[Any, int]:
    """The stamp at the end of a cache file, and how many bytes follow the FAISS index; (None, 0) if there is none."""
    end = len(tail) - len(MAGIC) - DIGEST
    size = int.from_bytes(tail[max(0, end - 8) : end], "little") if end >= 8 else 0
    if not 0 < size <= end - 8 or not tail.endswith(MAGIC):
        return None, 0
    try:
        return json.loads(tail[end - 8 - size : end - 8]), len(tail) - (end - 8 - size)
    except ValueError:
        return None, 0
