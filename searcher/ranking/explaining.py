"""What a hit is made of: the cosine, the BM25 and the words it holds, and what moved it in a hybrid search."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from searcher.engines import Engine, Hit, cosine
from searcher.ranking.wording import Wording
from searcher.records import Passage
from searcher.text import signs_of

__all__ = ["Explained", "explained"]

WORD = re.compile(r"\w+\*?")


@dataclass(frozen=True)
class Explained:
    """Of one hit. cosine: with the question, None in mode "keyword", which needs no model. bm25: 0 without a word.

    words: those of the question that the passage holds. fused, fused_rank: in mode "hybrid", score and rank before
    passages spoke for those that are alike; None for one that was not among the candidates.
    """

    score: float
    rank: int
    cosine: float | None
    bm25: float
    words: tuple[str, ...]
    fused: float | None = None
    fused_rank: int | None = None

    def as_line(self) -> str:
        """In a line, for people."""
        parts = [] if self.cosine is None else [f"cosine {self.cosine:.3f}"]
        parts.append(f"BM25 {self.bm25:.2f} ({', '.join(self.words)})" if self.words else "no word of the question")
        if self.fused is not None and self.fused_rank is not None:
            moved = "stayed" if self.fused_rank == self.rank else f"came from rank {self.fused_rank}"
            parts.append(f"both {self.fused:.3f}, neighbours {self.score - self.fused:+.3f}: {moved}")
        return " · ".join(parts)


def explained(
    engine: Engine, wording: Wording, hits: Sequence[Passage], vector: np.ndarray | None, before: Sequence[Hit] = ()
) -> list[Explained]:
    """Of each hit of a question. vector: (d,) the question's; before: the hits of both scores, without neighbours."""
    fused = {row.passage_id: (rank, score) for rank, (score, row) in enumerate(before, 1)}
    ids = [hit.passage_id for hit in hits]
    with engine.reading():
        rows = engine.rows(ids)
        bm25 = _scores(*engine.by_words(wording.text, 1, None, ids))
        words = {word: word for word in WORD.findall(wording.text)} | dict(signs_of(wording.text))
        held = {shown: _scores(*engine.by_words(word, 1, None, ids)) for shown, word in words.items()}
    found = []
    for hit in hits:
        near = None if vector is None else cosine(rows[hit.passage_id], vector)
        own = tuple(word for word, scores in held.items() if hit.passage_id in scores)
        rank, score = fused.get(hit.passage_id, (None, None))
        found.append(Explained(hit.score, hit.rank, near, bm25.get(hit.passage_id, 0.0), own, score, rank))
    return found


def _scores(ids: np.ndarray, scores: np.ndarray) -> dict[int, float]:
    return dict(zip(ids.tolist(), scores.tolist(), strict=True))
