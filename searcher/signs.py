"""A bit a number: which few of an index's codes are worth a look, by a scan that reads an eighth of what these take.

After RaBitQ (Gao and Long, SIGMOD 2024), without its rotation: a vector less the mean of all is taken for its signs,
a question for 4 bits a number, so that their product is a count of bits. What they promise most for is looked at in the
codes. How many these have to be is measured on each index, not assumed.
"""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np

from searcher.codes import Codes, kernels
from searcher.pooling import normalize

__all__ = ["Signs"]

LANES = 16  # vectors that the kernel takes at once
PLANES = 4  # bits of a number of the question
ROOM = 4  # times as many candidates are kept before the lesser ones are let go
DRAWN = 1 << 16  # codes of which the mean is taken
QUESTIONS, NOISE = (8, 48), 0.7  # vectors of the index with noise, as far from these as questions are
SCANNED = 20_000_000  # codes for all these questions, where there are so many
NEAREST = 15  # of each, that have to be among the candidates
REACHED = 0.999
BATCH = 64  # questions that are asked at once
MOST_CORES = 64
WANTED = [512, 1024, 2048, 4096]  # candidates, for each core


T = TypeVar("T")


class Sieve(ctypes.Structure):
    """As scan.c has it."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in (
            "codes", "bits", "terms", "weights", "planes", "shapes", "allowed", "room_scores", "room_places", "scores",
            "places",
        )),
        ("count", ctypes.c_int64),
        *((name, ctypes.c_int32) for name in ("width", "questions", "wanted", "k", "cores")),
    ]  # fmt: skip


class Signs:
    """The signs of some codes. wanted: candidates of a question and a core that are looked at in the codes.

    bits: for each 8 vectors and 64 numbers 8 words, uint64; terms: for each 8 vectors 16 float32, as scan.c has them.
    """

    def __init__(self, codes: Codes, cores: int = 1) -> None:
        count, width = codes.codes.shape
        groups = -(-count // LANES) * (LANES // 8)
        self.codes, self.words, self.wanted = codes, -(-width // 64), 0
        self.bits = np.zeros((groups, self.words, 8), dtype=np.uint64)
        self.terms = np.zeros((groups, 2, 8), dtype=np.float32)
        steps = codes.span / 255
        means = codes.codes[:: -(-count // DRAWN)].mean(axis=0, dtype=np.float64).astype(np.float32)

        def make(start: int, stop: int) -> None:
            kernels().searcher_signs(
                codes.codes.ctypes.data, start, stop, width, means.ctypes.data, steps.ctypes.data,
                self.bits.ctypes.data, self.terms.ctypes.data,
            )  # fmt: skip

        _on_all(cores, count, make)

    @classmethod
    def of(cls, codes: Codes, cores: int) -> "Signs | None":
        """Those of all codes, if the CPU counts bits and few candidates hold what a scan of the codes finds."""
        count = len(codes.codes)
        if not kernels().searcher_sieve_supported() or count >= 2**31:
            return None
        signs, random = cls(codes, cores), np.random.default_rng(0)
        drawn = codes.vectors(
            random.choice(count, max(QUESTIONS[0], min(QUESTIONS[1], SCANNED // count)), replace=False)
        )
        noise = normalize(random.standard_normal(drawn.shape).astype(np.float32))
        questions = normalize(normalize(drawn) + NOISE * noise)
        parts = _on_all(cores, count, lambda start, stop: codes.scan(questions, NEAREST, start, stop, None))
        scores, places = (np.hstack(part) for part in zip(*parts, strict=True))
        nearest = np.take_along_axis(places, np.argsort(-scores, axis=1)[:, :NEAREST], 1)
        for signs.wanted in WANTED:
            if 4 * signs.wanted > count:
                return None
            _, found = signs.scan(questions, NEAREST, None, cores)
            if np.mean([np.isin(*pair).mean() for pair in zip(nearest, found, strict=True)]) >= REACHED:
                return signs
        return None

    def scan(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, cores: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `Codes.scan`, of all codes, on so many cores."""
        parts = [
            self._scan(queries[start : start + BATCH], k, allowed, min(cores, MOST_CORES))
            for start in range(0, len(queries), BATCH)
        ]
        return np.vstack([scores for scores, _ in parts]), np.vstack([places for _, places in parts])

    def _scan(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None, cores: int
    ) -> tuple[np.ndarray, np.ndarray]:
        count, codes, rounded = len(queries), self.codes.codes, self.codes.rounded(queries)
        planes, shapes = self._planes(queries)
        room = np.empty((2, cores, count, ROOM * self.wanted), dtype=np.float32)  # scores; as many int32 places
        products = np.empty((cores, count, k), dtype=np.int32)
        places = np.empty((cores, count, k), dtype=np.int64)
        arrays = [codes, self.bits, self.terms, rounded.weights, planes, shapes, allowed, *room, products, places]
        pointers = [None if array is None else array.ctypes.data for array in arrays]
        sieve = Sieve(*pointers, len(codes), codes.shape[1], count, self.wanted, k, cores)
        kernels().searcher_sieve(ctypes.byref(sieve))
        return rounded.scores(products[0], places[0]), places[0]

    def _planes(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Questions in 4 bits a number: a word for 64 of them in each plane (q, 4, words), and shapes (q, 3)."""
        low = queries.min(axis=1, keepdims=True)
        step = np.maximum((queries.max(axis=1, keepdims=True) - low) / 15, np.finfo(np.float32).tiny)
        numbers = np.zeros((len(queries), 64 * self.words), dtype=np.uint8)
        numbers[:, : queries.shape[1]] = np.rint((queries - low) / step)
        bits = numbers[:, None, :] >> np.arange(PLANES, dtype=np.uint8)[:, None] & 1
        planes = np.packbits(bits, axis=2, bitorder="little").view(np.uint64)
        # sum of sign times number: twice that of the numbers whose bit is set, less that of all
        total = step[:, 0] * numbers.sum(axis=1) + low[:, 0] * queries.shape[1]
        shapes = np.stack([2 * step[:, 0], total, 2 * low[:, 0]], axis=1).astype(np.float32)
        return np.ascontiguousarray(planes), np.ascontiguousarray(shapes)


def _on_all(cores: int, count: int, work: Callable[[int, int], T]) -> list[T]:
    """What comes of each core's part, from a multiple of LANES on."""
    edges = [count * part // cores // LANES * LANES for part in range(cores)] + [count]
    with ThreadPoolExecutor(cores) as pool:
        return list(pool.map(lambda span: work(*span), pairwise(edges)))
