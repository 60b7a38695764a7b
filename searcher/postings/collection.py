"""All passages of one state: segments, without what went since they were made; the best of them by BM25, exactly.

MaxScore (Turtle & Flood 1995): a passage that holds none but common words cannot reach those that hold rare ones, so
the long lists are only asked about passages that could.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np

from searcher.postings.joining import Hand, Weighed, join, meet, unite
from searcher.postings.segment import Listed, Segment
from searcher.system import kept_once

__all__ = ["Collection", "Part", "Word", "weight"]

FILTERS = 16  # of which it is remembered what they let through
ENOUGH = 20  # passages for each hit, with the rarest words, tell how high the best ones score
NARROW = 256  # a filter that lets through so many times fewer passages than hold the words is looked through itself
SURE = 1 - 1e-9  # sums of bounds are rounded otherwise than sums of scores


class Word(NamedTuple):
    """A word of a question and who holds it: its list in each part, and how many passages that are there."""

    lists: tuple[Listed, ...]
    holding: int


class Found(NamedTuple):
    """Passages, (n,): their places, or their ids; and their BM25, (n,) float64."""

    places: np.ndarray
    scores: np.ndarray


class Chosen(NamedTuple):
    """What a filter lets through: its ids, (m,) int64; which passages, (n,) bool; their places, rising, int32."""

    allowed: np.ndarray
    mask: np.ndarray
    places: np.ndarray


@dataclass(frozen=True)
class Part:
    """A segment, and the places of those of its passages that are there no more, (g,) int32, rising."""

    segment: Segment
    gone: np.ndarray

    @kept_once
    def kept(self) -> np.ndarray | None:
        """Which are there, (n,) bool; None when all are."""
        if not len(self.gone):
            return None
        kept = np.ones(len(self.segment), bool)
        kept[self.gone] = False
        return kept

    @kept_once
    def _chosen(self) -> OrderedDict[int, Chosen]:
        """What filters let through, by the identity of their arrays of ids."""
        return OrderedDict()

    def among(self, allowed: np.ndarray) -> Chosen:
        """Which passages are among those allowed; worked out once for an array, as a filter gives it again."""
        known = self._chosen.get(id(allowed))
        if known is None:
            mask = np.zeros(len(self.segment), bool)
            mask[meet(self.segment.ids, allowed)[0]] = True
            mask[self.gone] = False
            known = self._chosen[id(allowed)] = Chosen(allowed, mask, np.flatnonzero(mask).astype(np.int32))
            while len(self._chosen) > FILTERS:
                self._chosen.popitem(last=False)
        return known

    def best(
        self, lists: Sequence[Weighed], average: float, k: int, allowed: np.ndarray | None, reached: float
    ) -> Found:
        """Those of the k best passages that reach a score, and perhaps others, best first. lists: rarest word first."""
        mask, enough = self.kept, float(ENOUGH * k)
        many = np.cumsum([len(own.places) for own in lists])
        if allowed is not None:
            _, mask, places = self.among(allowed)
            if NARROW * len(places) <= many[-1]:
                return self._best_of(Hand(places, np.zeros(len(places))), lists, average, k, reached)
            enough *= len(mask) / len(places)
        first = _needed(lists, reached) if reached else min(int(np.searchsorted(many, enough)) + 1, len(lists))
        while True:
            rest = lists[first].rest if first < len(lists) else 0.0
            hand = unite(lists[:first], self.segment.lengths, average, reached * SURE, rest, mask)
            found = self._best_of(hand, lists[first:], average, k, reached)
            if len(found.scores) == k:
                reached = max(reached, float(found.scores[-1]))
            if (needed := _needed(lists, reached)) <= first:
                return found
            first = needed

    def _best_of(self, hand: Hand, lists: Sequence[Weighed], average: float, k: int, reached: float) -> Found:
        """Those of some passages that may be among the k best, once some words more are added, best first.

        Words are added in the order in which FTS5 has them; whoever cannot reach the k-th best so far is left out.
        """
        reached = max(reached, _kth(hand.sums, k))
        hand = join(hand, lists, self.segment.lengths, average, reached * SURE)
        best = np.flatnonzero((hand.sums > 0) & (hand.sums >= _kth(hand.sums, k)))
        best = best[np.lexsort((hand.places[best], -hand.sums[best]))][:k]
        return Found(hand.places[best], hand.sums[best])

    def scores(self, lists: Sequence[Weighed], average: float, ids: np.ndarray, allowed: np.ndarray | None) -> Found:
        """Those of some passages, ids rising, that are there, allowed and hold a word, whatever they score."""
        places = meet(self.segment.ids, ids)[0].astype(np.int32)
        mask = self.kept if allowed is None else self.among(allowed).mask
        places = places if mask is None else places[mask[places]]
        hand = Hand(places, np.zeros(len(places)))
        hand = join(hand, lists, self.segment.lengths, average)
        return Found(hand.places[hand.sums > 0], hand.sums[hand.sums > 0])


@dataclass(frozen=True)
class Collection:
    """The passages of one state; nothing in it ever changes, so threads search it at ease."""

    parts: tuple[Part, ...]

    @kept_once
    def passages(self) -> int:
        """How many are there."""
        return sum(len(part.segment) - len(part.gone) for part in self.parts)

    @kept_once
    def average(self) -> float:
        """Words of a passage."""
        lengths = [(part.segment.lengths, part.gone) for part in self.parts]
        total = sum(int(own.sum(dtype=np.int64)) - int(own[gone].sum(dtype=np.int64)) for own, gone in lengths)
        return total / self.passages if self.passages else 0.0

    def word(self, letters: bytes, beginning: bool = False) -> Word:
        """A word, as the tokenizer leaves it in UTF-8, or whatever begins so."""
        lists = tuple(part.segment.listed(letters, beginning) for part in self.parts)
        gone = sum(len(meet(own.places, part.gone)[0]) for own, part in zip(lists, self.parts, strict=True))
        return Word(lists, sum(len(own.places) for own in lists) - gone)

    def best(
        self, words: Sequence[Word], k: int, allowed: np.ndarray | None = None, others: Sequence[int] = ()
    ) -> Found:
        """Ids and BM25 of the k best passages for words, and of others that hold one, best first, equals by id.

        words: the rarest first. allowed: (m,) ids, rising, out of which all come.
        """
        if not words:
            return Found(np.empty(0, np.int64), np.empty(0))
        weighed = [self._weighed(words, number) for number in range(len(self.parts))]
        k, wanted, reached = max(1, min(k, self.passages)), np.array(sorted(others), np.int64), 0.0
        best, beside = Found(np.empty(0, np.int64), np.empty(0)), Found(np.empty(0, np.int64), np.empty(0))
        for part, lists in zip(self.parts, weighed, strict=True):
            best = _first(_joined(best, part, part.best(lists, self.average, k, allowed, reached)), k)
            reached = float(best.scores[-1]) if len(best.scores) == k else 0.0
            beside = _joined(beside, part, part.scores(lists, self.average, wanted, allowed))
        new = ~np.isin(beside.places, best.places)
        every = [np.concatenate(pair) for pair in zip(best, Found(*(own[new] for own in beside)), strict=True)]
        return _first(Found(*every), len(every[0]))

    def holds(self, word: Word, ids: np.ndarray) -> np.ndarray:
        """Which passages, ids rising, hold a word. (n,) -> (n,) bool"""
        held = np.zeros(len(ids), bool)
        for part, own in zip(self.parts, word.lists, strict=True):
            places, at = meet(part.segment.ids, ids)
            held[at[meet(places, own.places)[0]]] = True
        return held

    def _weighed(self, words: Sequence[Word], number: int) -> list[Weighed]:
        """The lists of one part."""
        # A share grows with the average length, and no faster than that.
        average = self.parts[number].segment.average
        longer = max(1.0, self.average / average) if average else 1.0
        weights = [weight(self.passages, word.holding) for word in words]
        bounds = [own * word.lists[number].most * longer for own, word in zip(weights, words, strict=True)]
        rests = np.cumsum(bounds[::-1])[::-1].tolist()
        return [
            Weighed(word.lists[number].places, word.lists[number].counts, own, rest)
            for word, own, rest in zip(words, weights, rests, strict=True)
        ]


def weight(passages: int, holding: int) -> float:
    """What BM25 has for the weight of a word that so many of the passages hold, as FTS5 bounds it."""
    return max(log((max(passages - holding, 0) + 0.5) / (holding + 0.5)), 1e-6)


def _needed(lists: Sequence[Weighed], reached: float) -> int:
    """How many words there are, from the rarest on, of which a passage has to hold one to reach a score."""
    return sum(own.rest >= reached * SURE for own in lists)


def _kth(scores: np.ndarray, k: int) -> float:
    """The k-th greatest, 0 if there are fewer."""
    return float(np.partition(scores, -k)[-k]) if len(scores) >= k > 0 else 0.0


def _joined(known: Found, part: Part, found: Found) -> Found:
    """Ids and scores, those of a part's places beside them."""
    return Found(
        np.concatenate([known.places, part.segment.ids[found.places]]), np.concatenate([known.scores, found.scores])
    )


def _first(found: Found, k: int) -> Found:
    """The k best, equals by id."""
    order = np.lexsort((found.places, -found.scores))[:k]
    return Found(found.places[order], found.scores[order])
