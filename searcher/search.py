"""Where the parts meet: `Searcher`, an index folder with its model, to add to, to ask and to look after."""

from collections.abc import Iterable
from typing import overload

from searcher.faq import Faq
from searcher.ingest import Adding, Upkeep
from searcher.ranking import Asking, query_texts
from searcher.records import Answer

__all__ = ["Searcher"]


class Searcher(Asking, Adding, Upkeep):
    """Search over one index folder; safe to share between threads.

    folder: made at the first `add`. settings: model, pooling, layers, combine, special_tokens, prompts, chunk_tokens,
    overlap, truncate, device, torch_weights, dtype, as in `Wanted`; what is left out is the index's own, or for a new
    index the model's own.

    Raises SettingsMismatch when the index was made with other settings than those given.
    """

    @property
    def faq(self) -> Faq:
        """The FAQ entries: `faq.rank`, `faq.calibrate`, `faq.lint`, `faq.log`."""
        return Faq(self.engine, self._fitting)

    @overload
    def answer(  # type: ignore[overload-overlap]  # a text is an iterable of texts
        self, question: str, min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | None: ...
    @overload
    def answer(
        self, question: Iterable[str], min_score: float | None = None, min_probability: float | None = None
    ) -> list[Answer | None]: ...
    def answer(
        self, question: str | Iterable[str], min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | list[Answer | None] | None:
        """The answer of the FAQ entry that fits a question best; None if there is none, or it is below what is asked.

        question: a text; of several the answers are a list, in their order.
        min_score: about 0 … 1. min_probability: that the answer is right; needs an index that was calibrated, but for
        0, which any entry reaches. With neither the entry must fit better than one fits a question of another world.
        """
        faq = self.faq
        if isinstance(question, str) or not isinstance(question, Iterable):
            return faq.answer(question, min_score, min_probability)
        verdicts = faq.verdicts(query_texts(question), min_score, min_probability)
        return [verdict.answer for verdict in verdicts]
