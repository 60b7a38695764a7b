"""The citing part of `Searcher`: a question → what a language model needs to answer it."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from searcher.engines import Hit, Where
from searcher.errors import BadValue
from searcher.ranking.each import AskingEach
from searcher.ranking.options import Finding
from searcher.ranking.questions import asked_with, check_k
from searcher.ranking.retrieval import Asked
from searcher.records import ANSWER, Document

# A search does not wait for what makes a context.
if TYPE_CHECKING:
    from searcher.cited import Context

__all__ = ["Citing"]

LEAST, MOST, TOKENS = 10, 500, 40  # hits that are looked at: one for so many tokens of the budget
BYTES = 3  # of a token, where nobody has a tokenizer: most have more, so the budget is kept


class Citing(AskingEach):
    """What an index says to a question, as one text with its sources."""

    def context(
        self,
        question: Any = None,
        tokens: int = 2000,
        where: Where = None,
        min_score: float | None = None,
        *,
        tokenizer: Any = None,
        k: int | None = None,
        vector: Any = None,
        rerank: str | None = None,
        **how: Unpack[Finding],
    ) -> "Context":
        """The passages that answer a question best, as one text of at most so many tokens with numbered sources.

        Passages of a document stand together in reading order, under the number of their piece; those that touch are
        one piece, and what was said already is left out. Of the best passage alone the beginning is taken, if it is too
        long. A piece that goes over several pages or the like is cited by the one on which the sentence stands that
        answers best, where the model is small enough to look for it (not in mode "keyword", nor for a vector alone).
        tokenizer: what counts tokens, a function that gives those of a text or their number, or an object with
        `encode`; by default the index's own model does, and where vectors are given every three bytes count as one.
        k: how many hits are looked at, by default one for every 40 tokens, from 10 to 500. where, min_score, vector,
        rerank, how (mode, mmr, include, exclude, exact …): as in `search`.

        Raises BadValue as `search` does, and for a tokenizer that counts nothing.
        """
        from searcher.ranking.context import assembled, counter, pointed, spread

        check_k(tokens, "tokens")
        k = min(MOST, max(LEAST, int(tokens) // TOKENS)) if k is None else k
        queries, given, single = asked_with(question, vector)
        if not single:
            raise BadValue(f"context takes one question, not {len(queries)}")
        asked = Asked(k, min_score, **how)
        count = counter(self._tokens if tokenizer is None else tokenizer)
        [hits] = self._rank(queries, where, asked, rerank, given)
        found = assembled(hits, self._read(_needed(hits)), int(tokens), count)
        if isinstance(queries, np.ndarray):
            return found
        cited = {each.source for each in found.citations}
        placed = {row.document_id for _, row in hits if row.place and row.source in cited}
        if not placed or not self.marks_quickly(asked.mode):
            return found
        best = spread(found, {document.source: document for document in self._read(placed).values()})
        marked = self.highlight(queries[0], list(best.values())) if best else []
        marks = {number: hit.highlight for number, hit in zip(best, marked, strict=True) if hit.highlight}
        return pointed(found, marks, int(tokens), count)

    @property
    def _tokens(self) -> Callable[[str], int]:
        """What counts tokens unless somebody else does."""
        if not self.exists() or self.settings.given:
            return lambda text: -(-len(text.encode()) // BYTES)
        encode = self.embedder.model.tokenizer.encode_ids
        return lambda text: len(encode([text])[0])

    def _read(self, wanted: Collection[int]) -> dict[int, Document]:
        """The documents of these numbers, but for those that were removed since."""
        if not wanted:
            return {}
        with self.engine.reading():
            return {number: self.engine.document(number) for number in self.engine.document_ids(sorted(wanted))}


def _needed(hits: Sequence[Hit]) -> set[int]:
    """The documents whose text is needed to put their hits together."""
    several = Counter(row.document_id for _, row in hits)
    return {row.document_id for _, row in hits if several[row.document_id] > 1 or row.section == ANSWER}
