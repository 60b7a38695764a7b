"""The vectors of one state of the store: a FAISS index, what was added since and what went, searched as one.

An add to a large index so costs what it adds. The cache file holds the FAISS index; it is written anew when enough has
changed since, and an index catches up with the store by the ids of what came and the store's memory of what went.
"""

import os
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from searcher import cachefile
from searcher.cachefile import Stamp
from searcher.database import Head
from searcher.errors import BadValue, SearcherError
from searcher.index import FLAT, VectorIndex, flat_bytes
from searcher.settings import IndexSettings
from searcher.store import FORGET, Store

__all__ = ["CACHE", "Snapshot", "Snapshots"]

CACHE = "vectors.faiss"
DELTA = 4096  # passages come and gone, above which the cache file is written anew: they cost a millisecond a search
MANY = 16  # times as many are not caught up with: the cache file is written anew first
STALE_SECONDS = 3600  # no cache file takes that long to write


@dataclass(frozen=True)
class Snapshot:
    """The passages of one state; nothing in it ever changes, so threads search it at ease.

    base: a FAISS index of an earlier state, `stamp` says which. gone: ids in it that were removed since, rising.
    ids (m,), vectors (m, d): what was added since, ids rising.
    """

    head: Head
    stamp: Stamp
    base: VectorIndex
    gone: np.ndarray
    ids: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, base: VectorIndex, stamp: Stamp) -> "Snapshot":
        """The state that the index was made of."""
        none = np.empty(0, np.int64)
        vectors = np.empty((0, base.dimension), np.float32)
        return cls(Head(stamp.generation, stamp.nonce), stamp, base, none, none, vectors)

    def __len__(self) -> int:
        return len(self.base.ids) - len(self.gone) + len(self.ids)

    def caught_up(self, store: Store, head: Head) -> "Snapshot":
        """The snapshot of the state `head`, which is read now; passages never change, they only come and go."""
        went = store.removed(self.head.generation)
        ids, vectors = store.vectors(after=self.greatest)
        kept = ~_within(self.ids, went)
        gone = np.union1d(self.gone, went[_within(went, self.base.ids)])
        return replace(
            self, head=head, gone=gone,
            ids=np.concatenate([self.ids[kept], ids]), vectors=np.concatenate([self.vectors[kept], vectors]),
        )  # fmt: skip

    @property
    def greatest(self) -> int:
        """The greatest id of a passage in it."""
        return max([0, *self.base.ids[-1:].tolist(), *self.ids[-1:].tolist()])

    @cached_property
    def _kept(self) -> np.ndarray | None:
        """Which of the base are still there, (n,) bool; None when all are."""
        return ~_within(self.base.ids, self.gone) if len(self.gone) else None

    def search(self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None) -> np.ndarray:
        """Ids among which the k nearest of each query are. (q, d) float32 unit rows -> (q, c) int64.

        allowed: (m,) ids, rising, out of which the answers come; all min(k, m) of them are found.
        Raises BadValue for another dimension or a query with NaN or infinity (FAISS itself would only assert).
        """
        if queries.ndim != 2 or queries.shape[1] != self.base.dimension:
            raise BadValue(f"query vectors of shape {queries.shape}; the index has vectors of {self.base.dimension}")
        if not np.isfinite(queries).all():
            raise BadValue("a query vector has a NaN or infinite component")
        kept, ids, vectors = self._kept, self.ids, self.vectors
        if allowed is not None:
            wanted = _within(self.base.ids, allowed)
            kept = wanted if kept is None else wanted & kept
            fresh = _within(ids, allowed)
            ids, vectors = ids[fresh], vectors[fresh]
        found = self.base.search(queries, k, kept)
        return np.hstack([found, _nearest(ids, vectors, queries, k)]) if len(ids) else found


class Snapshots:
    """The snapshot of a store's present state, and the cache file. SEARCHER_DELTA: see DELTA."""

    def __init__(self, store: Store) -> None:
        self.store, self.path = store, Path(store.folder) / CACHE
        self._delta = int(os.environ.get("SEARCHER_DELTA") or DELTA)
        self._last: Snapshot | None = None
        self._lock = threading.Lock()

    def current(self) -> Snapshot | None:
        """The snapshot of the state that this thread reads, None while there are no passages. Call inside `reading`."""
        settings, head = self.store.settings(), self.store.database.head()
        if settings is None:
            return None
        with self._lock:
            if self._last is None or self._last.head != head:
                self._last = self._start(settings, head).caught_up(self.store, head)
            return self._last if len(self._last) else None

    def _start(self, settings: IndexSettings, head: Head) -> Snapshot:
        """What is caught up from: the last snapshot, that of a newer cache file, or one made of the stored vectors."""
        stamp, last = cachefile.stamp_of(self.path), self._last
        if last and not (
            self._fits(last.stamp, last.head, settings) and self._near(last.head.generation, last.greatest)
        ):
            last = None
        if stamp and (last is None or stamp.generation > last.stamp.generation):
            fits = self._fits(stamp, _state(stamp), settings) and self._near(stamp.generation, stamp.last)
            if fits and (base := self._load(stamp)):
                return Snapshot.of(base, stamp)
        return last or self._made(settings, head)

    def _fits(self, stamp: Stamp, head: Head, settings: IndexSettings) -> bool:
        """Whether an index made with that stamp, caught up to that state, can catch up with the present."""
        made_with = (stamp.fingerprint, stamp.dimension) == (settings.fingerprint, settings.dimension)
        return made_with and self.store.database.was(head)

    def _near(self, generation: int, last: int) -> bool:
        return self.store.changes(generation, last) <= MANY * self._delta

    def _load(self, stamp: Stamp) -> VectorIndex | None:
        body = cachefile.load(self.path, stamp)
        return None if body is None else VectorIndex.read(body)

    def _made(self, settings: IndexSettings, head: Head) -> Snapshot:
        """A snapshot of all stored vectors: by way of the cache file, in memory where that cannot be written."""
        ids = self.store.passage_ids()
        stamp = _stamp(settings, head, ids)
        if len(ids) and self._write(stamp, ids, present=True) and (base := self._load(stamp)):
            return Snapshot.of(base, stamp)
        return Snapshot.of(VectorIndex.build(*self.store.vectors()), stamp)

    def _write(self, stamp: Stamp, ids: np.ndarray, present: bool) -> bool:
        """Make the cache file of a state that held those ids, out of the stored vectors, a piece at a time.

        present: whether that state is read now. If not, a passage that went since is a vector of zeros in the file:
        whoever catches up from that state learns of it. False if it could not be written: a full disk, say.
        """
        try:
            _sweep(self.path)
            pieces = self.store.vector_pieces(ids, present)
            cachefile.save(self.path, flat_bytes(ids, pieces, stamp.dimension), stamp)
        except OSError:
            return False
        return True

    def publish(self, least: int = FORGET) -> None:
        """Bring the cache file up to date if much has changed, best effort: all that it holds is in SQLite already.

        least: as in `Store.forget`.
        """
        with suppress(SearcherError):  # damaged truth is the next reader's to say, this writer's work is done
            with self.store.database.reading():
                settings, head = self.store.settings(), self.store.database.head()
                if settings is None or self._is_fresh(settings):
                    return
                ids = self.store.passage_ids()
            if not len(ids):
                with suppress(OSError):
                    self.path.unlink(missing_ok=True)
            elif self._write(_stamp(settings, head, ids), ids, present=False):
                self.store.forget(head.generation, least)

    def _is_fresh(self, settings: IndexSettings) -> bool:
        stamp = cachefile.stamp_of(self.path)
        if stamp is None or not self._fits(stamp, _state(stamp), settings):
            return False
        return self.store.changes(stamp.generation, stamp.last) <= min(self._delta, stamp.count // 8)

    def rebuild(self) -> None:
        """Make the index anew from the stored vectors, and its cache file; what went is remembered nowhere then."""
        with self._lock:
            self._last = None
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.publish(least=0)

    def check(self) -> list[str]:
        """A line if the cache file cannot be used although it should, or holds other vectors than the store."""
        advice = "searcher check --repair makes it anew"
        with self.store.database.reading():
            settings, stamp = self.store.settings(), cachefile.stamp_of(self.path)
            if settings is None or not os.path.lexists(self.path):
                return []
            if not self.path.is_file():
                return [f"{CACHE} is not a file; move it away"]
            if cachefile.is_of_another_version(self.path):
                return []  # it is not used
            if stamp is None or (base := self._load(stamp)) is None:
                return [f"{CACHE} is damaged or was made by another user; {advice}"]
            if not self._fits(stamp, _state(stamp), settings):
                return []  # of an earlier state than the store remembers: it is not used
            snapshot = Snapshot.of(base, stamp).caught_up(self.store, self.store.database.head())
            ids = np.concatenate([base.ids[~_within(base.ids, snapshot.gone)], snapshot.ids])
            sound = np.array_equal(ids, self.store.passage_ids())
            at = 0
            for vectors in self.store.vector_pieces(base.ids, present=False):
                part = slice(at, at + len(vectors))
                kept = ~_within(base.ids[part], snapshot.gone)
                sound = sound and np.array_equal(base.vectors[part][kept], vectors[kept])
                at += len(vectors)
        return [] if sound else [f"{CACHE} does not hold the stored vectors; {advice}"]


def _state(stamp: Stamp) -> Head:
    return Head(stamp.generation, stamp.nonce)


def _stamp(settings: IndexSettings, head: Head, ids: np.ndarray) -> Stamp:
    last = int(ids[-1]) if len(ids) else 0
    return Stamp(*head, settings.fingerprint, settings.dimension, len(ids), last, FLAT)


def _within(ids: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which ids are among the others; both rising. (n,), (m,) -> (n,) bool."""
    if not len(others):
        return np.zeros(len(ids), dtype=bool)
    places = np.searchsorted(others, ids)
    places[places == len(others)] = 0
    return np.asarray(others[places] == ids)


def _nearest(ids: np.ndarray, vectors: np.ndarray, queries: np.ndarray, k: int) -> np.ndarray:
    """The k nearest of each query, exactly, in any order. (m,), (m, d), (q, d) -> (q, min(k, m))."""
    if k >= len(ids):
        return np.broadcast_to(ids, (len(queries), len(ids)))
    return ids[np.argpartition(queries @ vectors.T, -k, axis=1)[:, -k:]]


def _sweep(path: Path) -> None:
    """Delete what writers that were killed left behind."""
    for draft in path.parent.glob(f"{path.name}.*.tmp"):
        with suppress(FileNotFoundError):  # another process was quicker
            if time.time() - draft.stat().st_mtime > STALE_SECONDS:
                draft.unlink()
