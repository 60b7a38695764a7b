"""Which FAISS index belongs to the state of the store that is being read: loaded, caught up or built, and published."""

import threading
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from searcher.database import Head
from searcher.errors import DamagedIndex
from searcher.index import CACHE, Stamp, VectorIndex
from searcher.settings import IndexSettings
from searcher.store import Store

__all__ = ["Snapshots"]

STALE_SECONDS = 3600  # no cache file takes that long to write


class Snapshots:
    """The FAISS index of one store. An index is never changed, a new state gets a new one: threads search at ease."""

    def __init__(self, store: Store) -> None:
        self.store, self.path = store, Path(store.folder) / CACHE
        self._last: tuple[Head, VectorIndex] | None = None
        self._lock = threading.Lock()

    def current(self) -> VectorIndex | None:
        """The index of the state that this thread reads, None while there are no passages. Call inside `reading`."""
        settings, head = self.store.settings(), self.store.database.head()
        if settings is None:
            return None
        with self._lock:
            if self._last is None or self._last[0] != head:
                ids = self.store.passage_ids()
                if not len(ids):
                    return None
                index = self._caught_up(ids, settings) or VectorIndex.load(self.path, _stamp(head, len(ids), settings))
                if index is None or index.dimension != settings.dimension or not np.array_equal(index.ids, ids):
                    index = VectorIndex.build(*self.store.vectors())
                    if not np.array_equal(index.ids, ids):
                        raise DamagedIndex("passages and vectors do not belong together; run: searcher check")
                self._last = head, index
            return self._last[1]

    def _caught_up(self, ids: np.ndarray, settings: IndexSettings) -> VectorIndex | None:
        """The last index with what was added and removed since; passages never change, they only come and go."""
        if self._last is None or self._last[1].dimension != settings.dimension:
            return None
        old = self._last[1]
        new_ids, new_vectors = self.store.vectors(after=int(old.ids[-1]))
        kept = np.isin(old.ids, ids)
        return VectorIndex.build(
            np.concatenate([old.ids[kept], new_ids]), np.concatenate([old.vectors[kept], new_vectors])
        )

    def publish(self) -> None:
        """Bring the cache file up to date, best effort: all that it holds is in SQLite already."""
        with self.store.database.reading():
            settings, head, count = self.store.settings(), self.store.database.head(), len(self.store.passage_ids())
            if settings and count and VectorIndex.stamped(self.path, _stamp(head, count, settings)):
                return  # nothing was written since
            index = self.current()
        # A full disk, a read-only folder: the next opening rebuilds it.
        with suppress(OSError):
            _sweep(self.path)
            if index is None or settings is None:
                self.path.unlink(missing_ok=True)
            else:
                index.save(self.path, _stamp(head, count, settings))

    def rebuild(self) -> None:
        """Make the index anew from the stored vectors, and its cache file."""
        with self._lock:
            self._last = None
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.publish()

    def check(self) -> list[str]:
        """A line if the cache file is taken for that of the present state, but holds other vectors."""
        with self.store.database.reading():
            settings, head = self.store.settings(), self.store.database.head()
            ids, vectors = self.store.vectors()
        if settings is None or not len(ids):
            return []
        index = VectorIndex.load(self.path, _stamp(head, len(ids), settings))
        if index is None or (np.array_equal(index.ids, ids) and np.array_equal(index.vectors, vectors)):
            return []
        return [f"{CACHE} does not hold the stored vectors; make it anew: searcher reindex"]


def _stamp(head: Head, count: int, settings: IndexSettings) -> Stamp:
    return Stamp(head.generation, head.nonce, count, settings.dimension, settings.fingerprint)


def _sweep(path: Path) -> None:
    """Delete what writers that were killed left behind."""
    for draft in path.parent.glob(f"{path.name}.*.tmp"):
        if time.time() - draft.stat().st_mtime > STALE_SECONDS:
            draft.unlink(missing_ok=True)
