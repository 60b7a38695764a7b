"""What an ingest asks of an index ahead, for many at once: a server takes about as long for hundreds as for one."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Generic, TypeVar

__all__ = ["Ahead", "pieces"]

MOST = 250  # in a piece
SECONDS = 0.25  # that a piece waits for more

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")


class Ahead(Generic[K, V]):
    """The answers to one question. One that was asked ahead is given once: who asks is about to change it.

    question: keys → the answers for those that have one.
    """

    def __init__(self, question: Callable[[Iterable[K]], Mapping[K, V]]) -> None:
        self._question = question
        self._answers: dict[K, V | None] = {}

    @contextmanager
    def asked(self, keys: Iterable[K]) -> Iterator[None]:
        """Inside, the answers for these are in hand, as they were at the beginning."""
        new = [key for key in dict.fromkeys(keys) if key not in self._answers]
        if new:
            self._answers |= dict.fromkeys(new) | dict(self._question(new))
        try:
            yield
        finally:
            for key in new:
                self._answers.pop(key, None)

    def of(self, key: K) -> V | None:
        """The answer for a key, None where there is none."""
        return self._answers.pop(key) if key in self._answers else self._question([key]).get(key)


def pieces(items: Iterable[T], size_of: Callable[[T], int], size: int) -> Iterator[list[T]]:
    """Some items at a time, until they have that size together, are many, or took long to come.

    What the iterable raises comes after the items before it.
    """
    piece, so_far, begun = list[T](), 0, perf_counter()
    try:
        for item in items:
            piece.append(item)
            so_far += size_of(item)
            if so_far >= size or len(piece) >= MOST or perf_counter() - begun > SECONDS:
                yield piece
                piece, so_far, begun = [], 0, perf_counter()
    except Exception:
        yield piece
        raise
    yield piece
