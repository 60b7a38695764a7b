"""FAISS's files by their own headers, as far as vectors lie in them as they are; FAISS itself never sees them.

A header is a mark of four characters, the dimension, how many vectors, two numbers without meaning, whether it is
trained, and the metric (faiss/impl/index_write.cpp). Known are flat ones, those with ids of their own around another,
inverted lists and HNSW over flat vectors; whatever is compressed is refused, since its vectors are gone.
"""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searcher.errors import UnreadableFile

__all__ = ["Vectors", "read_vectors"]

METRICS = {0: "ip", 1: "l2"}
MOST_DIMENSIONS = 2**16
DEEPEST = 4  # of an index within an index


class Vectors(NamedTuple):
    """What a file holds. rows: (n, d) float32, mapped where the file has them so; ids: (n,) int64, which FAISS gives
    for them.
    """

    rows: np.ndarray
    ids: np.ndarray
    metric: str | None


class Bytes:
    """The bytes of a file, taken one after the other."""

    def __init__(self, path: Path) -> None:
        self.path, self.at = path, 0
        self.data = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)

    def fault(self, reason: str) -> UnreadableFile:
        """An error about this file."""
        return UnreadableFile(self.path, reason)

    def array(self, count: int, dtype: str) -> np.ndarray:
        """So many numbers. UnreadableFile if it ends before."""
        end = self.at + count * np.dtype(dtype).itemsize
        if count < 0 or end > len(self.data):
            raise self.fault(
                f"not a whole FAISS file: it ends at byte {len(self.data):,}, before what it says it holds"
            )
        part, self.at = self.data[self.at : end], end
        return part.view(dtype)

    def values(self, layout: str) -> tuple[Any, ...]:
        """Single numbers, little-endian."""
        return struct.unpack(f"<{layout}", self.array(struct.calcsize(f"<{layout}"), "u1").tobytes())

    def vector(self, dtype: str) -> np.ndarray:
        """A list with its length before it."""
        return self.array(self.values("Q")[0], dtype)


def read_vectors(path: Path) -> Vectors:
    """The vectors of a FAISS file. Raises UnreadableFile for a kind that does not hold them as they are."""
    source = Bytes(path)
    found = _index(source, 0)
    if source.at != len(source.data):
        raise source.fault(f"{len(source.data) - source.at:,} bytes follow the FAISS index in it")
    return found


def _index(source: Bytes, depth: int) -> Vectors:
    """One index; the reading goes on behind it."""
    kind = source.array(4, "u1").tobytes().decode("latin1")
    if depth > DEEPEST or (read := KINDS.get(kind)) is None:
        mark = kind if kind.isalnum() else repr(kind)
        raise source.fault(f"a FAISS index of kind {mark}; its vectors can be read of {', '.join(KINDS)} only")
    dimension, count, _, _, _, metric = source.values("iqqqBi")
    if metric > 1:
        source.values("f")  # the argument of a metric such as Lp
    if not 0 < dimension <= MOST_DIMENSIONS or count < 0:
        raise source.fault(f"a FAISS index of {count:,} vectors of {dimension:,} numbers")
    rows, ids = read(source, count, dimension, depth)
    if rows.shape != (count, dimension) or len(ids) != count:
        raise source.fault(f"a FAISS index that says {count:,} vectors and holds {len(rows):,}")
    return Vectors(rows, ids, METRICS.get(metric))


Read = Callable[[Bytes, int, int, int], tuple[np.ndarray, np.ndarray]]


def _flat(source: Bytes, count: int, dimension: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    numbers = source.vector("<f4")
    if len(numbers) != count * dimension:
        raise source.fault(f"{len(numbers):,} numbers for {count:,} vectors of {dimension:,}")
    return numbers.reshape(count, dimension), np.arange(count)


def _with_ids(source: Bytes, count: int, dimension: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    rows, own, _ = _index(source, depth + 1)
    ids = source.vector("<i8")
    if len(ids) != len(own) or (len(own) and not 0 <= own.min() <= own.max() < len(ids)):
        raise source.fault(f"{len(ids):,} ids that are none of its {len(own):,} vectors")
    return rows, ids[own]


def _lists(source: Bytes, count: int, dimension: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """Inverted lists of whole vectors, put together in the order of their ids."""
    lists, _ = source.values("QQ")
    _index(source, depth + 1)  # the middles of the lists
    (direct,) = source.values("B")
    source.vector("<i8")
    if direct == 2:  # a table of hashes
        source.vector("<i8,<i8")
    kind, number, size = source.values("4sQQ")
    if (kind, number, size) != (b"ilar", lists, 4 * dimension):
        raise source.fault("its inverted lists are not in it as whole vectors")
    (how,) = source.values("4s")
    if how == b"full":
        sizes = source.vector("<i8")
    elif how == b"sprs":  # number and size of those that are not empty
        sizes = source.vector("<i8")[1::2]
    else:
        raise source.fault("its inverted lists are of an unknown kind")
    parts, ids = [np.empty((0, dimension), "<f4")], [np.empty(0, "<i8")]
    for length in sizes.tolist():
        parts.append(source.array(length * dimension, "<f4").reshape(length, dimension))
        ids.append(source.array(length, "<i8"))
    every = np.concatenate(ids)
    order = np.argsort(every, kind="stable")
    return np.concatenate(parts)[order], every[order]


def _graph(source: Bytes, count: int, dimension: int, depth: int) -> tuple[np.ndarray, np.ndarray]:
    """HNSW: levels and neighbours, then the vectors."""
    for dtype in ("<f8", "<i4", "<i4", "<u8", "<i4"):
        source.vector(dtype)
    source.values("5i")
    rows, ids, _ = _index(source, depth + 1)
    return rows, ids


KINDS: dict[str, Read] = {
    "IxFI": _flat, "IxF2": _flat, "IxFl": _flat, "IxMp": _with_ids, "IxM2": _with_ids, "IwFl": _lists, "IHNf": _graph,
}  # fmt: skip
