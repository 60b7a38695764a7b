"""A bit a number: which few of an index's codes are worth a look, by a scan that reads a thirtieth of what these take.

After RaBitQ (Gao and Long, SIGMOD 2024), without its rotation: a vector less the mean of all is taken for its signs.
These are kept number by number, as BitWeaving keeps columns (Li and Patel, SIGMOD 2013), so that a question, less the
mean too, reads only the signs of its greatest quarter, which hold most of its length. What they promise most for is
looked at in the codes. How many these have to be is measured on each index, not assumed.
"""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from searcher.embedding import normalize
from searcher.vectors.codes import Codes, kernels

__all__ = ["Signs"]

BLOCK, LINE = 2048, 64  # vectors whose signs lie together; bytes that the kernel takes at once
GROUPS, DIGITS = 128, 12  # of which the most promising are looked for together; of a sum
PART, SHARE = 16, 1 / 8  # numbers come by 16; of all such a share counts twice, and as many once
LEAST, MOST = 64, 8192  # numbers of a vector, for which this was made
EVEN = 0.3  # below it, a few numbers are all that counts in a question: it is 0.64 for normally distributed ones
DRAWN = 1 << 16  # codes of which the mean is taken
MEASURED = 1 << 18  # codes on which it is measured
QUESTIONS, NOISE = 48, 0.7  # vectors of these with noise, farther from them than questions are
NEAREST = 15  # of each, that have to be among the candidates
REACHED = 0.995
MEANT = 24  # hits for which that is enough; for twice as many, twice the candidates
MOST_CORES = 64
WANTED = [320, 640, 1280, 2560]  # candidates of 65,536 vectors

T = TypeVar("T")


class Sieve(ctypes.Structure):
    """As sieve.c has it."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in (
            "codes", "bits", "weights", "starts", "flips", "allowed", "room_sums", "room_places", "scores", "places",
        )),
        ("count", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("width", "questions", "heavy", "light", "wanted", "k", "cores")),
    ]  # fmt: skip


class Signs:
    """The signs of some codes. wanted: candidates of a question, out of 65,536 vectors, that are looked at.

    bits: (⌈n / 2048⌉, d, 256) uint8, for each 2048 vectors and each number a bit a vector, the lowest of a byte first.
    """

    def __init__(self, codes: Codes, cores: int = 1) -> None:
        count, width = codes.codes.shape
        self.codes, self.wanted = codes, WANTED[0]
        self.light = self.heavy = max(1, round(SHARE * width / PART)) * PART
        self.bits = np.zeros((-(-count // BLOCK), width, BLOCK // 8), dtype=np.uint8)
        means = codes.codes[:: -(-count // DRAWN)].mean(axis=0, dtype=np.float64)
        self.mean = (codes.least + codes.span * (means + 0.5) / 255).astype(np.float32)
        middles = means.astype(np.uint8)  # a whole number is above the mean if it is above the whole part of that

        def make(start: int, stop: int) -> None:
            kernels().searcher_signs(
                codes.codes.ctypes.data, start, stop, width, middles.ctypes.data, self.bits.ctypes.data
            )

        _on_all(cores, count, make)

    @classmethod
    def of(cls, codes: Codes, cores: int) -> "Signs | None":
        """Those of all codes, if few candidates hold what a scan of the codes finds."""
        count, width = codes.codes.shape
        if not LEAST <= width <= MOST or count >= 2**31:
            return None
        signs = cls(codes, cores)
        start = (count - MEASURED) // 2 // BLOCK * BLOCK if count > MEASURED else 0
        wanted = signs._part(start, min(count, start + MEASURED))._enough(cores)
        if wanted is None:
            return None
        signs.wanted = wanted
        return signs

    def _part(self, start: int, stop: int) -> "Signs":
        """Those of some of the codes, from a whole block on, without a copy."""
        part = Signs.__new__(Signs)
        part.codes = Codes(self.codes.codes[start:stop], self.codes.least, self.codes.span)
        part.light, part.heavy, part.mean, part.bits = self.light, self.heavy, self.mean, self.bits[start // BLOCK :]
        return part

    def _enough(self, cores: int) -> int | None:
        """How many candidates are; None if none of WANTED is."""
        codes, random = self.codes, np.random.default_rng(0)
        count = len(codes.codes)
        drawn = codes.vectors(random.choice(count, min(QUESTIONS, count), replace=False))
        noise = normalize(random.standard_normal(drawn.shape).astype(np.float32))
        questions = normalize(normalize(drawn) + NOISE * noise)
        parts = _on_all(cores, count, lambda start, stop: codes.scan(questions, NEAREST, start, stop, None))
        scores, places = (np.hstack(part) for part in zip(*parts, strict=True))
        nearest = np.take_along_axis(places, np.argsort(-scores, axis=1)[:, :NEAREST], 1)
        for self.wanted in WANTED:
            if 4 * self.wanted > count:
                return None
            _, found = self._scan(questions, NEAREST, None, cores)
            if np.mean([np.isin(*pair).mean() for pair in zip(nearest, found, strict=True)]) >= REACHED:
                return self.wanted
        return None

    def scan(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, cores: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `Codes.scan`, of all codes, on so many cores."""
        squares = np.einsum("qd,qd->q", queries, queries)
        even = np.abs(queries).sum(axis=1) ** 2 >= EVEN * queries.shape[1] * squares
        if even.all():
            return self._scan(queries, k, allowed, cores)
        scores, places = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        if even.any():
            scores[even], places[even] = self._scan(queries[even], k, allowed, cores)
        scores[~even], places[~even] = self.codes.scan(queries[~even], k, 0, len(self.codes.codes), allowed)
        return scores, places

    def _scan(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, cores: int
    ) -> tuple[np.ndarray, np.ndarray]:
        count, codes, rounded = len(queries), self.codes.codes, self.codes.rounded(queries)
        cores, wanted = min(cores, MOST_CORES), self.wanted * -(-k // MEANT)
        starts, flips = self._greatest(queries - self.mean)
        sums = np.empty((cores, GROUPS, DIGITS + 2, LINE), dtype=np.uint8)
        some = np.empty((cores, wanted), dtype=np.int32)
        products = np.empty((cores, count, k), dtype=np.int32)
        places = np.empty((cores, count, k), dtype=np.int64)
        arrays = [codes, self.bits, rounded.weights, starts, flips, allowed, sums, some, products, places]
        pointers = [None if array is None else array.ctypes.data for array in arrays]
        sieve = Sieve(*pointers, *codes.shape, count, self.heavy, self.light, wanted, k, cores)
        kernels().searcher_sieve(ctypes.byref(sieve))
        return rounded.scores(products[0], places[0]), places[0]

    def _greatest(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which numbers of each question, less the mean, count, those that count twice first: where their signs begin
        in a block, in bytes (q, heavy + light) int32, and all ones for those that are negative, int64.
        """
        heavy, all_ = self.heavy, self.heavy + self.light
        numbers = np.argpartition(-np.abs(queries), (heavy - 1, all_ - 1), axis=1)[:, :all_]
        negative = np.take_along_axis(queries, numbers, 1) < 0
        return (numbers * (BLOCK // 8)).astype(np.int32), -negative.astype(np.int64)


def _on_all(cores: int, count: int, work: Callable[[int, int], T]) -> list[T]:
    """What comes of each core's part, from a whole block on."""
    edges = [count * part // cores // BLOCK * BLOCK for part in range(cores)] + [count]
    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(lambda span: work(*span), pairwise(edges)))
