"""The postings of a store's present state, and their file: who holds the words of a question, in milliseconds.

The file has the life that beside.py says; what came since is a segment beside it, what went is left out. No reader
makes it: where there is none of use, FTS5 answers.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from searcher.engines.beside import Beside, state_of, within
from searcher.engines.words import Scored
from searcher.errors import DamagedIndex, IndexUnavailable
from searcher.postings import Collection, Part, Segment, meet, merged
from searcher.records import Head
from searcher.store import Store, tokens_of, way_of_words
from searcher.system import whole_number_of
from searcher.vectors import WORDS, Stamp, cachefile

__all__ = ["POSTINGS", "Inverted", "PostingsAsked"]

POSTINGS = "words.postings"
LEAST = 10_000  # passages, below which FTS5 answers as fast: no file is kept
NONE = np.empty(0, np.int32)


@dataclass(frozen=True)
class State:
    """A collection, the state of which it is, and the stamp of the file that it began with."""

    head: Head
    stamp: Stamp
    collection: Collection

    def __len__(self) -> int:
        return self.collection.passages

    @property
    def greatest(self) -> int:
        """The greatest id of a passage in it."""
        return max(int(part.segment.ids[-1]) if len(part.segment) else 0 for part in self.collection.parts)

    def caught_up(self, store: Store, head: Head) -> "State":
        """That of the state `head`, which is read now; passages never change, they only come and go."""
        base, *fresh = self.collection.parts
        went = store.removed(self.head.generation)
        gone = np.union1d(base.gone, meet(base.segment.ids, went)[0]).astype(np.int32)
        old = [(part.segment, ~within(part.segment.ids, went)) for part in fresh]
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


class Inverted(Beside[State]):
    """The postings of a store's present state, and their file.

    SEARCHER_POSTINGS: from how many passages on there is a file, in the place of LEAST.
    """

    name, kind, content = POSTINGS, WORDS, "the words of the passages"

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._asked: tuple[Collection, Sequence[str], PostingsAsked | None] | None = None  # a search asks twice
        self._least = whole_number_of("SEARCHER_POSTINGS", LEAST)

    def asked(self, words: Sequence[str]) -> PostingsAsked | None:
        """A question's words in the state that this thread reads; None where only FTS5 knows. Call inside `reading`."""
        if (collection := self.current()) is None:
            return None
        known = self._asked
        if known is None or known[0] is not collection or known[1] != words:
            self._asked = known = collection, words, PostingsAsked.of(collection, words)
        return known[2]

    def current(self) -> Collection | None:
        """The postings of the state that this thread reads; None where there is no file that they could come from."""
        state = self._present()
        return None if state is None else state.collection

    def _made_with(self) -> tuple[str, int]:
        return way_of_words(), 0

    def _parsed(self, body: np.ndarray, stamp: Stamp) -> State:
        return State(state_of(stamp), stamp, Collection((Part(Segment.read(body), NONE),)))

    def _made(self, head: Head) -> None:
        return None

    def _whole(self, held: State) -> State | None:
        return held if len(held) == self.store.passages_held() else None

    # -- the file

    def generation(self) -> int | None:
        """Which state the file holds, if it is of any use: that must not be forgotten."""
        with self.store.database.reading():
            stamp = cachefile.stamp_of(self.path)
            return stamp.generation if stamp and self._fits(stamp, state_of(stamp)) else None

    def publish(self, anew: bool = False) -> bool:
        """Bring the file up to date if much has changed, by what has changed; all of it is in SQLite already.

        anew: whatever has changed. False if a file was to be written and could not be.
        """
        with suppress(DamagedIndex, IndexUnavailable):  # the next reader's to say: this writer's work is done
            with self.store.database.reading():
                head, count = self.store.database.head(), self.store.passages_held()
                if count < max(1, self._least):
                    self._delete()
                    return True
                if not anew and self._is_fresh():
                    return True
                known, ids = self.current(), self.store.passage_ids()
            parts = known.parts if known else [Part(own, NONE) for own in self.store.segments(last=int(ids[-1]))]
            segment = merged([(part.segment, part.kept) for part in parts])
            stamp = Stamp(*head, *self._made_with(), len(segment), int(ids[-1]), WORDS)
            with suppress(OSError):  # a full disk, say: FTS5 answers
                cachefile.save(self.path, segment.write, stamp)
                return True
        return False

    def rebuild(self) -> None:
        """Make the file anew from the stored passages, with no trace of any other."""
        self._forget()
        self._delete()
        self.publish(anew=True)

    def _is_true(self, held: State) -> bool:
        made = merged([(segment, None) for segment in self.store.segments()])
        return merged([(part.segment, part.kept) for part in held.collection.parts]).equals(made)
