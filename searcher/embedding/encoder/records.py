"""What goes into a forward pass and what comes out, packed, without padding; how one is to be run."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from searcher.errors import ModelError

__all__ = ["CORE_TOKENS", "Forward", "Hidden", "Packed", "Plan", "Sequence_", "check_tokens", "packed_inputs"]


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


CORE_TOKENS = 1024  # a batch of one core: its activations fit the core's cache


class Plan(NamedTuple):
    """A forward pass, the tokens of a batch, and how many batches run at once, each on one core (1: on all).

    name: of the threads for it, else it is told by what is asked. threads: so many of that name. torch: whether it is
    torch that computes, whose threads are its own matter. alone: whether a batch does better on one of numpy's threads.
    """

    forward: Forward
    budget: int
    workers: int
    name: str = ""
    threads: Callable[[int, str], ThreadPoolExecutor] = ThreadPoolExecutor
    torch: bool = False
    alone: bool = False


class Packed(NamedTuple):
    """n sequences of T tokens in all, one after the other. ids, positions, segments: (T,) int64; bounds: (n + 1,)."""

    ids: np.ndarray
    positions: np.ndarray
    segments: np.ndarray
    bounds: np.ndarray


def packed_inputs(sequences: Sequence[Sequence_], padding: int | None, words: int, types: int) -> Packed:
    """Sequences as a BERT takes them.

    padding: None where positions start at 0; else they start behind that id, whose tokens all have its number for their
    position and do not count (transformers' create_position_ids_from_input_ids). words, types: rows of those tables.
    Raises ModelError for a token that is beyond the words; of a table of one type every token has that.
    """
    lengths = np.array([len(sequence.ids) for sequence in sequences], dtype=np.int64)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    ids = np.fromiter((number for sequence in sequences for number in sequence.ids), np.int64, bounds[-1])
    check_tokens(ids, words)
    if padding is None:
        positions = np.arange(bounds[-1]) - np.repeat(bounds[:-1], lengths)
    else:
        counted = np.concatenate([[0], np.cumsum(ids != padding)])
        positions = padding + np.where(ids == padding, 0, counted[1:] - np.repeat(counted[bounds[:-1]], lengths))
    segments = np.zeros(bounds[-1], dtype=np.int64)
    for start, sequence in zip(bounds[:-1], sequences, strict=True):
        if sequence.segments is not None and types > 1:
            segments[start : start + len(sequence.ids)] = sequence.segments
    return Packed(ids, positions, segments, bounds)


def check_tokens(ids: np.ndarray, words: int) -> None:
    """ModelError unless each token has its row in a table of so many."""
    if len(ids) and not 0 <= ids.min() <= ids.max() < words:
        bad = ids.max() if ids.max() >= words else ids.min()
        raise ModelError(f"token {bad} is not among the model's {words:,}: its tokenizer is not that of its weights")
