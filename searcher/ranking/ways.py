"""In which way a question is asked, out of what `Searcher.search` takes; and vectors made before it is ranked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from searcher.engines import Where
from searcher.errors import BadValue
from searcher.ranking.retrieval import MODES, Asked
from searcher.ranking.wording import wording_of

__all__ = ["Embedded", "Way"]


@dataclass(frozen=True)
class Way:
    """Which hits are wanted and how they are shown, as in `Searcher.search`."""

    asked: Asked
    where: Where = None
    rerank: str | None = None
    whole: bool = False
    vectors: bool = False
    highlight: bool = False

    @classmethod
    def of(
        cls, k: int = 10, where: Where = None, min_score: float | None = None, *, whole: bool = False,
        vectors: bool = False, rerank: str | None = None, highlight: bool = False, **how: Any,
    ) -> Self:  # fmt: skip
        """That of the arguments of a search. BadValue, UnknownName for what cannot be."""
        if whole:
            if how.get("per_document") not in (None, 1):
                raise BadValue(f"whole finds each document once; leave out per_document {how['per_document']!r}")
            how["per_document"] = 1
        return cls(Asked(k, min_score, **how), where, rerank, whole, vectors, highlight)

    def embeds(self, question: str) -> str | None:
        """The text of a question that is embedded, None where none is."""
        mode = MODES[self.asked.mode]
        if not mode.vectors:
            return None
        return wording_of(question, self.asked.literal).plain if mode.texts else question


@dataclass(frozen=True)
class Embedded:
    """Vectors (d,) float32 of texts that are asked for, and the fingerprint of the settings that they are for."""

    vectors: Mapping[str, np.ndarray]
    made_with: str

    def of(self, texts: Sequence[str], made_with: str) -> np.ndarray | None:
        """Those of some texts (n, d); None where one is not among them or the settings are others."""
        if made_with != self.made_with or not all(text in self.vectors for text in texts):
            return None
        return np.stack([self.vectors[text] for text in texts]) if texts else None
