"""The nearest passages of the local engine: FAISS proposes, the stored vectors score and, where asked, prove."""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import TypeVar

import numpy as np

from searcher.engines.engine import ANY, Candidate, Effort, cosines
from searcher.engines.snapshots import Snapshot
from searcher.store import READ_ROWS, Store
from searcher.vectors import Found

__all__ = ["P", "Read", "best_ids", "nearest", "stored_cosines"]

Known = dict[int, np.ndarray]  # id → stored vector (d,)
P = TypeVar("P", bound=Candidate)
Read = Callable[[Iterable[int], Known | None], Mapping[int, P]]
PROOFS = [2, 8, 32]  # times as many candidates as hits, in turn, until the hits are proven to be the nearest


def nearest(
    store: Store,
    read: Read[P],
    snapshot: Snapshot,
    vectors: np.ndarray,
    k: int,
    allowed: np.ndarray | None = None,
    effort: Effort = ANY,
) -> list[list[tuple[float, P]]]:
    """The k hits of each query (q, d) by cosine, best first, equals in the order of their ids. Call inside `reading`.

    read: gives the passages, of ids and of the vectors that were read already. allowed: (m,) ids, rising, out of which
    they come.

    Scores are made from the stored vectors: a damaged FAISS index could miss a passage, never misjudge one.
    """
    kind = snapshot.base.type
    knob = effort.of(kind) or store.indexing().effort_of(kind)
    best, known = _best(store, snapshot, vectors, int(k), allowed, knob, effort.exact)
    rows = read(set(best[best >= 0].tolist()), known)
    ranked = []
    for vector, ids in zip(vectors, best, strict=True):
        found = [rows[number] for number in np.sort(ids[ids >= 0]).tolist()]
        scores = cosines(np.array([own.vector for own in found]), vector).tolist() if found else []
        ranked.append(sorted(zip(scores, found, strict=True), key=itemgetter(0), reverse=True))  # equals as they were
    return ranked


def best_ids(
    store: Store, snapshot: Snapshot, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None,
    knob: int | None = None, exact: bool = False,
) -> np.ndarray:  # fmt: skip
    """Ids of the k nearest of each query (q, d), best first. -> (q, at most k) int64, -1 where there are no more.

    knob, exact: as in `VectorIndex.search`, but exact is exact also for a type that only keeps codes.
    """
    return _best(store, snapshot, vectors, k, allowed, knob, exact)[0]


def _best(
    store: Store, snapshot: Snapshot, vectors: np.ndarray, k: int, allowed: np.ndarray | None, knob: int | None,
    exact: bool,
) -> tuple[np.ndarray, Known | None]:  # fmt: skip
    """What `best_ids` gives, and the vectors of all these, if they had to be read."""
    known = None
    if exact and snapshot.base.vectors is None:
        return _proven(store, snapshot, vectors, k, allowed), known
    found = snapshot.search(vectors, k, allowed, knob, exact)
    if snapshot.base.type.again > 1:
        found, known = _again(store, vectors, found)
    order = np.lexsort((found.ids, np.where(found.ids < 0, np.inf, -found.scores)))[:, :k]
    return np.take_along_axis(found.ids, order, 1), known


def _again(store: Store, vectors: np.ndarray, found: Found) -> tuple[Found, Known]:
    """The candidates with the inner products of the stored vectors, and these."""
    ids = np.unique(found.ids[found.ids >= 0])
    if not len(ids):
        return found, {}
    stored = store.vectors_of(ids)
    places = np.searchsorted(ids, found.ids).clip(max=len(ids) - 1)
    scores = np.empty(found.ids.shape, np.float32)
    for number, vector in enumerate(vectors):
        scores[number] = stored[places[number]] @ vector
    return Found(scores, found.ids), dict(zip(ids.tolist(), stored, strict=True))


def stored_cosines(store: Store, vectors: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Each query (q, d) with the stored vectors of its ids (q, k). -> (q, k) float32, -inf where an id is -1, none."""
    return np.where(ids < 0, -np.inf, _again(store, vectors, Found(np.empty(ids.shape, np.float32), ids))[0].scores)


def _proven(store: Store, snapshot: Snapshot, vectors: np.ndarray, k: int, allowed: np.ndarray | None) -> np.ndarray:
    """Ids of the k nearest of each query, exactly, of an index that only keeps codes. -> (q, at most k) int64

    As many candidates are scored again as it takes for the k-th best of them to be better than any other vector can be.
    """
    among = snapshot.present if allowed is None else np.intersect1d(allowed, snapshot.present, assume_unique=True)
    doubt, k = snapshot.base.doubt(vectors), min(k, len(among))
    if not k:
        return np.empty((len(vectors), 0), np.int64)
    best = np.full((len(vectors), k), -1, dtype=np.int64)
    open_ = np.arange(len(vectors))
    for times in PROOFS:
        if doubt is None or not len(open_):
            break
        base, *fresh = snapshot.parts(vectors[open_], times * k, allowed, exact=True)
        # What is not among the candidates is no better, by its code, than the least of them.
        least = np.where(base.ids < 0, -np.inf, base.scores).min(axis=1) if base.ids.size else -np.inf
        again, _ = _again(store, vectors[open_], Found(*map(np.hstack, zip(base, *fresh, strict=True))))
        order = np.lexsort((again.ids, np.where(again.ids < 0, np.inf, -again.scores)))[:, :k]
        best[open_] = np.take_along_axis(again.ids, order, 1)
        kth = np.take_along_axis(again.scores, order[:, -1:], 1)[:, 0]
        open_ = open_[kth <= least + doubt[open_]]
    if len(open_):
        best[open_] = _exhaustive(store, vectors[open_], k, among).ids
    return best


def _exhaustive(store: Store, vectors: np.ndarray, k: int, ids: np.ndarray) -> Found:
    """The k nearest of each query out of the stored vectors themselves: of an index that only keeps codes."""
    best = Found(np.empty((len(vectors), 0), np.float32), np.empty((len(vectors), 0), np.int64))
    for start in range(0, len(ids), READ_ROWS):
        part = ids[start : start + READ_ROWS]
        piece = store.vectors_of(part)
        own = np.broadcast_to(part, (len(vectors), len(part)))
        scores, names = np.hstack([best.scores, vectors @ piece.T]), np.hstack([best.ids, own])
        order = np.lexsort((names, -scores))[:, :k]
        best = Found(np.take_along_axis(scores, order, 1), np.take_along_axis(names, order, 1))
    return best
