"""The postings of a store's present state, and their file: who holds the words of a question, in milliseconds.

As with the FAISS file (snapshots.py) the file holds an earlier state; what came since is a segment beside it, what went
is left out, and the store's memory of both says what that is. Where the file is missing, damaged or of another history,
FTS5 answers; who adds, reindexes or compacts makes it anew.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from searcher.engines.snapshots import DELTA, MANY
from searcher.engines.words import Scored
from searcher.errors import DamagedIndex, IndexUnavailable
from searcher.postings import Collection, Part, Segment, meet, merged
from searcher.records import Head
from searcher.store import Store, tokens_of, way_of_words
from searcher.vectors import Stamp, cachefile

__all__ = ["POSTINGS", "Inverted", "PostingsAsked"]

POSTINGS = "words.postings"
LEAST = 10_000  # passages, below which FTS5 answers as fast: no file is kept
KIND = "postings"
NONE = np.empty(0, np.int32)


class State(NamedTuple):
    """A collection, the state of which it is, and the stamp of the file that it began with."""

    head: Head
    stamp: Stamp
    collection: Collection

    @property
    def greatest(self) -> int:
        """The greatest id of a passage in it."""
        return max(int(part.segment.ids[-1]) if len(part.segment) else 0 for part in self.collection.parts)

    def caught_up(self, store: Store, head: Head) -> "State":
        """That of the state `head`, which is read now; passages never change, they only come and go."""
        base, *fresh = self.collection.parts
        went = store.removed(self.head.generation)
        gone = np.union1d(base.gone, meet(base.segment.ids, went)[0]).astype(np.int32)
        old = [(part.segment, _kept(part.segment, went)) for part in fresh]
        new = [(segment, None) for segment in store.segments(after=self.greatest)]
        delta = [Part(merged([*old, *new]), NONE)] if old or new else []
        return State(head, self.stamp, Collection((Part(base.segment, gone), *delta)))


class PostingsAsked:
    """The words of one question in a collection, as `Holding`. letters: what the tokenizer leaves of each."""

    def __init__(self, collection: Collection, letters: Mapping[str, bytes]) -> None:
        self._collection, self.passages = collection, collection.passages
        self._words = {word: collection.word(own, word.endswith("*")) for word, own in letters.items()}

    @classmethod
    def of(cls, collection: Collection, words: Sequence[str]) -> "PostingsAsked | None":
        """None if a word is several to the tokenizer: a phrase, which only FTS5 finds."""
        tokens = dict(zip(words, tokens_of([word.removesuffix("*") for word in words]), strict=True))
        if any(len(own) > 1 for own in tokens.values()):
            return None
        return cls(collection, {word: own[0] for word, own in tokens.items() if own})

    def held(self, word: str) -> int:
        """As in `Holding`."""
        return self._words[word].holding if word in self._words else 0

    def holds(self, word: str, ids: np.ndarray, most: int) -> tuple[int, np.ndarray]:
        """As in `Holding`."""
        if not 0 < (count := self.held(word)) <= most:
            return count, np.zeros(len(ids), bool)
        return count, self._collection.holds(self._words[word], ids)

    def best(self, held: Mapping[str, int], k: int, allowed: np.ndarray | None, others: Sequence[int]) -> Scored:
        """As in `Holding`."""
        words = [self._words[word] for word in sorted(held, key=held.__getitem__) if held[word]]
        found = self._collection.best(words, k, allowed, others)
        return list(zip(found.places.tolist(), found.scores.tolist(), strict=True))


class Inverted:
    """The postings of a store's present state, and their file.

    SEARCHER_POSTINGS: from how many passages on there is a file, in the place of LEAST. SEARCHER_DELTA: as of the
    FAISS file.
    """

    def __init__(self, store: Store) -> None:
        self.store, self.path = store, Path(store.folder) / POSTINGS
        self._delta = int(os.environ.get("SEARCHER_DELTA") or DELTA)
        self._least = int(os.environ.get("SEARCHER_POSTINGS") or LEAST)
        self._last: State | None = None
        self._lock = threading.Lock()

    def asked(self, words: Sequence[str]) -> PostingsAsked | None:
        """A question's words in the state that this thread reads; None where only FTS5 knows. Call inside `reading`."""
        collection = self.current()
        return None if collection is None else PostingsAsked.of(collection, words)

    def current(self) -> Collection | None:
        """The postings of the state that this thread reads; None where there is no file that they could come from."""
        head = self.store.database.head()
        with self._lock:
            if self._last is None or self._last.head != head:
                start = self._start()
                self._last = start and start.caught_up(self.store, head)
            last = self._last
        return last.collection if last and last.collection.passages == self.store.passages_held() else None

    def _start(self) -> State | None:
        """What is caught up from: the last state, or that of a newer file."""
        stamp, last = cachefile.stamp_of(self.path), self._last
        if last and not (self.store.database.was(last.head) and self._near(last.head.generation, last.greatest)):
            last = None
        if stamp is None or (last and (stamp == last.stamp or stamp.generation < last.stamp.generation)):
            return last
        fits = self._fits(stamp) and self._near(stamp.generation, stamp.last)
        return _state(base, stamp) if fits and (base := self._load(stamp)) else last

    def _fits(self, stamp: Stamp) -> bool:
        """Whether what a file of that stamp holds can catch up with the present."""
        head = Head(stamp.generation, stamp.nonce)
        return (stamp.type, stamp.fingerprint) == (KIND, way_of_words()) and self.store.database.was(head)

    def _near(self, generation: int, last: int) -> bool:
        return self.store.changes(generation, last) <= MANY * self._delta

    def _load(self, stamp: Stamp) -> Segment | None:
        body = cachefile.load(self.path, stamp) if stamp.type == KIND else None  # not a cache of another kind
        return None if body is None else Segment.read(body)

    # -- the file

    def generation(self) -> int | None:
        """Which state the file holds, if it is of any use: that must not be forgotten."""
        with self.store.database.reading():
            stamp = cachefile.stamp_of(self.path)
            return stamp.generation if stamp and self._fits(stamp) else None

    def publish(self, anew: bool = False) -> bool:
        """Bring the file up to date if much has changed, by what has changed; all of it is in SQLite already.

        anew: whatever has changed. False if a file was to be written and could not be.
        """
        with suppress(DamagedIndex, IndexUnavailable):  # the next reader's to say: this writer's work is done
            with self.store.database.reading():
                head, count = self.store.database.head(), self.store.passages_held()
                if count < max(1, self._least):
                    with suppress(OSError):
                        self.path.unlink(missing_ok=True)
                    return True
                if not anew and self._is_fresh():
                    return True
                known, ids = self.current(), self.store.passage_ids()
            parts = known.parts if known else [Part(own, NONE) for own in self.store.segments(last=int(ids[-1]))]
            segment = merged([(part.segment, part.kept) for part in parts])
            stamp = Stamp(*head, way_of_words(), 0, len(segment), int(ids[-1]), KIND)
            with suppress(OSError):  # a full disk, say: FTS5 answers
                cachefile.save(self.path, segment.write, stamp)
                return True
        return False

    def _is_fresh(self) -> bool:
        stamp = cachefile.stamp_of(self.path)
        if stamp is None or not self._fits(stamp):
            return False
        return self.store.changes(stamp.generation, stamp.last) <= min(self._delta, stamp.count // 8)

    def rebuild(self) -> None:
        """Make the file anew from the stored passages, with no trace of any other."""
        with self._lock:
            self._last = None
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.publish(anew=True)

    def check(self) -> list[str]:
        """A line if the file cannot be used although it should, or holds other words than the passages."""
        try:
            return self._checked("searcher check --repair makes it anew")
        except DamagedIndex as fault:  # of the database, which has lines of its own for it
            return [str(fault)]

    def _checked(self, advice: str) -> list[str]:
        with self.store.database.reading():
            if not os.path.lexists(self.path):
                return []
            if not self.path.is_file():
                return [f"{POSTINGS} is not a file; move it away"]
            if cachefile.is_of_another_version(self.path):
                return []  # it is not used
            stamp = cachefile.stamp_of(self.path)
            if stamp is None or (base := self._load(stamp)) is None:
                return [f"{POSTINGS} is damaged or was made by another user; {advice}"]
            if not self._fits(stamp):
                return []  # of another way of words, or of an earlier state than the store remembers: it is not used
            held = _state(base, stamp).caught_up(self.store, self.store.database.head()).collection
            made = merged([(segment, None) for segment in self.store.segments()])
            sound = merged([(part.segment, part.kept) for part in held.parts]).equals(made)
        return [] if sound else [f"{POSTINGS} does not hold the words of the passages; {advice}"]


def _state(base: Segment, stamp: Stamp) -> State:
    return State(Head(stamp.generation, stamp.nonce), stamp, Collection((Part(base, NONE),)))


def _kept(segment: Segment, went: np.ndarray) -> np.ndarray:
    """Which passages of a segment did not go. -> (n,) bool"""
    kept = np.ones(len(segment), bool)
    kept[meet(segment.ids, went)[0]] = False
    return kept
