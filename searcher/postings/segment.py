"""Postings of some passages: for each word the passages that hold it and how often each does; never changed, merged.

Bytes: the arrays in NumPy's own format (NEP 1), one after the other, so that a mapped file is used where it lies.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from searcher.system import kept_once

__all__ = ["Listed", "Segment", "merged", "share"]

K1, B = 1.2, 0.75  # of BM25, as FTS5 has them
ALIGNED = 64  # bytes: NumPy pads its headers so that arrays begin at a multiple


class Listed(NamedTuple):
    """Who holds a word: the places of its passages (n,) int32, rising; how often each holds it (n,); the greatest
    share that one has of the word's weight.
    """

    places: np.ndarray
    counts: np.ndarray
    most: float


@dataclass(frozen=True)
class Segment:
    """n passages, v different words, m pairs of both. A word is UTF-8 as the tokenizer leaves it.

    ids: (n,) int64, rising. lengths: (n,) int32, in words. letters: (b,) uint8, the words one after the other, in the
    order of their bytes. spelled, starts: (v + 1,) int64, where the letters and where the pairs of each begin.
    places: (m,) int32, of passages among the ids, rising within a word. counts: (m,), as narrow as they can be.
    most: (v,) float64, the greatest `share` of a passage while the average length is that of this segment.
    """

    ids: np.ndarray
    lengths: np.ndarray
    letters: np.ndarray
    spelled: np.ndarray
    starts: np.ndarray
    places: np.ndarray
    counts: np.ndarray
    most: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, ids: np.ndarray, words: Sequence[bytes], numbers: np.ndarray, places: np.ndarray) -> "Segment":
        """Of the words (v) of passages (n,): number (t,) of each in `words`, and place (t,) of its passage, any order.

        Each of the words has to occur.
        """
        order = sorted(range(len(words)), key=words.__getitem__)
        rank = np.empty(len(words), np.int64)
        rank[order] = np.arange(len(words))
        pairs, counts = np.unique(rank[numbers] * max(1, len(ids)) + places, return_counts=True)
        number, place = np.divmod(pairs, max(1, len(ids)))
        return cls.counted(ids, [words[at] for at in order], np.bincount(number, minlength=len(words)), place, counts)

    @classmethod
    def counted(
        cls, ids: np.ndarray, words: Sequence[bytes], holding: np.ndarray, places: np.ndarray, counts: np.ndarray
    ) -> "Segment":
        """Of words in order (v), how many passages hold each (v,), and pairs in the order of words and places (m,)."""
        lengths = np.bincount(places, weights=counts, minlength=len(ids)).astype(np.int32)
        starts, narrow = _starts(holding), np.min_scalar_type(int(counts.max(initial=0)))
        shares = share(counts, lengths[places], lengths.mean() if len(ids) else 0.0)
        return cls(
            np.asarray(ids, np.int64), lengths, np.frombuffer(b"".join(words), np.uint8),
            _starts(np.fromiter(map(len, words), np.int64, len(words))), starts, places.astype(np.int32),
            counts.astype(narrow), np.maximum.reduceat(shares, starts[:-1]) if len(words) else np.empty(0),
        )  # fmt: skip

    # -- a word

    @kept_once
    def average(self) -> float:
        """Words of a passage."""
        return float(self.lengths.mean()) if len(self) else 0.0

    def word(self, number: int) -> bytes:
        """The word of that number."""
        letters, edges = self._spelling
        return bytes(letters[edges[number] : edges[number + 1]])

    @kept_once
    def _spelling(self) -> tuple[memoryview, memoryview]:
        """Letters and where those of each word begin: of a few, quicker to look at than arrays."""
        return self.letters.data, self.spelled.data

    def words(self) -> list[bytes]:
        """All of them."""
        letters, edges = self.letters.tobytes(), self.spelled.tolist()
        return [letters[start:end] for start, end in pairwise(edges)]

    def listed(self, word: bytes, beginning: bool) -> Listed:
        """Who holds a word, or any that begins so."""
        first = self._from(word)
        last = self._from(_after(word), first) if beginning else first + self._is(first, word)
        part = slice(self.starts[first], self.starts[last])
        places, counts = self.places[part], self.counts[part]
        most = float(self.most[first:last].max(initial=0))
        if last - first > 1:
            places, inverse = np.unique(places, return_inverse=True)
            counts = np.bincount(inverse, weights=counts).astype(np.int64)
            most = K1 + 1
        return Listed(places, counts, most)

    def _is(self, number: int, word: bytes) -> bool:
        return number < len(self.most) and self.word(number) == word

    def _from(self, word: bytes | None, low: int = 0) -> int:
        """How many words stand before that one; None is after all."""
        high = len(self.most)
        return high if word is None else bisect_left(range(high), word, low, key=self.word)

    # -- bytes

    def write(self, take: Callable[[Any], Any]) -> None:
        """Hand on the bytes, piece by piece."""
        for array in (getattr(self, field.name) for field in fields(self)):
            head = BytesIO()
            np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
            take(head.getvalue())
            take(np.ascontiguousarray(array).view(np.uint8).data)
            take(bytes(-array.nbytes % ALIGNED))

    @classmethod
    def read(cls, body: np.ndarray) -> "Segment":
        """Of the bytes that `write` handed on, (b,) uint8, without a copy. They are trusted."""
        return cls(*_arrays(np.asarray(body)))

    def equals(self, other: "Segment") -> bool:
        """Whether all in it is the same."""
        return all(np.array_equal(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))


def share(counts: np.ndarray, lengths: np.ndarray, average: float) -> np.ndarray:
    """What part of a word's weight a passage has, less than 2.2: BM25, bit by bit as FTS5 computes it.

    counts: (n,) how often a passage holds the word. lengths: (n,) words of the passage. average: words of a passage.
    -> (n,) float64
    """
    held = counts.astype(np.float64)
    # FTS5's expression (fts5_aux.c) in its order, in as few passes over memory as that takes.
    rest = B * lengths
    rest /= average
    rest += 1 - B
    rest *= K1
    rest += held
    held *= K1 + 1.0
    held /= rest
    return held


def merged(parts: Sequence[tuple[Segment, np.ndarray | None]]) -> Segment:
    """One segment of several, without the passages that went. Ids rise from part to part.

    kept: of each part which of its passages are there still, (n,) bool; None for all.
    """
    there = [(segment, np.ones(len(segment), bool) if kept is None else kept) for segment, kept in parts]
    named = [segment.words() for segment, _ in there]
    every = sorted(set().union(*named))
    numbers = {word: number for number, word in enumerate(every)}
    holding, pieces, before = np.zeros(len(every), np.int64), [], 0
    for (segment, kept), words in zip(there, named, strict=True):
        left = kept[segment.places]
        own = np.repeat(np.fromiter((numbers[word] for word in words), np.int64, len(words)), np.diff(segment.starts))
        own, renamed = own[left], np.cumsum(kept, dtype=np.int64) - 1 + before
        pieces.append((own, renamed[segment.places[left]], segment.counts[left]))
        holding += np.bincount(own, minlength=len(every))
        before += int(kept.sum())
    places, counts = np.empty(holding.sum(), np.int32), np.empty(holding.sum(), np.uint32)
    free = _starts(holding)[:-1]  # where the next pair of each word goes
    for own, place, count in pieces:
        many = np.bincount(own, minlength=len(every))
        at = np.arange(len(own)) + np.repeat(free - _starts(many)[:-1], many)
        places[at], counts[at] = place, count
        free += many
    ids = np.concatenate([segment.ids[kept] for segment, kept in there] or [np.empty(0, np.int64)])
    some = holding > 0
    held = [word for word, any_ in zip(every, some.tolist(), strict=True) if any_]
    return Segment.counted(ids, held, holding[some], places, counts)


def _arrays(body: np.ndarray) -> Iterator[np.ndarray]:
    at = 0
    while at < len(body):
        head = BytesIO(body[at : at + 1024].tobytes())
        np.lib.format.read_magic(head)
        (count,), _, dtype = np.lib.format.read_array_header_1_0(head)
        at += head.tell()
        yield body[at : at + count * dtype.itemsize].view(dtype)
        at += -(-count * dtype.itemsize // ALIGNED) * ALIGNED


def _starts(counts: np.ndarray) -> np.ndarray:
    """Where each of so many begins, and where the last one ends. (n,) -> (n + 1,) int64"""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _after(word: bytes) -> bytes | None:
    """The least word after all that begin so; None where none is."""
    whole = word.rstrip(b"\xff")
    return whole[:-1] + bytes([whole[-1] + 1]) if whole else None
