"""How a FAISS index is made of stored vectors, piece by piece: trained, filled, grown; and its bytes."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from searcher.errors import BadValue
from searcher.index import Some, entered, library, parameters
from searcher.index_types import IndexType

__all__ = ["Sink", "filled", "flat_bytes", "grown", "hand_on", "trained", "write"]

BUILD_EFFORT = 80  # efConstruction of HNSW: how widely a new vector's neighbours are looked for
TRAINING = 64  # vectors drawn for each list of an inverted file; FAISS wants 39 at least
LEAST_TRAINING = 25_000  # … or for the 256 centroids of a code
WRITTEN = 1 << 20  # bytes handed on at a time

Sink = Callable[[Any], Any]  # takes bytes


def trained(kind: IndexType, count: int, dimension: int, sample: Callable[[int], np.ndarray]) -> Any:
    """An empty FAISS index for so many vectors, trained on some of them.

    sample: how many -> (m, d) float32, drawn from all of them. BadValue for a description that FAISS does not know,
    or for a type that cannot search among some of its vectors by inner product.
    """
    faiss = library()

    description = kind.factory(count, dimension)
    try:
        index = faiss.index_factory(dimension, description, faiss.METRIC_INNER_PRODUCT)
        if isinstance(index, faiss.IndexHNSW):
            index.hnsw.efConstruction = BUILD_EFFORT
        if not index.is_trained:
            inverted = faiss.try_extract_index_ivf(index)
            index.train(sample(max(LEAST_TRAINING, TRAINING * (inverted.nlist if inverted else 0))))
        _check(index, description)
    except RuntimeError as fault:
        reason = re.split(r"\.(?:cpp|h):\d+: ", " ".join(str(fault).split()))[-1]  # after FAISS's file and line
        raise BadValue(f"index type {description!r} cannot be used here: {reason}") from None
    return index


def _check(index: Any, description: str) -> None:
    """BadValue unless it finds what it is told to, and nothing else."""
    faiss = library()

    copy = faiss.clone_index(index)
    pair = np.eye(2, index.d, dtype=np.float32)
    copy.add(pair)
    _, places = copy.search(pair[:1], 2, params=parameters(copy, Some(np.array([False, True])), 1 << 20))
    if places.tolist() != [[1, -1]] or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise BadValue(f"index type {description!r} cannot search among some of its vectors by inner product")


def filled(index: Any, pieces: Iterable[np.ndarray], ids: np.ndarray) -> Any:
    """A trained FAISS index with the vectors in pieces (m, d) float32, under ids (n,) int64, rising."""
    outer = library().IndexIDMap(index)
    for piece in pieces:
        index.add(np.ascontiguousarray(piece, dtype=np.float32))
    return entered(outer, ids)


def grown(body: np.ndarray, pieces: Iterable[np.ndarray], ids: np.ndarray, kept: np.ndarray) -> Any:
    """A copy of the index in FAISS's bytes with the vectors in pieces (m, d) float32 in it too.

    ids: (n,) of all, rising: those that are in it already, and then the new ones. kept: (n,) bool, which of them are
    still there; the others stay under the negatives of their ids.
    """
    outer = library().deserialize_index(body)
    for piece in pieces:
        outer.index.add(np.ascontiguousarray(piece, dtype=np.float32))
    return entered(outer, np.where(kept, ids, -ids))


def write(index: Any, sink: Sink) -> None:
    """Hand an index's bytes to a function, a piece at a time. Raises what the function raises."""
    faiss = library()
    faults: list[BaseException] = []

    def take(piece: bytes) -> int:
        try:
            if not faults:
                sink(piece)
        except BaseException as fault:  # it would end the process on its way through FAISS
            faults.append(fault)
        return len(piece)

    faiss.write_index(index, faiss.PyCallbackIOWriter(take, WRITTEN))
    if faults:
        raise faults[0]


def hand_on(pieces: Iterable[np.ndarray], sink: Sink) -> None:
    """Hand bytes to a function, a piece at a time."""
    for piece in pieces:
        sink(piece.data)


def flat_bytes(ids: np.ndarray, pieces: Iterable[np.ndarray], dimension: int) -> Iterator[np.ndarray]:
    """FAISS's serialisation of a flat index, piece by piece: an index larger than the memory can be written.

    ids: (n,) int64, rising. pieces: arrays (m, d) float32, together n rows. FAISS's faiss/impl/index_write.cpp: an
    index is a header, which holds the number of vectors, then their floats after how many these are; the map of ids
    has a header of its own before, and the ids after how many these are.
    """
    faiss = library()

    # What FAISS writes of one vector of zeros under id 0 is all zeros from the floats on, and their number before.
    one = filled(faiss.IndexFlatIP(dimension), [np.zeros((1, dimension), np.float32)], np.zeros(1, np.int64))
    small = np.asarray(faiss.serialize_index(one))
    header = bytearray(small[: len(small) - 4 * dimension - 24].tobytes())
    inner = bytes(header).index(b"IxFI")
    for start in (0, inner):  # four letters, dimension as int32, then the number of vectors
        header[start + 8 : start + 16] = len(ids).to_bytes(8, "little")
    yield np.frombuffer(bytes(header) + (len(ids) * dimension).to_bytes(8, "little"), np.uint8)
    for piece in pieces:
        yield np.ascontiguousarray(piece, "<f4").view(np.uint8).reshape(-1)
    yield np.frombuffer(len(ids).to_bytes(8, "little"), np.uint8)
    yield np.ascontiguousarray(ids, "<i8").view(np.uint8)
