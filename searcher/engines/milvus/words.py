"""Questions by words on Milvus: BM25 is the server's, the words are ours, the same as in an index folder.

The server's tokenizer is given the words as the keyword index has them (without case, accents and English endings; of
scripts without spaces single characters and pairs), so that it has nothing left to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from searcher.engines.milvus.connection import Connection
from searcher.engines.milvus.layout import FIELDS, spelled
from searcher.errors import BadValue
from searcher.store import tokens_of

__all__ = ["Words", "words_asked"]

LEVEL = "Bounded"  # for counts of words, which change little


def words_asked(words: Sequence[str]) -> list[str]:
    """The words of a question as the rows have them. BadValue for a beginning of words, which no row has."""
    for word in words:
        if word.endswith("*"):
            raise BadValue(f"{word!r}: an index on Milvus knows whole words only; leave out the star")
    return list(dict.fromkeys(spelled([token]) for tokens in tokens_of(words) for token in tokens))


class Words:
    """How many passages hold words, as `Counted`, and which are the best for them."""

    def __init__(self, server: Connection, collection: str) -> None:
        self._server, self._collection = server, collection
        self._held: dict[str, int] = {}
        self.passages = server.count(collection)

    def held(self, word: str) -> int:
        """How many passages hold a word."""
        if word not in self._held:
            self._held[word] = self._server.count(self._collection, _holding([word]), LEVEL)
        return self._held[word]

    def holds(self, word: str, ids: np.ndarray, most: int) -> tuple[int, np.ndarray]:
        """How many passages hold a word, and which of some do: (n,) bool. Of a common word nobody asks which."""
        if not 0 < (count := self.held(word)) <= most:
            return count, np.zeros(len(ids), bool)
        own = f"id in {ids.tolist()} and {_holding([word])}"
        found = [row["id"] for rows in self._server.each(self._collection, own, ["id"]) for row in rows]
        return count, np.isin(ids, found)

    def telling(self, words: Sequence[str]) -> list[str]:
        """Those that fewer than half of the passages hold; all, if there is none."""
        return [word for word in words if 2 * self.held(word) < self.passages] or list(words)

    def best(self, words: Iterable[str], limit: int, expression: str) -> list[tuple[float, Mapping[str, Any]]]:
        """Score and row of the best passages for words, of those that an expression lets through, best first."""
        if not (text := " ".join(words)):
            return []
        [hits] = self._server.ask(
            "search", self._collection, data=[text], filter=expression, limit=limit, output_fields=list(FIELDS),
            anns_field="bm25", consistency_level=self._server.access.level, search_params={"metric_type": "BM25"},
        )  # fmt: skip
        # Milvus Lite gives them below 0, as distances.
        return [(abs(hit["distance"]), hit["entity"] | {"id": hit["id"]}) for hit in hits]


def _holding(words: Sequence[str]) -> str:
    return f'text_match(words, "{" ".join(words)}")'
