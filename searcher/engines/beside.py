"""A cache file beside the database and what it holds: of an earlier state, and caught up with the present in memory.

The store remembers its states, what came and what went, so whatever is of one of them catches up with the present. A
file that is missing, damaged, too old, or of another history, user or kind is none; who adds, reindexes or compacts
makes it anew.
"""

import os
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np

from searcher.errors import DamagedIndex
from searcher.records import Head
from searcher.store import Store
from searcher.system import whole_number_of
from searcher.vectors import Stamp, cachefile

__all__ = ["Beside", "Held", "state_of", "within"]

DELTA = 4096  # passages come and gone, above which a file is written anew: they cost a millisecond a search
MANY = 16  # times as many are not caught up with: the file is written anew first


class Held(Protocol):
    """What a file holds, as of one state of the store; nothing in it ever changes, so threads search it at ease."""

    @property
    def head(self) -> Head:
        """Which state."""

    @property
    def stamp(self) -> Stamp:
        """Of the file that it began with."""

    @property
    def greatest(self) -> int:
        """The greatest id of a passage in it, 0 if there is none."""

    def __len__(self) -> int:
        """How many passages are in it."""

    def caught_up(self, store: Store, head: Head) -> Self:
        """That of the state `head`, which is read now; passages never change, they only come and go."""


H = TypeVar("H", bound=Held)


class Beside(ABC, Generic[H]):
    """One such file, and its content in the state that was read last. SEARCHER_DELTA: in the place of DELTA."""

    name: ClassVar[str]  # of the file
    kind: ClassVar[str]  # of what it holds, as in `Stamp`
    content: ClassVar[str]  # which is that, in words

    def __init__(self, store: Store) -> None:
        self.store, self.path = store, Path(store.folder) / self.name
        self._delta = whole_number_of("SEARCHER_DELTA", DELTA)
        self._last: H | None = None
        self._lock = threading.Lock()

    # -- what each kind says of itself

    @abstractmethod
    def _made_with(self) -> tuple[str, int] | None:
        """The fingerprint and the dimension of a file that is of use; None while none is."""

    @abstractmethod
    def _parsed(self, body: np.ndarray, stamp: Stamp) -> H:
        """What is in a file of that stamp. body: (n,) uint8, verified."""

    @abstractmethod
    def _made(self, head: Head) -> H | None:
        """What is searched where there is nothing that catches up with the state `head`, which is read now."""

    @abstractmethod
    def _whole(self, held: H) -> H | None:
        """The same if it has as many passages as are stored now."""

    @abstractmethod
    def _is_true(self, held: H) -> bool:
        """Whether a file, caught up with the state that is read now, holds what is stored."""

    # -- the present state

    def _present(self) -> H | None:
        """What there is of the state that this thread reads. Call inside `reading`."""
        head = self.store.database.head()
        with self._lock:
            if self._last is None or self._last.head != head:
                start = self._start() or self._made(head)
                self._last = None if start is None else self._whole(start.caught_up(self.store, head))
            return self._last

    def _start(self) -> H | None:
        """What is caught up from: the last state, or that of a newer file."""
        stamp, last = cachefile.stamp_of(self.path), self._last
        if last and not (self._fits(last.stamp, last.head) and self._near(last.head.generation, last.greatest)):
            last = None
        if stamp and (not last or (stamp != last.stamp and stamp.generation >= last.stamp.generation)):
            near = self._fits(stamp, state_of(stamp)) and self._near(stamp.generation, stamp.last)
            return (self._load(stamp) if near else None) or last
        return last

    def _fits(self, stamp: Stamp, head: Head) -> bool:
        """Whether what was made with that stamp and caught up with that state can catch up with the present."""
        made_with = (stamp.fingerprint, stamp.dimension) == self._made_with()
        return stamp.kind == self.kind and made_with and self.store.database.was(head)

    def _near(self, generation: int, last: int) -> bool:
        return self.store.changes(generation, last) <= MANY * self._delta

    def _load(self, stamp: Stamp) -> H | None:
        """What the file of that stamp holds; None if it is not sound, or not of this kind: then nothing parses it."""
        body = cachefile.load(self.path, stamp) if stamp.kind == self.kind else None
        return None if body is None else self._parsed(body, stamp)

    # -- the file

    def _is_fresh(self) -> bool:
        """Whether so little has changed since the file was written that it need not be written anew."""
        stamp = cachefile.stamp_of(self.path)
        if stamp is None or not self._fits(stamp, state_of(stamp)):
            return False
        return self.store.changes(stamp.generation, stamp.last) <= min(self._delta, stamp.count // 8)

    def _delete(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _forget(self) -> None:
        """Let go what is in memory."""
        with self._lock:
            self._last = None

    def check(self) -> list[str]:
        """A line if the file cannot be used although it should, or holds something else than the store."""
        try:
            with self.store.database.reading():
                fault = self._fault()
        except DamagedIndex as damage:  # of the database, which has lines of its own for it
            return [str(damage)]
        return [f"{self.name} {fault}"] if fault else []

    def _fault(self) -> str | None:
        advice = "searcher check --repair makes it anew"
        if not os.path.lexists(self.path):
            return None
        if not self.path.is_file():
            return "is not a file; move it away"
        if cachefile.is_of_another_version(self.path) or not self.store.passages_held():
            return None  # it is not used
        stamp = cachefile.stamp_of(self.path)
        if stamp is None or (held := self._load(stamp)) is None:
            return f"is damaged or was made by another user; {advice}"
        if not self._fits(stamp, held.head):
            return None  # made otherwise, or of an earlier state than the store remembers: it is not used
        present = held.caught_up(self.store, self.store.database.head())
        return None if self._is_true(present) else f"does not hold {self.content}; {advice}"


def state_of(stamp: Stamp) -> Head:
    """Of which state a file is."""
    return Head(stamp.generation, stamp.nonce)


def within(ids: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which ids are among the others; both rising. (n,), (m,) -> (n,) bool."""
    if not len(others):
        return np.zeros(len(ids), dtype=bool)
    places = np.searchsorted(others, ids)
    places[places == len(others)] = 0
    return np.asarray(others[places] == ids)
