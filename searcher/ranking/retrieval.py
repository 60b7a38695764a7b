"""Questions → hits, in the way that was asked for: by vectors, by words or by both; and which of the hits are shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from searcher.engines import Effort, Engine, Hit
from searcher.errors import BadValue, UnknownName
from searcher.filters import Filter, named
from searcher.ranking.diversity import limited, mmr, once, scaled
from searcher.ranking.fusion import CANDIDATES
from searcher.ranking.options import Mode
from searcher.ranking.questions import Questions, check_k, check_score
from searcher.system import kept_once

__all__ = ["MODES", "Asked", "retrieve"]

MMR_CANDIDATES, MMR_TIMES = 50, 4  # MMR chooses from 50 passages, or from four times as many as it is to choose
DEEPER = 4  # times as many passages are looked at where those of too few documents were found


@dataclass(frozen=True)
class Asked:
    """Which hits are wanted, as in `Searcher.search`. BadValue, UnknownName for what cannot be."""

    k: int
    min_score: float | None = None
    mode: Mode = "dense"
    mmr: float | None = None
    per_document: int | None = None
    neighbours: bool = True  # whether in a hybrid search passages speak for those that are alike
    ef: int | None = None
    nprobe: int | None = None
    exact: bool = False
    include: Sequence[str] = ()  # globs: only what came from these files, and nothing that came from those
    exclude: Sequence[str] = ()
    literal: bool = False  # whether marks in a question, such as "a phrase", are text like the rest
    phrasings: bool = False  # whether a FAQ entry is a hit for each way of asking, not for the best one alone

    @property
    def effort(self) -> Effort:
        """How hard to look."""
        return Effort(self.ef, self.nprobe, self.exact)

    def __post_init__(self) -> None:
        check_k(self.k)
        check_score(self.min_score)
        if self.mode not in MODES:
            raise UnknownName("mode", self.mode, MODES)
        number = isinstance(self.mmr, int | float | np.floating) and not isinstance(self.mmr, bool)
        if self.mmr is not None and not (number and 0 <= self.mmr <= 1):
            raise BadValue(f"mmr is {self.mmr!r}; it must be a number from 0 to 1, which changes nothing")
        if self.per_document is not None:
            check_k(self.per_document, "per_document")
        _ = self.effort  # checks itself
        _ = self.conditions

    @kept_once
    def conditions(self) -> list[Filter]:
        """What must hold of every hit. BadValue for a glob that is none."""
        return named(self.include, self.exclude)

    def of(self, hits: list[Hit]) -> list[Hit]:
        """Those of the best hits that are shown."""
        hits = hits if self.phrasings else once(hits)
        if self.mmr is None and self.per_document is None:
            return hits[: self.k]
        documents = [row.document_id for _, row in hits]
        if self.mmr is None:
            places = limited(documents, self.per_document, self.k)
        else:
            scores = np.array([score for score, _ in hits])
            relevance = scores if self.mode == "dense" else scaled(scores)
            vectors = np.array([row.vector for _, row in hits])
            places = mmr(relevance, vectors, self.mmr, self.k, documents, self.per_document)
        return [hits[place] for place in places]


def retrieve(engine: Engine, questions: Questions, asked: Asked, where: Filter | None = None) -> list[list[Hit]]:
    """The hits of each question; as many as asked for, if there are so many. Call inside `reading`."""
    depth = int(asked.k) if asked.mmr is None else max(MMR_CANDIDATES, MMR_TIMES * int(asked.k))
    answers: list[list[Hit]] = [[] for _ in range(len(questions))]
    waiting = list(range(len(questions)))
    while waiting:
        found = MODES[asked.mode].rank(engine, questions.at(waiting), depth, where, asked.effort)
        left = []
        for place, hits in zip(waiting, found, strict=True):
            good = [hit for hit in hits if asked.min_score is None or hit[0] >= asked.min_score]
            answers[place] = asked.of(good)
            if len(answers[place]) < asked.k and len(good) == depth:
                left.append(place)
        waiting = left
        depth *= DEEPER
    return answers


# -- modes


def _dense(engine: Engine, questions: Questions, k: int, where: Filter | None, effort: Effort) -> list[list[Hit]]:
    """By the cosine with the question's vector."""
    assert questions.vectors is not None
    return engine.nearest(questions.vectors, k, where, effort)


def _keyword(engine: Engine, questions: Questions, k: int, where: Filter | None, effort: Effort) -> list[list[Hit]]:
    """By the BM25 of the question's words."""
    answers = []
    for text in questions.texts or []:
        ids, scores = engine.by_words(text, k, where)
        rows = engine.rows(ids.tolist())
        answers.append([(score, rows[number]) for score, number in zip(scores.tolist(), ids.tolist(), strict=True)])
    return answers


def _hybrid(engine: Engine, questions: Questions, k: int, where: Filter | None, effort: Effort) -> list[list[Hit]]:
    """By both, among the best of either."""
    from searcher.ranking.hybrid import candidates_of  # which no other mode waits for

    assert questions.texts is not None and questions.vectors is not None
    depth = max(k, CANDIDATES)
    dense = engine.candidates(questions.vectors, depth, where, effort)
    answers = []
    for place, (text, vector) in enumerate(zip(questions.texts, questions.vectors, strict=True)):
        readable = 1.0 if questions.readable is None else float(questions.readable[place])
        candidates = candidates_of(engine, text, vector, dense[place], depth, where, readable)
        answers.append(candidates.ranked(k, questions.neighbours))
    return engine.whole_hits(answers)


class Way(NamedTuple):
    """A way to rank. texts, vectors: in which forms it needs the questions."""

    rank: Callable[[Engine, Questions, int, Filter | None, Effort], list[list[Hit]]]
    texts: bool
    vectors: bool


MODES: dict[Mode, Way] = {
    "dense": Way(_dense, texts=False, vectors=True),
    "keyword": Way(_keyword, texts=True, vectors=False),
    "hybrid": Way(_hybrid, texts=True, vectors=True),
}
