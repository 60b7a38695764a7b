"""The asking part of `Searcher`: questions to an index folder, in every mode."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

import numpy as np

from searcher import filters
from searcher.embedding import highlighted, normalize
from searcher.engines import Hit, Opened, Where
from searcher.errors import BadValue, DamagedIndex, UnknownName
from searcher.filters import Filter, joined, named
from searcher.ranking.diversity import once
from searcher.ranking.fusion import CANDIDATES
from searcher.ranking.options import Among, Array, How, Mode, RankHow
from searcher.ranking.presence import Presence, measured, presence
from searcher.ranking.questions import Questions, asked_with, check_k, query_texts, questions_of
from searcher.ranking.retrieval import DEEPER, MODES, Asked, retrieve
from searcher.ranking.shown import as_whole, located, passage, relevance, with_vectors
from searcher.ranking.ways import Embedded, Way
from searcher.ranking.wording import Wording, worded, wording_of
from searcher.records import Hits, Passage
from searcher.system import one_thread

if TYPE_CHECKING:
    from searcher.ranking.explaining import Explained

__all__ = ["Asking"]

QUICK = 1_300_000  # layers × width²: MiniLM's six of 384 are quick, twelve are not


class Asking(Opened):
    """What can be asked of an index folder."""

    _asked_last = Embedded({}, "")  # of whose hits it is often asked at once whether they hold an answer

    # A text is an iterable of texts too, and an array one of anything: the narrower comes first.
    @overload
    def search(  # type: ignore[overload-overlap]
        self, query: str, k: int = 10, where: Where = None, min_score: float | None = None, *, vector: Any = None,
        **how: Unpack[How],
    ) -> list[Passage]: ...  # fmt: skip
    @overload
    def search(
        self, query: None = None, k: int = 10, where: Where = None, min_score: float | None = None, *, vector: Any,
        **how: Unpack[How],
    ) -> Any: ...  # fmt: skip
    @overload
    def search(
        self, query: Array, k: int = 10, where: Where = None, min_score: float | None = None, *, vector: Any = None,
        **how: Unpack[How],
    ) -> Any: ...  # fmt: skip
    @overload
    def search(
        self, query: Sequence[float], k: int = 10, where: Where = None, min_score: float | None = None,
        **how: Unpack[How],
    ) -> list[Passage]: ...  # fmt: skip
    @overload
    def search(
        self, query: Iterable[str] | Iterable[Sequence[float]] | Iterable[Array], k: int = 10, where: Where = None,
        min_score: float | None = None, *, vector: Any = None, **how: Unpack[How],
    ) -> list[list[Passage]]: ...  # fmt: skip
    def search(
        self,
        query: Any = None,
        k: int = 10,
        where: Where = None,
        min_score: float | None = None,
        *,
        vector: Any = None,
        whole: bool = False,
        vectors: bool = False,
        mode: Mode = "dense",
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
        vector: that of the question, or of each, where somebody else makes them; in mode "hybrid" beside its text.
        whole: documents in the place of passages, each once, with all their text and their payload; vectors: the hits
        with their passages' vectors, (d,) float32, as they were given.
        where: a filter such as "lang = 'en' and year >= 2020", a dict of equalities, or a tree made by `filters.parse`;
        min(k, as many as it allows) passages are returned. min_score: leave out passages with a lower score.

        mode: "dense", score is the cosine; "keyword", BM25 of the passages that hold a word of the question; "hybrid",
        both, score is that of `fuse`. per_document: at most so many passages of a document; with 1
        documents are ranked by their best passages. mmr: from 1 down to 0, how far each passage shall be unlike those
        before it; the order is that of choice then. phrasings: a FAQ entry for each of its ways of asking, not once.
        In the modes "keyword" and "hybrid" a question may say "a phrase" that must stand in a passage, -word that must
        not, and pre* for every word that begins so; literal: these signs are text like the rest.
        exact: the very nearest, whatever the type of the index; ef, nprobe: how far an index of type hnsw or ivf is
        looked through.

        include, exclude: globs, as in .gitignore, of files: only passages from these, none from those.

        rerank: look at the first hits more closely, by "maxsim", the token vectors of the index's own model (modes
        "dense" and "hybrid"), or by a cross-encoder, its hub name or folder; score is then theirs. min_score holds
        for the scores before.
        highlight: find the sentence of each passage that answers best.

        Before the first `add` nothing is found.

        Raises BadValue for an empty query, k < 1, a vector of another dimension or not finite; FilterError.
        """
        queries, given, single = asked_with(query, vector)
        way = Way.of(
            k, where, min_score, whole=whole, vectors=vectors, rerank=rerank, highlight=highlight, mode=mode, mmr=mmr,
            per_document=per_document, ef=ef, nprobe=nprobe, exact=exact, phrasings=phrasings, literal=literal,
            include=include, exclude=exclude,
        )  # fmt: skip
        hits = self._found(queries, way, given)
        return hits[0] if single else hits

    def _found(
        self, queries: list[str] | np.ndarray, way: Way, given: "np.ndarray | Embedded | None" = None
    ) -> list[Hits]:
        """The hits of each question. given: as in `_ranked`."""
        if way.highlight and isinstance(queries, np.ndarray):
            raise BadValue("highlight takes the question's text, not its vector")
        found = self._rank(queries, way.where, way.asked, way.rerank, given)
        hits = [_hits(ranked) for ranked in found]
        if any(hits):
            hits = [*map(Hits, as_whole(self.engine, found))] if way.whole else hits
            hits = [*map(Hits, with_vectors(self.engine, hits))] if way.vectors else hits
            if way.highlight:
                hits = [self.highlight(text, own) for text, own in zip(queries, hits, strict=True)]
        return hits

    @staticmethod
    def relevance(score: float, mode: Mode = "dense") -> float:
        """The score of a hit as a number from 0 to 1, in the order of the scores; mode: the one it was found in."""
        return relevance(score, mode)

    def highlight(self, question: str, hits: Sequence[Passage]) -> Hits:
        """The hits with the sentence of each that answers a question best, and where that stands."""
        marked = highlighted(self.embedder, worded(question).plain, hits)
        return Hits(located(self.engine, marked) if self.exists() else marked)

    def marks_quickly(self, mode: Mode) -> bool:
        """Whether the sentences of ten hits are found in 50 ms on two cores: the model is loaded anyhow, and small."""
        if not MODES[mode].vectors or (self.exists() and self.settings.given):
            return False
        model = self.embedder.model
        return model.layers * model.width**2 <= QUICK

    def explain(
        self, question: str, hits: Sequence[Passage], mode: Mode = "dense", where: Where = None, **how: Unpack[Among]
    ) -> "list[Explained]":
        """What each hit of a question is made of: cosine, BM25 and words, and in mode "hybrid" what moved it.

        where, how (include, exclude, literal): as they were in the search.
        """
        [text] = query_texts([question])
        if mode not in MODES:
            raise UnknownName("mode", mode, MODES)
        wording, before = worded(text), list[Hit]()
        vector = self.embedder.embed([wording.plain], "query")[0] if MODES[mode].vectors else None
        if mode == "hybrid":
            depth = max(CANDIDATES, len(hits))
            [before] = self.rank([text], depth, where, mode=mode, neighbours=False, phrasings=True, **how)
        from searcher.ranking.explaining import explained

        return explained(self.engine, wording, hits, vector, before)

    def presence(self, question: str, hits: Sequence[Passage]) -> Presence | None:
        """The probability that what a question asks for is among its hits; None where that cannot be told.

        It is from this index's own scores: those of its best hit beside those of general questions that it does not
        answer, which are found out at first and kept, in some tenths of a second. None without hits, in an index of
        under 20 passages, and where the index cannot be asked by vectors.
        """
        [text] = query_texts([question])
        embedder, fingerprint = self._fitting()
        nothing = measured(self.engine, embedder, fingerprint) if hits else None
        if nothing is None:
            return None
        wording = worded(text)
        known = self._asked_last.of([wording.plain], fingerprint)
        [vector] = embedder.embed([wording.plain], "query") if known is None else known
        return presence(self.engine, nothing, wording, hits, vector)

    def rank(
        self,
        queries: Any,
        k: int,
        where: Where = None,
        min_score: float | None = None,
        rerank: str | None = None,
        **how: Unpack[RankHow],
    ) -> list[list[Hit]]:
        """As `search` for a list of questions or vectors, with the stored rows: (score, Row) of each hit.

        how: mode, mmr, per_document, phrasings, literal, exact, ef, nprobe, and neighbours, False for a hybrid search
        in which passages do not speak for those that are alike.
        """
        return self._rank(questions_of(queries)[0], where, Asked(k, min_score, **how), rerank)

    def _rank(
        self,
        queries: list[str] | np.ndarray,
        where: Where,
        asked: Asked,
        rerank: str | None,
        given: "np.ndarray | Embedded | None" = None,
    ) -> list[list[Hit]]:
        if rerank is None or not self.exists():
            return self._ranked(queries, where, asked, given=given)[1]
        from searcher.ranking.rerank import rerank as reranked

        ask, torch_weights = partial(self._ranked, queries, where, given=given), self._wanted.torch_weights
        return reranked(ask, lambda: self.embedder, asked, rerank, torch_weights, self.engine.token_vectors)

    def _ranked(
        self, queries: list[str] | np.ndarray, where: Where, asked: Asked, given: "np.ndarray | Embedded | None" = None
    ) -> tuple[Questions, list[list[Hit]]]:
        """Questions and their hits. given: (q, d), the vectors of questions that are texts, or what was embedded before
        of these and others; None where they are to be embedded.
        """
        before, given = (given, None) if isinstance(given, Embedded) else (None, given)
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
                wordings = [wording_of(text, asked.literal) for text in texts]
                texts, plain = [own.text for own in wordings], [own.plain for own in wordings]
            vectors = given if mode.vectors else None
        if not self.exists():  # no need to load a model either
            return Questions(texts, vectors), [[] for _ in queries]
        anew = False
        while True:
            if embedding := texts is not None and mode.vectors and given is None:
                embedder, made_with = self._fitting(anew)
                known = None if before is None else before.of(plain, made_with)
                vectors = embedder.embed(plain, "query") if known is None else known
                if len(plain) == 1:
                    self._asked_last = Embedded({plain[0]: vectors[0]}, made_with)
                readable = embedder.readable(plain) if mode.texts else None
            with self.engine.reading(), one_thread():
                stored = self.engine.settings()
                if embedding and texts and stored is not None and stored.fingerprint != made_with:
                    anew = True  # embedded again by another process since: so must the questions be
                    continue
                questions = Questions(texts, vectors, readable, asked.neighbours)
                ranked = self._retrieved(questions, asked, tree, wordings)
                # A filter's answer comes out of SQLite's indexes, in which damage shows only to `check`.
                if tree is not None and not all(filters.fits(row, tree) for hits in ranked for _, row in hits):
                    raise DamagedIndex(f"{self.place}: a filter led to what it forbids; run: searcher check")
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
        self, source: str | Path, k: int = 10, where: Where = None, include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> list[Passage]:  # fmt: skip
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
            if not mean.any():
                raise BadValue(f"{source!r} has no vector to be similar to")
            depth = k
            while True:
                [found] = self.engine.nearest(mean, depth, tree, without=own)
                ranked = once(found)[:k]
                if len(ranked) == k or len(found) < depth:
                    break
                depth *= DEEPER
            return _hits(ranked)


def _hits(ranked: list[Hit]) -> Hits:
    return Hits(passage(rank, score, row) for rank, (score, row) in enumerate(ranked, 1))
