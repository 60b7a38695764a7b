"""Which passages filters let through, remembered while the state is the same: who pages asks the same again."""

import threading
from collections import OrderedDict

import numpy as np

from searcher.filters import Filter
from searcher.records import Head
from searcher.store import Store

__all__ = ["Allowed"]

FILTERS = 16  # of which it is remembered


class Allowed:
    """The passages that filters allow in a store's present state."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[tuple[Head, str], np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def ids(self, where: Filter) -> np.ndarray:
        """Those that a filter allows, rising: (n,) int64, the same array while the state is the same.

        Call inside `reading`. Raises what `Store.filtered` does.
        """
        key = self._store.database.head(), repr(where)  # to Python true and 1 are equal, to a filter they are not
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = self._store.filtered(where)
        with self._lock:
            self._known[key] = found
            while len(self._known) > FILTERS:
                self._known.popitem(last=False)
        return found
