"""The asking part of `Searcher`: questions to an index folder, in every mode."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from searcher import filters
from searcher.embedding import highlighted, normalize
from searcher.engines import Hit, Opened
from searcher.errors import BadValue, DamagedIndex, UnknownName
from searcher.filters import Filter, joined, named
from searcher.ranking.diversity import once
from searcher.ranking.explaining import Explained, explained
from searcher.ranking.fusion import CANDIDATES
from searcher.ranking.questions import Questions, check_k, query_texts, questions_of
from searcher.ranking.rerank import rerank as reranked
from searcher.ranking.retrieval import DEEPER, MODES, Asked, retrieve
from searcher.ranking.wording import Wording, as_it_stands, worded
from searcher.records import Passage, Row

__all__ = ["Asking", "Where"]

Where = str | Mapping[str, Any] | None


class Asking(Opened):
    """What can be asked of an index folder."""

    def search(
        self,
        query: Any,
        k: int = 10,
        where: Where = None,
        min_score: float | None = None,
        *,
        mode: str = "dense",
        mmr: float | None = None,
        per_document: int | None = None,
        rerank: str | None = None,
        highlight: bool = False,
        exact: bool = False,
        ef: int | None = None,
        nprobe: int | None = None,
        phrasings: bool = False,
        literal: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> Any:
        """The k passages that answer a question best, best first.

        query: a text -> list of Passage; a list of texts, or what else holds some -> a list of such lists; vectors (d,)
        or (q, d) likewise, as an array, a tensor or lists of numbers.
        where: a filter such as "lang = 'en' and year >= 2020", or a dict of equalities; min(k, as many as it allows)
        passages are returned. min_score: leave out passages with a lower score.

        mode: "dense", score is the cosine; "keyword", BM25 of the passages that hold a word of the question; "hybrid",
        both, score is that of `fuse`, `smoothed`. per_document: at most so many passages of a document; with 1
        documents are ranked by their best passages. mmr: from 1 down to 0, how far each passage shall be unlike those
        before it; the order is that of choice then. phrasings: a FAQ entry for each of its ways of asking, not once.
        In the modes "keyword" and "hybrid" a question may say "a phrase" that must stand in a passage, -word that must
        not, and pre* for every word that begins so; literal: these signs are text like the rest.
        exact: the very nearest, whatever the type of the index; ef, nprobe: how far an index of type hnsw or ivf is
        looked through.

        include, exclude: globs, as in .gitignore, of files: only passages from these, none from those.

        rerank: look at the first hits more closely, by "maxsim", the token vectors of the index's own model (modes
        "dense" and "hybrid"), or by a cross-encoder, its hub name or folder; score is then theirs, except in "hybrid"
        with "maxsim", which finds the passage that feeds back. min_score holds for the scores before.
        highlight: find the sentence of each passage that answers best.

        Raises BadValue for an empty query, k < 1, a vector of another dimension or not finite; FilterError.
        """
        queries, single = questions_of(query)
        if highlight and isinstance(queries, np.ndarray):
            raise BadValue("highlight takes the question's text, not its vector")
        asked = Asked(
            k, min_score, mode, mmr, per_document, ef=ef, nprobe=nprobe, exact=exact, phrasings=phrasings,
            literal=literal, include=include, exclude=exclude,
        )  # fmt: skip
        found = self._rank(queries, where, asked, rerank)
        hits = [[_passage(rank, score, row) for rank, (score, row) in enumerate(ranked, 1)] for ranked in found]
        if highlight:
            hits = [self.highlight(text, own) for text, own in zip(queries, hits, strict=True)]
        return hits[0] if single else hits

    def highlight(self, question: str, hits: Sequence[Passage]) -> list[Passage]:
        """The hits with the sentence of each that answers a question best."""
        return highlighted(self.embedder, worded(question).plain, hits)

    def explain(
        self, question: str, hits: Sequence[Passage], mode: str = "dense", where: Where = None, **how: Any
    ) -> list[Explained]:
        """What each hit of a question is made of: cosine, BM25 and words, and in mode "hybrid" what moved it.

        where, how (include, exclude, literal): as they were in the search.
        """
        [text] = query_texts([question])
        if mode not in MODES:
            raise UnknownName("mode", mode, MODES)
        wording, before = worded(text), list[Hit]()
        vector = self.embedder.embed([wording.plain], "query")[0] if MODES[mode].vectors else None
        if mode == "hybrid":
            how |= {"mode": mode, "feedback": False, "phrasings": True}
            [before] = self.rank([text], max(CANDIDATES, len(hits)), where, **how)
        return explained(self.engine, wording, hits, vector, before)

    def rank(
        self,
        queries: Any,
        k: int,
        where: Where = None,
        min_score: float | None = None,
        rerank: str | None = None,
        **how: Any,
    ) -> list[list[Hit]]:
        """As `search` for a list of questions or vectors, with the stored rows: (score, Row) of each hit.

        how: mode, mmr, per_document, phrasings, literal, exact, ef, nprobe, and feedback, False for a hybrid search by
        `fuse` alone.
        """
        return self._rank(questions_of(queries)[0], where, Asked(k, min_score, **how), rerank)

    def _rank(self, queries: list[str] | np.ndarray, where: Where, asked: Asked, rerank: str | None) -> list[list[Hit]]:
        if rerank is None:
            return self._ranked(queries, where, asked)[1]
        ask, torch_weights = partial(self._ranked, queries, where), self._wanted.torch_weights
        return reranked(ask, lambda: self.embedder, asked, rerank, torch_weights)

    def _ranked(
        self, queries: list[str] | np.ndarray, where: Where, asked: Asked, first: np.ndarray | None = None
    ) -> tuple[Questions, list[list[Hit]]]:
        """Questions and their hits. first: (q, d), passages that feed back in a hybrid search, None for the best."""
        tree = None if where is None else filters.parse(where)
        mode, texts, vectors, readable = MODES[asked.mode], None, None, None
        wordings: list[Wording] = []
        if isinstance(queries, np.ndarray):
            if mode.texts:
                raise BadValue(f"mode {asked.mode!r} needs the question as a text; a vector has mode 'dense' only")
            vectors = queries
        else:
            texts = plain = queries
            if mode.texts:
                wordings = [Wording(as_it_stands(text)) if asked.literal else worded(text) for text in texts]
                texts, plain = [own.text for own in wordings], [own.plain for own in wordings]
            self.engine.settings()  # no index, no need to load a model
        while True:
            if embedding := texts is not None and mode.vectors:
                embedder, made_with = self._fitting()
                vectors = embedder.embed(plain, "query")
                readable = embedder.readable(plain) if mode.texts else None
            with self.engine.reading():
                stored = self.engine.settings()
                if embedding and texts and stored is not None and stored.fingerprint != made_with:
                    continue  # embedded again by another process since: so must the questions be
                if vectors is not None and not (asked.feedback and (first is None or first.shape == vectors.shape)):
                    first = np.zeros_like(vectors)
                questions = Questions(texts, vectors, readable, first)
                ranked = self._retrieved(questions, asked, tree, wordings)
                # A filter's answer comes out of SQLite's indexes, in which damage shows only to `check`.
                if tree is not None and not all(filters.fits(row, tree) for hits in ranked for _, row in hits):
                    raise DamagedIndex(f"{self.folder}: a filter led to what it forbids; run: searcher check")
                return questions, ranked

    def _retrieved(
        self, questions: Questions, asked: Asked, tree: Filter | None, wordings: Sequence[Wording]
    ) -> list[list[Hit]]:
        """The hits of each question, together as far as they are asked of the same passages."""
        every = joined(tree, asked.conditions)
        filters_of = [joined(every, own.conditions) for own in wordings] or [every] * len(questions)
        groups: dict[str, list[int]] = {}
        for place, own in enumerate(filters_of):
            groups.setdefault(repr(own), []).append(place)
        answers: list[list[Hit]] = [[] for _ in range(len(questions))]
        for places in groups.values():
            found = retrieve(self.engine, questions.at(places), asked, filters_of[places[0]])
            for place, hits in zip(places, found, strict=True):
                answers[place] = hits
        return answers

    def similar(
        self, source: str, k: int = 10, where: Where = None, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> list[Passage]:
        """Passages of other documents nearest to a document: to the mean of its passages' vectors.

        where, include, exclude: as in `search`.
        """
        check_k(k)
        tree = joined(None if where is None else filters.parse(where), named(include, exclude))
        with self.engine.reading():
            own = np.concatenate([self.engine.passage_ids(number) for number in self._find(source)])
            if not len(own):
                raise BadValue(f"{source!r} holds no text to be similar to")
            vectors = np.stack([row.vector for row in self.engine.rows(own.tolist()).values()])
            mean = normalize(vectors.mean(axis=0, keepdims=True))
            depth = k
            while True:
                [found] = self.engine.nearest(mean, depth, tree, without=own)
                ranked = once(found)[:k]
                if len(ranked) == k or len(found) < depth:
                    break
                depth *= DEEPER
            return [_passage(rank, score, row) for rank, (score, row) in enumerate(ranked, 1)]


def _passage(rank: int, score: float, row: Row) -> Passage:
    return Passage(
        rank, score, row.id, row.passage_id, row.source, row.title, row.section, row.start, row.end, row.line, None,
        row.text, row.metadata,
    )  # fmt: skip
