"""The engine on one machine: SQLite holds everything, FAISS finds the nearest."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from searcher.embedding import OwnTokens
from searcher.engines.allowed import Allowed
from searcher.engines.described import described
from searcher.engines.engine import ANY, Effort, Hit, Near
from searcher.engines.inverted import Inverted
from searcher.engines.keyword_table import KeywordTable
from searcher.engines.nearest import P, Read, nearest
from searcher.engines.snapshots import Snapshots
from searcher.engines.words import Holding, best_by_words, rarest, terms
from searcher.filters import Filter
from searcher.store import Notes, Store, TokenVectors

__all__ = ["LocalEngine"]


class LocalEngine(Store):
    """An index folder as an `Engine`. Raises IndexUnavailable where there is none, unless it is to be created."""

    writers = 1  # a transaction waits for the one before

    def __init__(self, folder: Path, create: bool = False) -> None:
        super().__init__(folder, create)
        self.snapshots = Snapshots(self)
        self.inverted = Inverted(self)
        self._allowed = Allowed(self)
        self.notes = Notes(self.database)
        self.tokens = TokenVectors(folder)

    def publish(self) -> bool:
        """Bring the files beside the database up to date if much has changed. False if one could not be written."""
        if self.tokens.exist():
            self.tokens.leave(self.passage_ids())
        written = self.inverted.publish()
        return self.snapshots.publish(needed=self.inverted.generation()) and written

    def rebuild(self, kind: str | None = None) -> None:
        """Make the files anew, as in `Snapshots.rebuild`; where a kind is given, the words' only if they have to be."""
        if kind is None:
            self.inverted.rebuild()
        else:
            self.inverted.publish()
        self.snapshots.rebuild(kind, needed=self.inverted.generation())

    def check_files(self) -> list[str]:
        """A line for each thing that is wrong with these files."""
        return self.snapshots.check() + self.inverted.check()

    def described(self) -> dict[str, Any]:
        """As in `Engine`."""
        return described(self, self.snapshots, self.tokens)

    def close(self) -> None:
        """As in `Engine`."""
        self.tokens.close()
        super().close()

    def allowed(self, where: Filter) -> np.ndarray:
        """As in `Engine`; the same array while the state is the same."""
        return self._allowed.ids(where)

    def nearest(
        self,
        vectors: np.ndarray,
        k: int,
        where: Filter | None = None,
        effort: Effort = ANY,
        without: np.ndarray | None = None,
    ) -> list[list[Hit]]:
        """As in `Engine`."""
        return self._nearest(self.rows, vectors, k, where, effort, without)

    def candidates(
        self, vectors: np.ndarray, k: int, where: Filter | None = None, effort: Effort = ANY
    ) -> list[list[Near]]:
        """As in `Engine`."""
        return [[*hits] for hits in self._nearest(self.ranked_by, vectors, k, where, effort)]

    def _nearest(
        self, read: Read[P], vectors: np.ndarray, k: int, where: Filter | None, effort: Effort,
        without: np.ndarray | None = None,
    ) -> list[list[tuple[float, P]]]:  # fmt: skip
        """As in `Engine`, with as much of passages as `read` gives."""
        with self.reading():
            allowed = None if where is None else self.allowed(where)  # a wrong key is one before there is a vector too
            snapshot = self.snapshots.current()
            if snapshot is None:
                return [[] for _ in vectors]
            if without is not None:
                allowed = np.setdiff1d(snapshot.present if allowed is None else allowed, without, assume_unique=True)
            return nearest(self, read, snapshot, vectors, k, allowed, effort)

    def whole_hits(self, found: Sequence[Sequence[Near]]) -> list[list[Hit]]:
        """As in `Engine`."""
        shown = {own.passage_id: own.vector for hits in found for _, own in hits}
        rows = self.rows(shown, shown)
        return [[(score, rows[own.passage_id]) for score, own in hits] for hits in found]

    def by_words(
        self, question: str, k: int, where: Filter | None = None, others: Sequence[int] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """As in `Engine`; k1 is 1.2, b .75."""
        words = terms(question)
        with self.reading():
            allowed = None if where is None else self.allowed(where)
            return best_by_words(self._holding(words), words, k, allowed, others)

    def rarest(self, question: str, ids: np.ndarray) -> np.ndarray:
        """As in `Engine`."""
        words = terms(question)
        with self.reading():
            return rarest(self._holding(words), words, ids)

    def _holding(self, words: Sequence[str]) -> Holding:
        """Who holds the words of a question."""
        with self.database.reading() as connection:
            return self.inverted.asked(words) or KeywordTable(connection)

    def token_vectors(self, texts: Mapping[int, str]) -> dict[int, OwnTokens]:
        """As in `Engine`."""
        settings = self.settings()
        return self.tokens.of(texts, settings.fingerprint) if settings else {}

    def remake_tokens(self) -> None:
        """Keep token vectors in a new, empty file."""
        self.tokens.end()
        if settings := self.settings():
            self.tokens.begin(settings.fingerprint)
