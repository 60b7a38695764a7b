"""What words add to passages: to all that hold one of some, or to those in hand, of which only those are kept that can
still be among the best; in C where that was built.
"""

import ctypes
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searcher.postings.segment import share
from searcher.system import kernel_library

__all__ = ["LIBRARY", "Hand", "Weighed", "join", "kernels", "meet", "unite"]

LIBRARY = Path(__file__).with_name("libjoin.so.1")
P, I, L, D = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_double  # noqa: E741


class Weighed(NamedTuple):
    """The list of a word in one part, the word's weight, and the most that the word and all after it add to a score."""

    places: np.ndarray
    counts: np.ndarray
    weight: float
    rest: float


class Hand(NamedTuple):
    """Passages in hand: their places (n,) int32, rising, and what the words up to now are worth to each, float64."""

    places: np.ndarray
    sums: np.ndarray


class _Word(ctypes.Structure):
    """As join.c has it."""

    _fields_ = [("places", P), ("counts", P), ("m", L), ("bytes", ctypes.c_int32), ("weight", D), ("rest", D)]


def _words(lists: Sequence[Weighed]) -> Any:
    """An array of them."""
    return (_Word * len(lists))(
        *(
            _Word(own.places.ctypes.data, own.counts.ctypes.data, len(own.places), own.counts.itemsize, *own[2:])
            for own in lists
        )
    )


@cache
def kernels() -> Any:
    """The functions of join.c, None where they were not built."""
    library = kernel_library(LIBRARY)
    if library is None:
        return None
    library.searcher_unite.argtypes = [P, I, P, L, P, D, D, D, P, P, P]
    library.searcher_join.argtypes = [P, I, P, P, L, P, D, D]
    library.searcher_unite.restype = library.searcher_join.restype = L
    return library


def unite(
    lists: Sequence[Weighed], lengths: np.ndarray, average: float, bar: float, rest: float, mask: np.ndarray | None
) -> Hand:
    """All passages that hold one of some words, with what these are worth to each, added in their order.

    lengths: of all passages in words, int32. bar, rest: only those that have the bar with so much more. mask: which may
    be among them, (n,) bool; None for all.
    """
    if (compiled := kernels()) is None:
        return _united(lists, lengths, average, bar, rest, mask)
    room = sum(len(own.places) for own in lists) + 1
    at, places, sums = np.empty(len(lists), np.int64), np.empty(room, np.int32), np.empty(room)
    counting = None if mask is None else mask.ctypes.data
    count = compiled.searcher_unite(
        _words(lists), len(lists), lengths.ctypes.data, len(lengths), counting, average, rest, bar, at.ctypes.data,
        places.ctypes.data, sums.ctypes.data,
    )  # fmt: skip
    return Hand(places[:count], sums[:count])


def join(hand: Hand, lists: Sequence[Weighed], lengths: np.ndarray, average: float, bar: float = -np.inf) -> Hand:
    """The passages in hand with what some words are worth to each, added in their order; without those that, before one
    of these, do not have the bar with all that it and the words after it can add.
    """
    if (compiled := kernels()) is None:
        return _joined(hand, lists, lengths, average, bar)
    places, sums = hand.places.copy(), hand.sums.copy()
    count = compiled.searcher_join(
        _words(lists), len(lists), places.ctypes.data, sums.ctypes.data, len(places), lengths.ctypes.data, average, bar
    )
    return Hand(places[:count], sums[:count])


def _united(
    lists: Sequence[Weighed], lengths: np.ndarray, average: float, bar: float, rest: float, mask: np.ndarray | None
) -> Hand:
    """`unite` in numpy."""
    held = np.concatenate([np.empty(0, np.int32), *(own.places for own in lists)])
    worth = np.concatenate([np.empty(0), *(np.full(len(own.places), own.weight) for own in lists)])
    worth *= share(np.concatenate([np.empty(0, np.uint8), *(own.counts for own in lists)]), lengths[held], average)
    order = held.argsort(kind="stable")  # which merges what is sorted
    held = held[order]
    new = np.append(True, held[1:] != held[:-1])[: len(held)]
    places, sums = held[new], np.bincount(np.cumsum(new) - 1, worth[order]).astype(np.float64)
    able = sums + rest >= bar
    able = able if mask is None else able & mask[places]
    return Hand(places[able], sums[able])


def _joined(hand: Hand, lists: Sequence[Weighed], lengths: np.ndarray, average: float, bar: float) -> Hand:
    """`join` in numpy."""
    places, sums = hand
    for own in lists:
        able = sums + own.rest >= bar
        places, sums = places[able], sums[able]
        at, of = meet(places, own.places)
        sums[at] += own.weight * share(own.counts[of], lengths[places[at]], average)
    return Hand(places, sums)


def meet(these: np.ndarray, those: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where in either the numbers stand that both hold; both rising. (n,), (m,) -> two of one length, int64."""
    if len(those) > len(these):
        at, of = meet(those, these)
        return of, at
    if not len(those):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    at = np.searchsorted(these, those)
    at[at == len(these)] = 0
    there = np.flatnonzero(these[at] == those)
    return at[there], there
