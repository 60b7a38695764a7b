"""What a search takes beside the question, spelled out for type checkers; `Searcher.search` says what each is."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypedDict

import numpy as np

__all__ = ["Among", "Array", "Finding", "How", "Mode", "RankHow"]

Mode = Literal["dense", "keyword", "hybrid"]


class Array(Protocol):
    """An array or a tensor, of texts or numbers; of how many dimensions, no type checker sees."""

    def __array__(self) -> np.ndarray:
        """Itself for numpy."""


class Among(TypedDict, total=False):
    """As `explain` takes it."""

    literal: bool
    include: Sequence[str]
    exclude: Sequence[str]


class Finding(Among, total=False):
    """As every way of asking takes it."""

    mode: Mode
    mmr: float | None
    per_document: int | None
    exact: bool
    ef: int | None
    nprobe: int | None
    phrasings: bool


class How(Finding, total=False):
    """As `search` takes it."""

    rerank: str | None
    highlight: bool
    whole: bool
    vectors: bool


class RankHow(Finding, total=False):
    """As `rank` takes it. neighbours: False for a hybrid search in which no passage speaks for those that are alike."""

    neighbours: bool
