"""Chroma's HNSW segments: the vectors of hnswlib's ground level, by the labels that its pickle gives to ids.

header.bin is packed: version (int32), then as uint64 where the level starts, room, count, bytes of an element, where in
it label and vector lie. An element starts with how many neighbours it has (2 bytes) and a byte whose lowest bit says
that it was deleted.
"""

import struct
from pathlib import Path

import numpy as np

from searcher.errors import UnreadableFile
from searcher.migration.pickles import Record, read_pickle

__all__ = ["Segment"]

RECORDS = (".PersistentData",)  # as releases before 0.5.11 wrote it
HEADER = "<i6Q"


class Segment:
    """A segment's folder. label_of: id → label; up_to: the last write that is in it, None if its pickle does not say.

    Raises UnreadableFile for files that disagree, and a pickle that would call something.
    """

    def __init__(self, folder: Path, dimension: int, cosine: bool) -> None:
        self.label_of: dict[str, int] = {}
        self.up_to: int | None = None
        self._row_of: dict[int, int] = {}
        pickle = folder / "index_metadata.pickle"
        if not pickle.exists():  # nothing was ever written out of the queue
            return
        with pickle.open("rb") as stream:
            value = read_pickle(stream, str(pickle), RECORDS)
        fields = value.fields if isinstance(value, Record) else value
        if not isinstance(fields, dict) or not isinstance(fields.get("id_to_label"), dict):
            raise UnreadableFile(pickle, "this pickle is none of a Chroma segment")
        self.label_of = fields["id_to_label"]
        self.up_to = fields.get("max_seq_id")
        self._read(folder, dimension, cosine)

    def _read(self, folder: Path, dimension: int, cosine: bool) -> None:
        data, header = folder / "data_level0.bin", folder / "header.bin"
        try:
            _, start, _, count, size, label_at, vector_at = struct.unpack_from(HEADER, header.read_bytes())
        except struct.error:
            raise UnreadableFile(header, "not a whole header of hnswlib") from None
        end = start + count * size
        if not 3 <= size < 2**31 or max(label_at + 8, vector_at + 4 * dimension) > size or end > data.stat().st_size:
            raise UnreadableFile(
                data, f"its header says {count:,} vectors of {dimension:,} numbers; it cannot hold them"
            )
        if count == 0:
            return
        level = np.memmap(data, dtype=np.uint8, mode="r")[start:end].reshape(count, size)
        labels = level[:, label_at : label_at + 8].copy().view("<u8")[:, 0]
        kept = np.flatnonzero((level[:, 2] & 1) == 0)
        self._row_of = dict(zip(labels[kept].tolist(), kept.tolist(), strict=True))
        self._level, self._at, self._dimension = level, vector_at, dimension
        self._lengths = _lengths(folder / "length.bin", count) if cosine else None

    def of(self, key: str) -> np.ndarray | None:
        """(d,) float32 of an id, None for one that is not in it. Of cosine the unit vector times its length, which
        rounds.
        """
        row = self._row_of.get(self.label_of.get(key, -1))
        if row is None:
            return None
        raw = self._level[row, self._at : self._at + 4 * self._dimension].copy().view("<f4")
        return raw if self._lengths is None else raw * self._lengths[row]


def _lengths(path: Path, count: int) -> np.ndarray | None:
    """What each vector was divided by. (n,) float32; None where that is not kept."""
    if not path.exists() or path.stat().st_size < 4 * count:
        return None
    return np.fromfile(path, dtype="<f4", count=count)
