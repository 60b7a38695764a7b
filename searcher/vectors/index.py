"""Vectors → nearest ids: FAISS of any type, under our ids; what the index was made of never changes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from searcher.system import kept_once, on_fork
from searcher.vectors import codes, floats
from searcher.vectors.codes import MOST, Codes
from searcher.vectors.signs import Signs
from searcher.vectors.types import FLAT, index_type

__all__ = ["Found", "Some", "VectorIndex", "entered", "library", "parameters", "scans"]

SCANNED = 0.25  # of a graph's vectors: where fewer are wanted, a scan of these is faster than a walk among the others
SPLIT = 20_000  # vectors from which a scan for one question is shared among the cores
SIGNED = 20_000  # codes from which it pays to know their signs …
ASKED = 8  # … once so many questions were asked: they have to be made, at every opening anew
SIEVE_SPLIT = 200_000  # vectors from which a scan of signs is shared among the cores
SIEVED = 200  # of so many that are wanted the most are among the candidates
ALIKE = 10  # so many hits of a graph that are equally near are copies of a vector
Scan = tuple[np.ndarray, np.ndarray]  # scores and places, as FAISS has them
ROUNDING = 1e-5  # of inner products in float32
MANY = 300  # questions from which FAISS multiplies matrices, which is faster than our own scan for each
FEW = 8  # questions below which each is scanned for on all cores; more are shared among them by FAISS


@cache
def library() -> Any:
    """FAISS, loaded when first needed."""
    import faiss

    # OpenMP's threads do not live through a fork: a child that waits for them hangs.
    on_fork(child=lambda: faiss.omp_set_num_threads(1))
    return faiss


def scans() -> list[str]:
    """Which of our own scans run here, by the types that they are for; FAISS does what they do not."""
    return [name for name, there in (("flat", floats.kernel()), ("sq8", codes.kernels())) if there is not None]


class Found(NamedTuple):
    """Of each query: inner products (q, c) float32, as the index knows them, and ids (q, c) int64; -1 is none."""

    scores: np.ndarray
    ids: np.ndarray


class Some:
    """Which of an index's vectors may be found. mask: (n,) bool."""

    def __init__(self, mask: np.ndarray) -> None:
        self.mask = mask

    @kept_once
    def count(self) -> int:
        """How many."""
        return int(self.mask.sum())

    @kept_once
    def bits(self) -> np.ndarray:
        """A bit a vector, the lowest of a byte first."""
        return np.packbits(self.mask, bitorder="little")

    def selector(self) -> Any:
        """FAISS's selector of them by their place, which keeps the bits that it reads alive."""
        selector = library().IDSelectorBitmap(len(self.bits), library().swig_ptr(self.bits))
        selector.nparray = self.bits
        return selector


class VectorIndex:
    """A FAISS index of unit vectors under our ids; never changed after it was made, so any thread may search.

    ids: (n,) int64, rising. dead: (n,) bool, those that were removed before it was written, None if none was.
    """

    def __init__(
        self, index: Any, kind: str = FLAT, body: np.ndarray | None = None, error: float | None = None
    ) -> None:
        faiss = library()

        self._index, self._body = index, body  # FAISS reads where the body lies
        self._error = error
        self._asked = 0
        self.type = index_type(kind)
        main = faiss.downcast_index(index.index)
        # What is done to vectors before they are kept or looked for, such as a projection on fewer numbers.
        self._before: list[Any] = []
        if isinstance(main, faiss.IndexPreTransform):
            self._before = [faiss.downcast_VectorTransform(main.chain.at(place)) for place in range(main.chain.size())]
            main = faiss.downcast_index(main.index)
        self._main = main
        self._graph = isinstance(self._main, faiss.IndexHNSW)
        # What is looked at one by one: of a graph, what it leads through.
        self._scanned = faiss.downcast_index(self._main.storage) if self._graph else self._main
        given = faiss.vector_to_array(index.id_map)
        # A type that can only grow keeps what went, under the negative of its id.
        self.dead: np.ndarray | None = given < 0 if len(given) and given.min() < 0 else None
        self.ids: np.ndarray = given if self.dead is None else np.abs(given)

    @classmethod
    def build(cls, ids: np.ndarray, vectors: np.ndarray) -> "VectorIndex":
        """An exact one, in memory. ids: (n,) int64, rising. vectors: (n, d) float32 unit rows."""
        outer = library().IndexIDMap(library().IndexFlatIP(vectors.shape[1]))
        outer.index.add(np.ascontiguousarray(vectors, dtype=np.float32))
        return cls(entered(outer, ids))

    @classmethod
    def read(cls, body: np.ndarray, kind: str = FLAT, error: float | None = None) -> "VectorIndex":
        """The index in FAISS's own bytes, without a copy. body: (n,) uint8, verified: FAISS trusts what it parses.

        error: how far a vector may lie from what the index has in its place, if that is known.
        """
        faiss = library()

        return cls(faiss.read_index(faiss.ZeroCopyIOReader(faiss.swig_ptr(body), len(body))), kind, body, error)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @kept_once
    def vectors(self) -> np.ndarray | None:
        """The vectors themselves, in the order of `ids`. (n, d) float32, a view; None if it has others or codes."""
        return None if self._before else self._floats

    @kept_once
    def _floats(self) -> np.ndarray | None:
        """The vectors that are scanned, if these are no codes."""
        faiss, flat = library(), self._scanned
        if not isinstance(flat, faiss.IndexFlat):
            return None
        return np.asarray(faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d))

    @kept_once
    def codes(self) -> Codes | None:
        """A byte for each number of the vectors, if that is what it has and our kernel scans it."""
        return Codes.of(self._scanned)

    @kept_once
    def _signs(self) -> Signs | None:
        """By which few of many codes are looked at; None if there are few, or signs do not tell which."""
        codes = self.codes
        if codes is None or len(self.ids) < SIGNED:
            return None
        return Signs.of(codes, library().omp_get_max_threads())

    def doubt(self, queries: np.ndarray) -> np.ndarray | None:
        """How far the score that an exact search finds may be from the inner product with the vector itself, for each
        query of unit length (q, d) -> (q,) float64. None if that is not known: of a graph, or lists of codes.
        """
        if self._error is None or self.type.knob is not None or self._before or hasattr(self._main, "nlist"):
            return None
        doubt = np.full(len(queries), self._error + ROUNDING)  # Cauchy and Schwarz
        return doubt if self.codes is None else doubt + self.codes.doubt(queries, self._error)

    def search(
        self, queries: np.ndarray, k: int, some: Some | None = None, effort: int | None = None, exact: bool = False
    ) -> Found:
        """The k nearest of each query by inner product, or what the type takes for them. (q, d) float32.

        some: those out of which the answers come; as many are found as there are, up to k. effort: the type's knob.
        exact: look at every vector, or at every code of a type that keeps only codes.
        """
        count = len(self.ids) if some is None else some.count
        k = min(k, count)  # a k of 10**9 would abort the process
        if k <= 0 or not len(queries):
            return Found(np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64))
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        for transform in self._before:
            queries = transform.apply(queries)
        share = count / len(self.ids)
        if exact or self.type.knob is None or (self._graph and share < SCANNED):
            scores, places = self._scan(queries, k, some, every=exact)
        else:
            wanted = parameters(self._main, some, int((effort or self.type.default) / share))
            seen = max(k, ALIKE) + ALIKE if self._graph else k
            scores, places = self._main.search(queries, min(seen, count), params=wanted)
            # Too many that are not wanted lie around the query, or too few in the lists looked at.
            short = (places < 0).any(axis=1)
            if k < seen <= count:
                # Copies of a vector lead to one another: a walk that ends among them may have missed others.
                short |= scores[:, -ALIKE] - scores[:, -1] < ROUNDING
            scores, places = scores[:, :k], places[:, :k]
            if short.any():
                scores[short], places[short] = self._scan(queries[short], k, some)
        return Found(scores, np.where(places < 0, -1, self.ids[places]))

    def _scan(
        self, queries: np.ndarray, k: int, some: Some | None, every: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """(q, k) scores and places, after a look at every vector or code; or, unless every: every code's sign."""
        faiss, index = library(), self._scanned
        cores, lists = faiss.omp_get_max_threads(), getattr(index, "nlist", 0)
        if (codes := self.codes) is not None and k <= MOST:
            bits = None if some is None else some.bits
            self._asked += len(queries)
            if not every and k <= SIEVED and self._asked >= ASKED and (signs := self._signs) is not None:
                return signs.scan(queries, k, bits, cores if len(self.ids) >= SIEVE_SPLIT else 1)
            return self._shared(k, lambda start, stop: codes.scan(queries, k, start, stop, bits))
        if len(queries) < MANY and k <= MOST and (vectors := self._floats) is not None and floats.kernel() is not None:
            bits = None if some is None else some.bits
            return self._shared(k, lambda start, stop: floats.scan(vectors, queries, k, start, stop, bits))
        if len(queries) >= FEW or cores < 2 or len(self.ids) < SPLIT or lists or some is not None:
            found = index.search(queries, k, params=parameters(index, some, lists))
            return found[0], found[1]
        # FAISS gives each question one core.
        return self._shared(k, partial(self._part, queries, k))

    def _shared(self, k: int, scan: Callable[[int, int], Scan]) -> Scan:
        """What is found where every core scans a part of the vectors."""
        cores = library().omp_get_max_threads()
        edges = np.linspace(0, len(self.ids), (cores if len(self.ids) >= SPLIT else 1) + 1).astype(int).tolist()
        each = _workers().map if len(edges) > 2 else map
        parts = list(each(lambda span: scan(*span), pairwise(edges)))
        scores, places = np.hstack([part[0] for part in parts]), np.hstack([part[1] for part in parts])
        best = np.argsort(np.where(places < 0, np.inf, -scores), axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, best, 1), np.take_along_axis(places, best, 1)

    def _part(self, queries: np.ndarray, k: int, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        faiss = library()

        if self._floats is None:
            among = faiss.SearchParameters(sel=faiss.IDSelectorRange(start, stop))
            scores, places = self._scanned.search(queries, k, params=among)
            return scores, places
        k = min(k, stop - start)
        scores, places = faiss.knn(queries, self._floats[start:stop], k, faiss.METRIC_INNER_PRODUCT)
        return scores, places + start


# -- how FAISS is asked


def parameters(index: Any, some: Some | None, effort: int) -> Any:
    """FAISS's search parameters for a type, those of the types within it included."""
    faiss = library()

    index = faiss.downcast_index(index)
    selector = None if some is None else some.selector()
    if isinstance(index, faiss.IndexPreTransform):
        return faiss.SearchParametersPreTransform(index_params=parameters(index.index, some, effort))
    if isinstance(index, faiss.IndexIVF):
        return faiss.SearchParametersIVF(nprobe=max(1, min(effort, index.nlist)), sel=selector)
    if isinstance(index, faiss.IndexHNSW):
        return faiss.SearchParametersHNSW(efSearch=effort, sel=selector)
    return faiss.SearchParameters(sel=selector) if selector is not None else None


@cache
def _workers() -> ThreadPoolExecutor:
    """For scans, each on one core: where FAISS takes a part, its own threads would wait for ours. A fork's child makes
    its own.
    """
    on_fork(child=_workers.cache_clear)
    cores = library().omp_get_max_threads()
    return ThreadPoolExecutor(cores, "scan", initializer=lambda: library().omp_set_num_threads(1))


def entered(outer: Any, ids: np.ndarray) -> Any:
    """FAISS's IndexIDMap with the ids of all vectors in the index under it. ids: (n,) int64"""
    library().copy_array_to_vector(np.ascontiguousarray(ids, dtype=np.int64), outer.id_map)
    outer.ntotal = outer.index.ntotal
    return outer
