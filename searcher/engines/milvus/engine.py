"""An index on Milvus, a server, a cluster or Milvus Lite, as an `Engine`: what it promises, and questions to it."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from searcher.embedding import OwnTokens
from searcher.engines.engine import ANY, Effort, Hit, Near, cosine
from searcher.engines.milvus.address import Address
from searcher.engines.milvus.checking import Checking
from searcher.engines.milvus.layout import FIELDS, FORMAT
from searcher.engines.milvus.notes import Notes
from searcher.engines.milvus.passages import EVERY, Wanted
from searcher.engines.milvus.state import pieces
from searcher.engines.milvus.words import Words, words_asked
from searcher.engines.milvus.writing import Writing
from searcher.engines.words import rarest, terms
from searcher.errors import BadValue, IndexUnavailable
from searcher.filters import Filter
from searcher.records import Row

__all__ = ["MilvusEngine", "ef_for"]

MOST = 16_384  # hits of one question
HITS = 2_000  # rows, texts and vectors with them, in one answer
SPARE = 8  # hits beyond those asked for, which tell whether others are as near as the last
DEEPER = 4
EF = 256  # of the graph, at least; a filter leaves fewer of those that are looked at
TIMES = 4  # k, where that is more
EF_MOST = 32_768  # that a server takes
WITHOUT = 10_000  # ids that an expression names
WRITERS = 4
FEW = 1000  # rows that a filter allows, up to which each of them is looked at
FLUSHED = 50_000  # passages after which the server is asked to make its files and their graphs at once


class MilvusEngine(Writing, Checking):
    """An index on Milvus, which many processes on many machines may read and write at the same time.

    What it promises otherwise than an index folder:

    - What was written is there when the call returns, and after the server was killed. Of several documents some may
      be in when a call fails; each is in as a whole, or as it was before. The same call again writes the rest.
    - `reading` holds no state: two questions inside may see two. Each sees what was written before it by anybody
      (consistency "Strong", unless the environment says another for searches).
    - An id of a passage follows from its document's source, text and metadata: the same everywhere, rising within the
      document, never that of another. It does not tell which came first; `document_ids` and equal hits go by it.
    - A vector is found by a graph that the server keeps (HNSW), most of the nearest, not always all; scores are
      computed from the stored vectors. `Effort.exact` reads every vector over the network. Milvus Lite is exact.
    - By words where the server makes BM25 (2.5 and later, Lite), with its weights; no word by its beginning.
    - No rows have checksums. A document has one, and is verified when it is read as a whole.
    - Filters by globs of files pick out at most 100,000 documents; what is in a name of any kind, or in metadata,
      takes at most 60,000 bytes for a document.
    """

    def __init__(self, address: Address, create: bool = False) -> None:
        super().__init__(address, create)
        self.notes = Notes(self.server, self.beside)

    @property
    def writers(self) -> int:
        """As in `Engine`: a writer waits for a server's clock most of the time."""
        return 1 if self.address.is_lite else WRITERS

    def publish(self) -> bool:
        """After much was written, have the server make its files and graphs now; it does so by itself in time."""
        if self._written >= FLUSHED:
            self._written = 0
            with suppress(IndexUnavailable):  # a server may limit how often it is asked to
                self.server.ask("flush", self.passages)
        return True

    def described(self) -> dict[str, Any]:
        """As in `Engine`."""
        kind, reason = ("flat", "Milvus Lite") if self.address.is_lite else ("hnsw", "the server keeps a graph")
        return {
            "index_type": kind, "index_type_wanted": kind, "index_type_reason": reason,
            "knob": None if self.address.is_lite else "ef", "knob_value": None if self.address.is_lite else EF,
            "recall_at_10": None, "milliseconds": None, "format": FORMAT,
            "milvus": ".".join(map(str, self.version)), "token_vectors": 0, "token_bytes": 0,
        }  # fmt: skip

    # -- questions

    def nearest(
        self,
        vectors: np.ndarray,
        k: int,
        where: Filter | None = None,
        effort: Effort = ANY,
        without: np.ndarray | None = None,
    ) -> list[list[Hit]]:
        """As in `Engine`."""
        if effort.nprobe is not None and not effort.exact:
            raise BadValue(f"{self.address} has no nprobe; it has ef")
        wanted = self.asked(where) if where is not None else Wanted(EVERY)
        expressions = [wanted.expression] if wanted.expression != EVERY else []
        if self.settled().given:
            expressions.append("nowhere == false")
        left_out = set() if without is None else set(without.tolist())
        if 0 < len(left_out) <= WITHOUT:
            expressions.append(f"id not in {sorted(left_out)}")
        wanted = Wanted(" and ".join(expressions), wanted.left)
        answers: list[list[Hit]] = [[] for _ in vectors]
        waiting, limit, every, ef = list(range(len(vectors))), k + SPARE, list[int](), effort.ef or ef_for(k)
        if effort.exact:
            waiting, every = every, waiting
        elif where is not None and not self.address.is_lite:
            allowed = self._asked_of(wanted, self.server.access.level)
            if allowed <= FEW:
                few = self._few(wanted, left_out)
                return [_best_of(few, vector, k) for vector in vectors]
            if effort.ef is None:  # about how many there are: no need to wait for the last write
                ef = ef_for(k, self.server.count(self.passages, level="Eventually") / allowed)
        while waiting and limit <= MOST:
            open_ = []
            for place, hits, found in self._searched(vectors, waiting, limit, wanted, ef, left_out):
                answers[place] = hits[:k]
                # Others that were not found may be as near as the last of these.
                if found == limit and (len(hits) <= k or hits[k - 1][0] <= hits[-1][0]):
                    open_.append(place)
                elif found < limit and len(hits) < k and found < self._asked_of(wanted):
                    every.append(place)  # the graph was left behind by a narrow filter
            waiting, limit = open_, limit * DEEPER
        if every := [*every, *waiting]:
            for place, hits in zip(every, self._exhaustive(vectors[every], k, wanted, left_out), strict=True):
                answers[place] = hits
        return answers

    def candidates(
        self, vectors: np.ndarray, k: int, where: Filter | None = None, effort: Effort = ANY
    ) -> list[list[Near]]:
        """As in `Engine`; a server gives all of a passage at once."""
        return [[*hits] for hits in self.nearest(vectors, k, where, effort)]

    def ranked_by(self, ids: Iterable[int]) -> Mapping[int, Row]:
        """As in `Engine`."""
        return self.rows(ids)

    def whole_hits(self, found: Sequence[Sequence[Near]]) -> list[list[Hit]]:
        """As in `Engine`: they are whole."""
        return [[(score, row) for score, row in hits if isinstance(row, Row)] for hits in found]

    def _asked_of(self, wanted: Wanted, level: str | None = None) -> int:
        """How many rows a question is asked of."""
        return 0 if self.address.is_lite else self.server.count(self.passages, wanted.expression, level)

    def _few(self, wanted: Wanted, without: set[int]) -> Collection[Row]:
        """The passages that a filter allows, where they are few: each of them is looked at.

        Of what was written in the last minutes a server has no graph yet but lists of near vectors, of which it looks
        into an eighth, whatever of them a filter leaves.
        """
        rows = self.server.query(self.passages, wanted.expression, FIELDS, self.server.access.level, 2 * FEW)
        return self._rows_in_hand({row["id"]: row for row in rows}, wanted, without).values()

    def _searched(
        self, vectors: np.ndarray, places: Sequence[int], limit: int, wanted: Wanted, ef: int, without: set[int]
    ) -> list[tuple[int, list[Hit], int]]:
        """Of each vector at those places its hits among the nearest `limit`, and how many rows these come from."""
        found = []
        level = self.server.access.level
        params = {} if self.address.is_lite else {"ef": min(max(limit, ef), EF_MOST)}
        for at in range(0, len(places), step := max(1, HITS // limit)):
            some = places[at : at + step]
            answers = self.server.ask(
                "search", self.passages, data=[vectors[place].tolist() for place in some], filter=wanted.expression,
                limit=limit, output_fields=list(FIELDS), anns_field="vector", consistency_level=level,
                search_params={"metric_type": "COSINE", "params": params},
            )  # fmt: skip
            rows = [[hit["entity"] | {"id": hit["id"]} for hit in hits] for hits in answers]
            known = self._rows_in_hand({row["id"]: row for own in rows for row in own}, wanted, without)
            for place, own in zip(some, rows, strict=True):
                passages = [known[row["id"]] for row in own if row["id"] in known]
                hits = _best_of(passages, vectors[place], len(passages))
                found.append((place, hits, len(own)))
        return found

    def _rows_in_hand(self, rows: Mapping[int, Mapping[str, Any]], wanted: Wanted, without: set[int]) -> dict[int, Any]:
        """The passages in rows, by their ids: those that count, and that a filter lets through."""
        known = {}
        for row, stored in self._current(rows.values(), self.server.access.level):
            passage = self._row(row, stored)
            if passage.passage_id not in without and wanted.lets_through(passage, stored):
                known[passage.passage_id] = passage
        return known

    def _exhaustive(self, vectors: np.ndarray, k: int, wanted: Wanted, without: set[int]) -> list[list[Hit]]:
        """The k nearest out of all passages, read one by one."""
        best: list[list[Hit]] = [[] for _ in vectors]
        for rows in self.server.each(self.passages, wanted.expression or EVERY, FIELDS):
            known = self._rows_in_hand({row["id"]: row for row in rows}, wanted, without)
            for place, vector in enumerate(vectors):
                best[place] = _ranked(best[place] + _best_of(known.values(), vector, k))[:k]
        return best

    def by_words(
        self, question: str, k: int, where: Filter | None = None, others: Sequence[int] = ()
    ) -> tuple[np.ndarray, np.ndarray]:
        """As in `Engine`. BadValue for the beginning of a word, and for an index that was made without words."""
        wanted = self.asked(where) if where is not None else Wanted(EVERY)
        words, counted = self._words(question)
        telling = counted.telling(words)
        found = self._best(counted, telling, k, wanted)
        if len(found) < k and len(telling) < len(words):
            telling = words
            found = self._best(counted, words, k, wanted)
        listed = {number for _, number in found}
        for some in pieces([number for number in others if number not in listed]):
            named = Wanted(f"{wanted.expression} and id in {some}", wanted.left)
            found += self._best(counted, telling, len(some), named)
        return np.array([number for _, number in found], np.int64), np.array([score for score, _ in found], np.float32)

    def _best(self, counted: Words, words: Sequence[str], k: int, wanted: Wanted) -> list[tuple[float, int]]:
        """Score and id of the k best passages for words, best first, equals by id."""
        limit = k + SPARE
        while True:
            rows = counted.best(words, min(limit, MOST), wanted.expression)
            known = self._rows_in_hand({row["id"]: row for _, row in rows}, wanted, set())
            hits = sorted(((score, row["id"]) for score, row in rows if row["id"] in known), key=_by_score)
            if len(hits) >= k or len(rows) < min(limit, MOST) or limit >= MOST:
                return hits[:k]
            limit *= DEEPER

    def rarest(self, question: str, ids: np.ndarray) -> np.ndarray:
        """As in `Engine`."""
        words, counted = self._words(question)
        return rarest(counted, words, ids)

    def _words(self, question: str) -> tuple[list[str], Words]:
        """The words of a question, and who holds them. BadValue for an index without words."""
        if not self.has_words:
            advice = "Milvus has words since 2.5, for indexes made there; good: mode dense"
            raise BadValue(f"{self.address} cannot be asked by words; {advice}")
        return words_asked(terms(question)), Words(self.server, self.passages)

    def token_vectors(self, texts: Mapping[int, str]) -> dict[int, OwnTokens]:
        """None are kept: they are computed where they are needed."""
        return {}


def ef_for(k: int, one_in: float = 1) -> int:
    """How far a graph is looked through for k, where a filter allows one passage in so many: until as many of these
    were seen as of all without it.
    """
    return math.ceil(max(EF, TIMES * k) * max(1, one_in))


def _by_score(hit: tuple[float, int]) -> tuple[float, int]:
    return -hit[0], hit[1]


def _best_of(passages: Iterable[Row], vector: np.ndarray, k: int) -> list[Hit]:
    """The k of some passages that are nearest to a vector (d,)."""
    return _ranked([(cosine(passage, vector), passage) for passage in passages])[:k]


def _ranked(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit[0], hit[1].passage_id))
