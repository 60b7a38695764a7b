"""The vectors of one state of the store: a FAISS index, what was added since and what went, searched as one.

An add to a large index so costs what it adds. The cache file, of the life that beside.py says, holds the FAISS index:
made of the stored vectors, or grown out of the file before it where the type can grow.
"""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from searcher.embedding import IndexSettings
from searcher.engines.beside import Beside, state_of, within
from searcher.errors import BadValue, DamagedIndex, IndexUnavailable, SearcherError
from searcher.records import Head
from searcher.store import FORGET, Store
from searcher.system import kept_once
from searcher.vectors import (
    FLAT,
    VECTORS,
    Content,
    Found,
    Some,
    Stamp,
    VectorIndex,
    cachefile,
    chosen,
    content,
    fitted,
    grown,
    index_type,
    trained,
)

__all__ = ["CACHE", "Snapshot", "Snapshots"]

CACHE = "vectors.faiss"
FILTERS = 16  # of which it is remembered what they let through
TIMES = 4  # as large an index may grow before it is trained anew, for it was trained on a sample of what there was
LIVING = 0.75  # of an index that only grows has to be there still, or it is made anew
WORSE = 2  # times the error of the old codes, above which they are not grown
MEASURED = {"fp16", "sq8"}  # types whose file says how far a vector may lie from its code


class Chosen(NamedTuple):
    """What of a snapshot a filter lets through: which of the base, and the places of those added since."""

    allowed: np.ndarray
    some: Some
    places: np.ndarray


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
        gone = np.empty(0, np.int64) if base.dead is None else base.ids[base.dead]
        vectors = np.empty((0, base.dimension), np.float32)
        return cls(Head(stamp.generation, stamp.nonce), stamp, base, gone, np.empty(0, np.int64), vectors)

    def __len__(self) -> int:
        return len(self.base.ids) - len(self.gone) + len(self.ids)

    def caught_up(self, store: Store, head: Head) -> "Snapshot":
        """The snapshot of the state `head`, which is read now; passages never change, they only come and go."""
        went = store.removed(self.head.generation)
        ids, vectors = store.vectors(after=self.greatest)
        kept = ~within(self.ids, went)
        gone = np.union1d(self.gone, went[within(went, self.base.ids)])
        return replace(
            self, head=head, gone=gone,
            ids=np.concatenate([self.ids[kept], ids]), vectors=np.concatenate([self.vectors[kept], vectors]),
        )  # fmt: skip

    @property
    def greatest(self) -> int:
        """The greatest id of a passage in it."""
        return max([0, *self.base.ids[-1:].tolist(), *self.ids[-1:].tolist()])

    @property
    def present(self) -> np.ndarray:
        """Ids of all passages in it, rising. (n,) int64"""
        return np.concatenate([self.base.ids if self._kept is None else self.base.ids[self._kept.mask], self.ids])

    @kept_once
    def _kept(self) -> Some | None:
        """Which of the base are still there; None when all are."""
        return Some(~within(self.base.ids, self.gone)) if len(self.gone) else None

    @kept_once
    def _chosen(self) -> OrderedDict[int, Chosen]:
        """What filters let through, by the identity of their arrays of ids."""
        return OrderedDict()

    def _among(self, allowed: np.ndarray) -> Chosen:
        """Which passages are among those allowed; worked out once for an array, as a filter gives it again."""
        known = self._chosen.get(id(allowed))
        if known is None:
            wanted = within(self.base.ids, allowed)
            some = Some(wanted if self._kept is None else wanted & self._kept.mask)
            known = self._chosen[id(allowed)] = Chosen(allowed, some, np.flatnonzero(within(self.ids, allowed)))
            while len(self._chosen) > FILTERS:
                self._chosen.popitem(last=False)
        return known

    def search(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, effort: int | None = None,
        exact: bool = False,
    ) -> Found:  # fmt: skip
        """Candidates among which the k nearest of each query are, as far as the type of the index finds them.

        As `parts`, together.
        """
        parts = self.parts(queries, k, allowed, effort, exact)
        return Found(*map(np.hstack, zip(*parts, strict=True)))

    def parts(
        self, queries: np.ndarray, k: int, allowed: np.ndarray | None = None, effort: int | None = None,
        exact: bool = False,
    ) -> list[Found]:  # fmt: skip
        """The candidates that the base finds, and the nearest of those that were added since, if there are any.

        queries: (q, d) float32 unit rows. allowed: (m,) ids, rising, out of which they come: min(k, m) are found.
        effort, exact: as in `VectorIndex.search`.
        Raises BadValue for another dimension or a query with NaN or infinity (FAISS itself would only assert).
        """
        if queries.ndim != 2 or queries.shape[1] != self.base.dimension:
            raise BadValue(f"query vectors of shape {queries.shape}; the index has vectors of {self.base.dimension}")
        if not np.isfinite(queries).all():
            raise BadValue("a query vector has a NaN or infinite component")
        some, ids, vectors = self._kept, self.ids, self.vectors
        if allowed is not None:
            _, some, places = self._among(allowed)
            ids, vectors = ids[places], vectors[places]
        found = self.base.search(queries, self.base.type.candidates(k), some, effort, exact)
        return [found, _nearest(ids, vectors, queries, k)] if len(ids) else [found]


class Snapshots(Beside[Snapshot]):
    """The snapshot of a store's present state, and the cache file."""

    name, kind, content = CACHE, VECTORS, "the stored vectors"

    def current(self) -> Snapshot | None:
        """The snapshot of the state that this thread reads, None while there are no passages. Call inside `reading`."""
        return self._present() or None

    def _made_with(self) -> tuple[str, int] | None:
        settings = self.store.settings()
        return None if settings is None else (settings.fingerprint, settings.dimension)

    def _parsed(self, body: np.ndarray, stamp: Stamp) -> Snapshot:
        return Snapshot.of(VectorIndex.read(body, stamp.type, stamp.error), stamp)

    def _whole(self, held: Snapshot) -> Snapshot:
        if len(held) != (stored := self.store.held()):
            raise DamagedIndex(f"{len(held):,} of {stored:,} passages are there; run: searcher check")
        return held

    def _made(self, head: Head) -> Snapshot | None:
        """A snapshot of all stored vectors: by way of the cache file, in memory where that cannot be written.

        An exact one whatever type is wanted: it is there in seconds, and somebody waits for an answer.
        """
        if (settings := self.store.settings()) is None:
            return None
        ids = self.store.searched_ids()
        stamp = _stamp(settings, head, ids)
        written = self._write(stamp, ids, present=True) if len(ids) else None
        snapshot = self._load(written) if written else None
        return Snapshot.of(VectorIndex.build(*self.store.vectors()), stamp) if snapshot is None else snapshot

    # -- the file

    def _write(self, stamp: Stamp, ids: np.ndarray, present: bool) -> Stamp | None:
        """Make the cache file of a state that held those ids, out of the stored vectors, a piece at a time; its stamp.

        present: whether that state is read now. If not, a passage that went since is a vector of zeros in the file:
        whoever catches up from that state learns of it. None if it could not be written: a full disk, say.
        """
        old = cachefile.stamp_of(self.path)
        try:
            written = cachefile.save(self.path, self._content(stamp, ids, present, old), stamp)
            if old and old.error and written.error and written.type == old.type and written.error > WORSE * old.error:
                # What came lies outside of what the codes were made for: they are made anew.
                written = cachefile.save(self.path, self._content(stamp, ids, present, None), stamp)
            return written
        except OSError:
            return None

    def _content(self, stamp: Stamp, ids: np.ndarray, present: bool, old: Stamp | None) -> Content:
        """What hands on the bytes of an index of the stamp's type; of one that grows out of an old file, if it may."""
        if old and (body := self._growing(old, stamp)) is not None:
            base = VectorIndex.read(body, old.type)
            fresh = ids[np.searchsorted(ids, base.ids[-1], side="right") :]
            every = np.concatenate([base.ids, fresh])
            kept = within(every, ids)
            if kept.sum() >= LIVING * len(every):
                return grown(body, self.store.vector_pieces(fresh, present), every, kept, old.error)
        pieces = partial(self.store.vector_pieces, ids, present)
        index = trained(index_type(stamp.type), len(ids), stamp.dimension, partial(self._sample, ids))
        return content(fitted(index, pieces()), pieces(), ids)

    def _growing(self, old: Stamp, new: Stamp) -> np.ndarray | None:
        """The cache file's FAISS bytes if its index may grow into the new one: of the same making, not much smaller.

        None of a flat one, which is made of the stored vectors each time: they are its content.
        """
        if old.type in MEASURED and old.error is None:  # an older searcher's
            return None
        alike = new.type != FLAT and (old.type, old.fingerprint, old.dimension) == (
            new.type,
            new.fingerprint,
            new.dimension,
        )
        if not alike or not 0 < new.count <= TIMES * old.count or not self.store.database.was(state_of(old)):
            return None
        return cachefile.load(self.path, old)

    def _sample(self, ids: np.ndarray, count: int) -> np.ndarray:
        """Vectors drawn from all. (n,) ids -> (at most count, d) float32"""
        drawn = np.random.default_rng(0).choice(ids, min(count, len(ids)), replace=False)
        return self.store.vectors_of(np.sort(drawn))

    def publish(
        self, least: int = FORGET, kind: str | None = None, anew: bool = False, needed: int | None = None
    ) -> bool:
        """Bring the cache file up to date if much has changed; all that it holds is in SQLite already.

        least: as in `Store.forget`. kind: the type, if not the one that the index's owner wants. anew: whatever has
        changed. needed: an earlier state from which something else catches up. False if a file was to be written and
        could not be.
        """
        # The type that is asked for now may be none; the one that was wanted long ago fails no write.
        quiet = (SearcherError,) if kind is None else (DamagedIndex, IndexUnavailable)
        with suppress(*quiet):  # damaged truth is the next reader's to say, this writer's work is done
            with self.store.database.reading():
                settings, head = self.store.settings(), self.store.database.head()
                if settings is None or (not anew and self._is_fresh()):
                    return True
                ids, wanted = self.store.searched_ids(), kind or self.store.indexing().type
            if not len(ids):
                self._delete()
                return True
            if self._write(_stamp(settings, head, ids, chosen(wanted, len(ids))[0]), ids, present=False):
                self.store.forget(head.generation if needed is None else min(head.generation, needed), least)
                return True
        return False

    def rebuild(self, kind: str | None = None, needed: int | None = None) -> None:
        """Make the index anew from the stored vectors, and its cache file; what went is remembered nowhere then.

        kind, needed: as in `publish`. Searches go on with the old file meanwhile. BadValue for a type that cannot be.
        """
        self._forget()
        if kind is None:  # nothing of the old one may get into it
            self._delete()
        if not self.publish(least=0, kind=kind, anew=True, needed=needed) and kind is not None:
            raise IndexUnavailable(f"{self.path} could not be written")

    def _is_true(self, held: Snapshot) -> bool:
        if not np.array_equal(held.present, self.store.searched_ids()):
            return False
        if (vectors := held.base.vectors) is None:
            return True
        at = 0
        for stored in self.store.vector_pieces(held.base.ids, present=False):
            part = slice(at, at + len(stored))
            kept = ~within(held.base.ids[part], held.gone)
            if not np.array_equal(vectors[part][kept], stored[kept]):
                return False
            at += len(stored)
        return True


def _stamp(settings: IndexSettings, head: Head, ids: np.ndarray, kind: str = FLAT) -> Stamp:
    last = int(ids[-1]) if len(ids) else 0
    return Stamp(*head, settings.fingerprint, settings.dimension, len(ids), last, kind)


def _nearest(ids: np.ndarray, vectors: np.ndarray, queries: np.ndarray, k: int) -> Found:
    """The k nearest of each query, exactly, in any order. (m,), (m, d), (q, d) -> (q, min(k, m))."""
    scores = queries @ vectors.T
    if k >= len(ids):
        return Found(scores, np.broadcast_to(ids, scores.shape))
    best = np.argpartition(scores, -k, axis=1)[:, -k:]
    return Found(np.take_along_axis(scores, best, 1), ids[best])
