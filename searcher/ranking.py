"""Query vectors → hits: what a query may be, and the nearest passages with scores from the stored vectors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from searcher.errors import BadValue
from searcher.index import Found
from searcher.index_types import IndexType, check_knob
from searcher.pooling import normalize
from searcher.schema import Row
from searcher.snapshots import Snapshot, Snapshots
from searcher.store import READ_ROWS, Store

__all__ = [
    "ANY", "Effort", "Hit", "best_ids", "check_k", "cosine", "cosines", "nearest", "query_texts", "query_vectors",
]  # fmt: skip

Hit = tuple[float, Row]  # score and passage

PROOFS = [2, 8, 32]  # times as many candidates as hits, in turn, until the hits are proven to be the nearest
QUERY_CHARACTERS = 1_000_000  # only the model's window of it counts; a longer one is a mistake


@dataclass(frozen=True)
class Effort:
    """How hard to look. ef, nprobe: the knob of an index of type hnsw or ivf; exact: at every passage."""

    ef: int | None = None
    nprobe: int | None = None
    exact: bool = False

    def __post_init__(self) -> None:
        for name in ("ef", "nprobe"):
            if (value := getattr(self, name)) is not None:
                check_knob(name, value)

    def of(self, kind: IndexType) -> int | None:
        """The value for that type's knob, None if none was given. BadValue for one that it does not have."""
        for name in ("ef", "nprobe"):
            if getattr(self, name) is not None and name != kind.knob and not self.exact:
                raise BadValue(f"an index of type {kind.name} has no {name}; it has {kind.knob or 'no knob'}")
        return getattr(self, kind.knob) if kind.knob else None


ANY = Effort()


def query_vectors(query: np.ndarray) -> np.ndarray:
    """Unit vectors (q, d) float32 of vectors (d,) or (q, d) of any length. BadValue for one without a direction."""
    if query.ndim not in (1, 2):
        raise BadValue(f"query vectors of shape {query.shape}; good: (d,) or (q, d)")
    vectors = np.atleast_2d(query).astype(np.float64)
    largest = np.abs(vectors).max(axis=1, initial=0, keepdims=True)
    bad = {
        "has a NaN or infinite component": ~np.isfinite(largest),
        "is all zeros, which has no direction": largest == 0,
    }
    for fault, rows in bad.items():
        if rows.any():
            which = f"query vector {rows.argmax() + 1}" if query.ndim == 2 else "the query vector"
            raise BadValue(f"{which} {fault}")
    return normalize((vectors / largest).astype(np.float32))  # no square overflows


def query_texts(query: Any) -> list[str]:
    """The questions in a list of them. BadValue for one that is empty, too long or no text."""
    if isinstance(query, bytes) or not isinstance(query, Iterable):
        raise BadValue(f"the query is not a text: {query!r:.40}")
    texts = list(query)
    for number, text in enumerate(texts, 1):
        which = f"query {number}" if len(texts) > 1 else "the query"
        if not isinstance(text, str):
            raise BadValue(f"{which} is not a text: {text!r:.40}")
        if not text.strip():
            raise BadValue(f"{which} is empty")
        if len(text) > QUERY_CHARACTERS:
            raise BadValue(f"{which} has {len(text):,} characters; at most {QUERY_CHARACTERS:,} are taken")
    return texts


def check_k(k: Any, name: str = "k") -> None:
    """BadValue unless it is a number of hits."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise BadValue(f"{name} is {k!r}; it must be a whole number of at least 1")


def cosine(row: Row, vector: np.ndarray) -> float:
    """Of a passage's stored vector and a unit vector (d,)."""
    # Not for many at once: a matrix product may round equal rows differently.
    return max(-1.0, min(1.0, float(np.dot(row.vector, vector))))


def nearest(
    snapshots: Snapshots, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None, effort: Effort = ANY
) -> list[list[Hit]]:
    """The k hits of each query (q, d) by cosine, best first, equals in the order of their ids. Call inside `reading`.

    allowed: (m,) ids, rising, out of which they come.

    Scores are made from the stored vectors: a damaged FAISS index could miss a passage, never misjudge one.
    """
    check_k(k)
    snapshot, store = snapshots.current(), snapshots.store
    if snapshot is None:
        return [[] for _ in vectors]
    kind = snapshot.base.type
    knob = effort.of(kind) or store.indexing().effort_of(kind)
    best, known = _best(store, snapshot, vectors, int(k), allowed, knob, effort.exact)
    rows = store.rows(set(best[best >= 0].tolist()), known)
    ranked = []
    for vector, ids in zip(vectors, best, strict=True):
        hits = [(cosine(rows[number], vector), rows[number]) for number in ids.tolist() if number >= 0]
        ranked.append(sorted(hits, key=lambda hit: (-hit[0], hit[1].passage_id)))
    return ranked


def best_ids(
    store: Store, snapshot: Snapshot, vectors: np.ndarray, k: int, allowed: np.ndarray | None = None,
    knob: int | None = None, exact: bool = False,
) -> np.ndarray:  # fmt: skip
    """Ids of the k nearest of each query (q, d), best first. -> (q, at most k) int64, -1 where there are no more.

    knob, exact: as in `VectorIndex.search`, but exact is exact also for a type that only keeps codes.
    """
    return _best(store, snapshot, vectors, k, allowed, knob, exact)[0]


Known = dict[int, np.ndarray]  # id → stored vector (d,)


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


def cosines(store: Store, vectors: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Each query (q, d) with the stored vectors of its ids (q, k). -> (q, k) float32, -inf where an id is -1, none."""
    return np.where(ids < 0, -np.inf, _again(store, vectors, Found(np.empty(ids.shape, np.float32), ids))[0].scores)


def _proven(store: Store, snapshot: Snapshot, vectors: np.ndarray, k: int, allowed: np.ndarray | None) -> np.ndarray:
    """Ids of the k nearest of each query, exactly, of an index that only keeps codes. -> (q, at most k) int64

    As many candidates are scored again as it takes for the k-th best of them to be better than any other vector can be.
    """
    among = snapshot.present if allowed is None else allowed
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
