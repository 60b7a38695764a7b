"""What goes into an index together: documents with their passages, and what else changes with them."""

from collections import Counter
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

import numpy as np

from searcher.engines import Look
from searcher.records import Chunk, Document

__all__ = ["Batch", "Ready", "Taken"]


class Ready(NamedTuple):
    """A document that was cut and embedded elsewhere. vectors: (len(chunks), d) float32, unit rows."""

    document: Document
    chunks: list[Chunk]
    vectors: np.ndarray


class Taken(NamedTuple):
    """A document to be written, its digest, its file, its passages and, where it was `Ready`, their vectors."""

    document: Document
    digest: bytes
    file: str | None
    chunks: list[Chunk]
    vectors: np.ndarray | None = None

    @property
    def passages(self) -> int:
        """How many passages are stored of it."""
        return min(1, len(self.chunks)) if self.document.whole else len(self.chunks)


@dataclass
class Batch:
    """What goes into one transaction. taken: by source. removed: documents that go. files: entered (None: forgotten).

    moves: (old, new) paths. looks: what is remembered of files. ended: how many files are done with it. begun: when its
    first document was taken. before: what the report counted before it; None until it is counted.
    """

    taken: dict[str, Taken] = field(default_factory=dict)
    tokens: int = 0
    removed: list[int] = field(default_factory=list)
    files: list[tuple[str, bytes | None]] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    ended: int = 0
    begun: float = field(default_factory=perf_counter)
    before: Counter[str] | None = None

    @property
    def passages(self) -> int:
        """How many passages are stored of its documents."""
        return sum(item.passages for item in self.taken.values())

    @property
    def changes(self) -> bool:
        """Whether there is anything in it of which a reader would see something."""
        return bool(self.taken or self.removed or self.files or self.moves)

    @property
    def only_adds(self) -> bool:
        """Whether nothing in it has to come after what was written before, but that files count as wholly in."""
        forgets = any(digest is None for _, digest in self.files)
        return bool(self.taken) and not (self.removed or self.moves or forgets)
