"""Vectors that were given, of any length: kept as unit vectors, and what makes of these the given ones, bit by bit."""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from searcher.errors import DamagedIndex
from searcher.records import Prepared

__all__ = ["NOWHERE", "as_given", "check_given", "given_rows"]

NOWHERE = "SELECT id FROM given WHERE length <= 0"  # passages that no vector leads to
ZEROS, NONE = 0.0, -1.0  # lengths of a vector of zeros, and of none


def given_rows(first: int, item: Prepared) -> Iterator[tuple[int, float, bytes | None, int]]:
    """Rows of the table for a document's passages, whose ids count from `first`: none where unit and given are one."""
    for number, (unit, vector) in enumerate(zip(item.vectors, item.given or (), strict=False), first):
        if vector is None:
            yield _row(number, NONE, None)
        elif not vector.any():
            yield _row(number, ZEROS, None)
        elif vector.tobytes() != unit.tobytes():
            length = float(np.linalg.norm(vector.astype(np.float64)))
            other = _bits(_scaled(unit, length)) ^ _bits(vector)
            # Nearly all bits are alike; each byte of the numbers apart they take less room.
            rest = zlib.compress(other.view(np.uint8).reshape(-1, 4).T.tobytes(), 1) if other.any() else None
            yield _row(number, length, rest)


def as_given(row: tuple[int, float, bytes | None, int], unit: np.ndarray) -> np.ndarray | None:
    """The vector (d,) float32 as it was given, of a row of the table and the stored one. DamagedIndex."""
    check_given(row)
    _, length, rest, _ = row
    if length <= 0:
        return None if length == NONE else np.zeros_like(unit)
    scaled = _scaled(unit, length)
    if rest is None:
        return scaled
    try:
        other = np.frombuffer(zlib.decompress(rest), np.uint8).reshape(4, -1).T.copy().view("<u4")[:, 0]
        return (_bits(scaled) ^ other).view("<f4")
    except (ValueError, zlib.error):
        raise DamagedIndex(f"the vector given for passage {row[0]} is damaged; run: searcher check") from None


def check_given(row: tuple[Any, ...]) -> None:
    """DamagedIndex unless a row is what was stored."""
    number, length, rest, crc = row
    sound = isinstance(length, float) and (rest is None or isinstance(rest, bytes))
    if not sound or _row(number, length, rest)[3] != crc:
        raise DamagedIndex(f"the length of the vector of passage {number} is not what was stored; run: searcher check")


def _row(number: int, length: float, rest: bytes | None) -> tuple[int, float, bytes | None, int]:
    return number, length, rest, zlib.crc32(rest or b"", zlib.crc32(struct.pack("<qd", number, length)))


def _scaled(unit: np.ndarray, length: float) -> np.ndarray:
    return (unit.astype(np.float64) * length).astype("<f4")


def _bits(vector: np.ndarray) -> np.ndarray:
    """The bits of float32 numbers. (d,) -> (d,) uint32"""
    return np.ascontiguousarray(vector, "<f4").view("<u4")
