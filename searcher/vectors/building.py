"""How a FAISS index is made of stored vectors, piece by piece: trained, filled, grown; and its bytes."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from searcher.errors import BadValue
from searcher.vectors.index import Some, entered, library, parameters
from searcher.vectors.types import IndexType

__all__ = ["Content", "content", "fitted", "grown", "trained"]

BUILD_EFFORT = 80  # efConstruction of HNSW: how widely a new vector's neighbours are looked for
TRAINING = 64  # vectors drawn for each list of an inverted file; FAISS wants 39 at least
LEAST_TRAINING = 25_000  # … or for the 256 centroids of a code
WRITTEN = 1 << 20  # bytes handed on at a time
COPIED = 1 << 14  # codes
BEFORE_REASON = re.compile(r"\.(?:cpp|h):\d+: |Error: '.*' failed: ")  # FAISS's file and line, and its condition

Sink = Callable[[Any], Any]  # takes bytes
# Hands on the bytes of an index, a piece at a time, and returns how far a vector may lie from what is kept of it, None
# if that was not measured; raises what the sink raises.
Content = Callable[[Sink], float | None]


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
        reason = BEFORE_REASON.split(" ".join(str(fault).split()))[-1]
        raise BadValue(
            f"index type {description!r} cannot be used here: {reason}; good for any passages: flat, fp16, sq8, hnsw"
        ) from None
    return index


def fitted(index: Any, pieces: Iterable[np.ndarray]) -> Any:
    """A trained index; one of a byte a number with the range of all vectors in pieces (m, d) float32, for a number
    outside of it would be cut off, and nothing could be proven of its neighbours.
    """
    faiss = library()
    if isinstance(index, faiss.IndexScalarQuantizer) and index.sq.qtype == faiss.ScalarQuantizer.QT_8bit:
        edges = [(piece.min(axis=0), piece.max(axis=0)) for piece in pieces]
        least, most = np.min([low for low, _ in edges], axis=0), np.max([high for _, high in edges], axis=0)
        faiss.copy_array_to_vector(np.concatenate([least, most - least]).astype(np.float32), index.sq.trained)
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


def content(index: Any, pieces: Iterable[np.ndarray], ids: np.ndarray) -> Content:
    """A trained FAISS index's bytes with the vectors in pieces (m, d) float32, under ids (n,) int64, rising, in it."""
    if not _is_plain(index):
        return lambda sink: _write(_filled(library().IndexIDMap(index), pieces, ids), sink)
    codes = _Codes(index, pieces)
    one = library().IndexIDMap(library().clone_index(index))
    model = library().serialize_index(_filled(one, [np.zeros((1, index.d), np.float32)], np.ones(1, np.int64)))
    return partial(_hand_on, _plain_bytes(model, index.sa_code_size(), codes, ids), codes)


def grown(
    body: np.ndarray, pieces: Iterable[np.ndarray], ids: np.ndarray, kept: np.ndarray, error: float | None = None
) -> Content:
    """The index in FAISS's bytes with the vectors in pieces (m, d) float32 in it too.

    ids: (n,) of all, rising: those that are in it already, and then the new ones. kept: (n,) bool, which of them are
    still there; where the others cannot be left out they stay under the negatives of their ids. error: as `Content`
    returned it for those that are in it.
    """
    outer = library().read_index(library().ZeroCopyIOReader(library().swig_ptr(body), len(body)))
    if _is_plain(index := library().downcast_index(outer.index)):
        codes = _Codes(index, pieces, error)
        return partial(
            _hand_on, _plain_bytes(body, index.sa_code_size(), _grown_codes(outer, kept, codes), ids[kept]), codes
        )
    outer = library().deserialize_index(body)
    return lambda sink: _write(_filled(outer, pieces, np.where(kept, ids, -ids)), sink)


def _filled(outer: Any, pieces: Iterable[np.ndarray], ids: np.ndarray) -> Any:
    """FAISS's IndexIDMap with vectors in pieces (m, d) float32 more in it; ids: (n,) int64 of all in it."""
    for piece in pieces:
        outer.index.add(np.ascontiguousarray(piece, dtype=np.float32))
    return entered(outer, ids)


def _write(index: Any, sink: Sink) -> None:
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


def _hand_on(pieces: Iterable[np.ndarray], codes: "_Codes", sink: Sink) -> float | None:
    for piece in pieces:
        sink(piece.data)
    return codes.error


# -- plain indexes: no more than the codes of their vectors, so one larger than the memory can be written


def _is_plain(index: Any) -> bool:
    return isinstance(index, library().IndexFlat | library().IndexScalarQuantizer)


class _Codes:
    """What a trained plain index keeps of vectors in pieces (m, d) float32: (m, size) uint8 each.

    error: the greatest distance between one of them and what its code stands for, so far; None if it is not known of
    those that were there before.
    """

    def __init__(self, index: Any, pieces: Iterable[np.ndarray], error: float | None = 0.0) -> None:
        self._index, self._pieces, self.error = index, pieces, error

    def __iter__(self) -> Iterator[np.ndarray]:
        for piece in self._pieces:
            vectors = np.ascontiguousarray(piece, dtype=np.float32)
            codes = self._index.sa_encode(vectors)
            if self.error is not None and not isinstance(self._index, library().IndexFlat):
                there = vectors.any(axis=1)  # else it went while the index was made: nobody will find it
                far = np.linalg.norm(vectors[there] - self._index.sa_decode(codes)[there], axis=1)
                self.error = max(self.error, float(far.max(initial=0)))
            yield codes


def _grown_codes(outer: Any, kept: np.ndarray, fresh: _Codes) -> Iterator[np.ndarray]:
    """The codes in an IndexIDMap but those that are not kept, (n,) bool, and then those of more vectors."""
    index = library().downcast_index(outer.index)  # which `outer` owns
    count, size = index.ntotal, index.sa_code_size()
    codes = library().rev_swig_ptr(index.codes.data(), count * size).reshape(count, size)
    for start in range(0, count, COPIED):
        yield codes[start : start + COPIED][kept[start : min(start + COPIED, count)]]
    yield from fresh


def _plain_bytes(model: np.ndarray, size: int, codes: Iterable[np.ndarray], ids: np.ndarray) -> Iterator[np.ndarray]:
    """FAISS's serialisation of a plain index, piece by piece.

    model: FAISS's bytes of an index of the same making with one vector or more. codes: arrays (m, size) uint8, together
    a row for each of ids (n,) int64. FAISS's faiss/impl/index_write.cpp: the map of ids and the index in it each have
    a header with the number of vectors; what was trained and the codes, after how many bytes or numbers these are,
    follow, and last the ids after how many these are.
    """
    held = int.from_bytes(model[8:16].tobytes(), "little")
    header = bytearray(model[: len(model) - held * (size + 8) - 8].tobytes())
    marks = header[4:16]  # after four letters: the dimension as int32, then the number of vectors
    for start in (4, header.index(marks, 16)):
        header[start + 4 : start + 12] = len(ids).to_bytes(8, "little")
    units = int.from_bytes(header[-8:], "little") // held
    header[-8:] = (len(ids) * units).to_bytes(8, "little")
    yield np.frombuffer(bytes(header), np.uint8)
    for piece in codes:
        yield np.ascontiguousarray(piece).reshape(-1)
    yield np.frombuffer(len(ids).to_bytes(8, "little"), np.uint8)
    yield np.ascontiguousarray(ids, "<i8").view(np.uint8)
