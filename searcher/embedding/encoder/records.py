"""What goes into a forward pass and what comes out: packed, without padding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

__all__ = ["Forward", "Hidden", "Sequence_", "packed_inputs"]


@dataclass(frozen=True)
class Sequence_:  # noqa: N801 - the plain word is taken
    """Token ids of one input, special tokens included, and the segment of each (None: all 0)."""

    ids: Sequence[int]
    segments: Sequence[int] | None = None


@dataclass(frozen=True)
class Hidden:
    """Hidden states of a batch of n sequences of T tokens in all, one after the other, no padding between.

    layers: hidden state number → (T, d) float32. bounds: (n + 1,) int64, sequence i is rows bounds[i] … bounds[i+1]-1.
    pooler: (n, d) float32, the model's own pooled output (dense and tanh over the first token), if asked for.
    """

    layers: Mapping[int, np.ndarray]
    bounds: np.ndarray
    pooler: np.ndarray | None = None


class Forward(Protocol):
    """A forward pass: the same states for a sequence whatever stands beside it in the batch."""

    def __call__(self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool) -> Hidden:
        """Hidden states of one batch."""
        ...


def packed_inputs(sequences: Sequence[Sequence_]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(ids, positions from 0, segments), each (T,) int64, and bounds (n + 1,) of n sequences of T tokens in all."""
    lengths = np.array([len(sequence.ids) for sequence in sequences], dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.fromiter((number for sequence in sequences for number in sequence.ids), np.int64, bounds[-1])
    positions = np.arange(bounds[-1]) - np.repeat(bounds[:-1], lengths)
    segments = np.zeros(bounds[-1], dtype=np.int64)
    for start, sequence in zip(bounds[:-1], sequences, strict=True):
        if sequence.segments is not None:
            segments[start : start + len(sequence.ids)] = sequence.segments
    return ids, positions, segments, bounds
