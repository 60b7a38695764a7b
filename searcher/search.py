"""Where the parts meet: `Searcher`, an index folder with its model, to add to, to ask and to look after."""

from searcher.faq import Faq
from searcher.ingest import Adding, Upkeep
from searcher.ranking import Asking
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

    def answer(
        self, question: str, min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | None:
        """The answer of the FAQ entry that fits a question best; None if there is none, or it is below what is asked.

        min_score: about 0 … 1. min_probability: that the answer is right; needs an index that was calibrated, but for
        0, which any entry reaches. With neither the entry must fit better than one fits a question of another world.
        """
        return self.faq.answer(question, min_score, min_probability)
