"""Which pooling? Every pooling, layer and combination scored on one set, out of one forward pass a text."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from searcher.embedding import WHITENINGS, Combine, Embedder, Pooling, Sequence_, Whitening
from searcher.errors import BadValue
from searcher.evaluation.comparing import across
from searcher.evaluation.datasets import Dataset
from searcher.evaluation.measures import MEASURES, query_values
from searcher.evaluation.measuring import DEPTH
from searcher.ingest import Progress, inputs, no_progress
from searcher.records import Document
from searcher.search import Searcher

__all__ = ["Scored", "averaged", "poolings_of", "sweep"]

# Left out are what gives the same unit vectors: mean_sqrt_len those of mean, combine "sum" those of "mean".
NAMES = ("mean", "weighted_mean", "mean_max", "max", "cls", "sep")
COMBINED: tuple[Combine, ...] = ("mean", "concat")
BLOCK = 1_000  # passages whose vectors are held at once: 84 kB each for 6 layers of width 384
SAMPLE = 4_000  # passages that a whitening is fitted on …
LEAST = 100  # … and how many there must be
SEED = 0

Vectors = Mapping[Pooling, np.ndarray]
Passages = tuple[Document, list[Sequence_]]  # of one document


@dataclass(frozen=True)
class Scored:
    """One setting and how good it is. whitening: "" or a name of WHITENINGS.

    values: for each of MEASURES its mean. p: paired randomisation test of nDCG@10 against the setting that an index
    would have; None for that one itself. by_query: for each of MEASURES and each set asked a value for every query.
    """

    pooling: Pooling
    whitening: str
    values: dict[str, float]
    p: float | None
    by_query: list[dict[str, list[float]]] = field(default_factory=list, repr=False)

    @property
    def layers(self) -> str:
        """The layers as `--layers` takes them."""
        return ",".join(map(str, self.pooling.layers))

    def as_dict(self) -> dict[str, Any]:
        """The setting and its values as a row of `eval --pooling all --json`."""
        return {
            "pooling": self.pooling.name, "layers": list(self.pooling.layers), "combine": self.pooling.combine or None,
            "special_tokens": self.pooling.special_tokens, "whitening": self.whitening or None, **self.values,
            "p": self.p,
        }  # fmt: skip


def poolings_of(embedder: Embedder) -> list[Pooling]:
    """Every pooling of each layer, and of several layers combined; the embedder's own too."""
    depth, special = embedder.model.layers, embedder.pooling.special_tokens
    every = tuple(range(depth + 1))
    several = [every[-2:], every[-4:], every[:: len(every) - 1], every]  # the last two, the last four, first and last
    shapes: list[tuple[tuple[int, ...], Combine | None]] = [((layer,), None) for layer in every]
    shapes += [(layers, combine) for layers in several for combine in COMBINED]
    found = [Pooling.resolve(name, depth, layers, combine, special) for name in NAMES for layers, combine in shapes]
    if embedder.encoder.has_pooler:
        found.append(Pooling.resolve("pooler", depth, special_tokens=special))
    return list(dict.fromkeys([embedder.pooling, *found]))


def sweep(
    dataset: Dataset, searcher: Searcher, progress: Progress = no_progress, relevant: float | None = None
) -> list[Scored]:
    """What `evaluate` would say of an index with each setting, best nDCG@10 first; none is made.

    searcher: says model, passages, prompts and special tokens; its pooling is what the others are tested against.
    relevant: as in `query_values`. Two forward passes for the passages that whitenings are fitted on. Memory: the
    vectors of the questions and of BLOCK passages under every setting.
    """
    embedder, settings = searcher.embedder, searcher.settings
    if embedder.head.steps:
        raise BadValue(f"{embedder.model.name} does more to a vector than pooling, so its poolings cannot be compared")
    if embedder.pooling.token is not None:
        raise BadValue(f"a sweep compares with {embedder.pooling.name!r}, which not every text has")
    chunker = settings.chunker(embedder)

    def passages(documents: Iterable[Document]) -> Iterator[Passages]:
        for document in documents:
            chunks = list(chunker.chunks(document.text, document.sections, document.breaks))
            chunks = chunks[: 1 if settings.truncate else None]
            yield document, [Sequence_(ids) for _, ids in inputs(settings, embedder, document, chunks)]

    poolings = poolings_of(embedder)
    parts = list(dict.fromkeys(part for pooling in poolings for part in _parts(pooling)))
    whitened = _whitenings(embedder, poolings, [each for _, own in passages(_sample(dataset)) for each in own])
    questions = [own for own, _ in embedder.sequences(list(dataset.queries.values()), "query")]
    queries = _vectors(embedder, questions, parts, "query")
    best = {key: _Best(len(dataset.queries)) for key in [*((pooling, "") for pooling in poolings), *whitened]}
    progress("total", len(dataset.documents))
    sources: list[str] = []
    for block in _blocks(passages(dataset.documents)):
        vectors = _vectors(embedder, [each for _, own in block for each in own], parts, "passage")
        starts = np.cumsum([0, *(len(own) for _, own in block)])[:-1]
        for (pooling, whitening), ranking in best.items():
            if whitening:
                white = whitened[pooling, whitening]
                scores = white(queries[pooling]) @ white(vectors[pooling]).T
            else:
                scores = _cosines(pooling, queries, vectors)
            ranking.add(np.maximum.reduceat(scores, starts, axis=1), len(sources))
        sources += [document.source for document, _ in block]
        progress("file", len(block))
    # One run at a time: those of all settings would take gigabytes.
    values = {
        key: [query_values(dataset.qrels, ranking.run(dataset.queries, sources), relevant)]
        for key, ranking in best.items()
    }
    return _scored((embedder.pooling, ""), values)


def averaged(swept: Sequence[Sequence[Scored]]) -> list[Scored]:
    """The rows of several sets as one: of each setting that all of them have, the means of their means."""
    values: dict[tuple[Pooling, str], list[dict[str, list[float]]]] = {}
    for rows in swept:
        for row in rows:
            values.setdefault((row.pooling, row.whitening), []).extend(row.by_query)
    [own] = [(row.pooling, row.whitening) for row in swept[0] if row.p is None]
    return _scored(own, {key: each for key, each in values.items() if len(each) == len(swept)})


def _parts(pooling: Pooling) -> list[Pooling]:
    """The poolings of one vector each whose vectors, one after the other, are those of a pooling (in some order)."""
    if pooling.pooler:
        return [pooling]
    groups = [(layer,) for layer in pooling.layers] if pooling.combine == "concat" else [pooling.layers]
    combine = "" if pooling.combine == "concat" else pooling.combine
    return [Pooling((part,), group, combine, pooling.special_tokens) for part in pooling.parts for group in groups]


def _cosines(pooling: Pooling, queries: Vectors, passages: Vectors) -> np.ndarray:
    """(q, n) cosines float64: inner products of concatenated vectors are the sums of their parts'.

    The [CLS] of a middle layer can be so alike in all texts that their cosines differ by a few 10**-7.
    """
    parts = _parts(pooling)
    sides = []
    for side in (queries, passages):
        lengths = np.sqrt(sum(np.einsum("nd,nd->n", side[part], side[part], dtype=np.float64) for part in parts))
        # As an index holds them: unit vectors in float32.
        sides.append([(side[part] / np.maximum(lengths, 1e-12)[:, None]).astype(np.float32) for part in parts])
    return np.add.reduce([a.astype(np.float64) @ b.T.astype(np.float64) for a, b in zip(*sides, strict=True)])


def _vectors(embedder: Embedder, sequences: Sequence[Sequence_], parts: Sequence[Pooling], kind: Any) -> Vectors:
    """For each part the vectors of all sequences, (n, width) float32, not normalised."""
    whole = {part: np.empty((len(sequences), part.width(embedder.model.width)), np.float32) for part in parts}
    for batch, pooled in embedder.pooled(sequences, parts, kind):
        for part, vectors in zip(parts, pooled, strict=True):
            whole[part][batch] = vectors
    return whole


def _sample(dataset: Dataset) -> list[Document]:
    """Documents in random order, as many as there are passages in a sample at most."""
    order = np.random.default_rng(SEED).permutation(len(dataset.documents))[:SAMPLE]
    return [dataset.documents[number] for number in np.sort(order)]


def _whitenings(
    embedder: Embedder, poolings: Sequence[Pooling], passages: Sequence[Sequence_]
) -> dict[tuple[Pooling, str], Whitening]:
    """A map for each pooling of one layer and each of WHITENINGS; none where the sample is small."""
    if len(passages) < LEAST:
        return {}
    some = np.random.default_rng(SEED).permutation(len(passages))[:SAMPLE]
    alone = [pooling for pooling in poolings if len(pooling.layers) == 1 and _parts(pooling) == [pooling]]
    vectors = _vectors(embedder, [passages[number] for number in some], alone, "passage")
    return {(own, name): Whitening.fit(vectors[own], power) for own in alone for name, power in WHITENINGS.items()}


def _blocks(passages: Iterator[Passages]) -> Iterator[list[Passages]]:
    """Whole documents of some BLOCK passages; a document without any is left out."""
    block: list[Passages] = []
    count = 0
    for document, own in passages:
        if own:
            block.append((document, own))
            count += len(own)
        if count >= BLOCK:
            yield block
            block, count = [], 0
    if block:
        yield block


class _Best:
    """The DEPTH best documents of each of q queries so far, best first: scores and numbers, (q, up to DEPTH)."""

    def __init__(self, queries: int) -> None:
        self.scores = np.empty((queries, 0), np.float64)
        self.documents = np.empty((queries, 0), np.int32)

    def add(self, scores: np.ndarray, first: int) -> None:
        """Scores of the documents first, first + 1, … (q, n)."""
        numbers = np.broadcast_to(np.arange(first, first + scores.shape[1], dtype=np.int32), scores.shape)
        everything = np.concatenate([self.scores, scores], axis=1)
        documents = np.concatenate([self.documents, numbers], axis=1)
        order = np.argsort(-everything, axis=1, kind="stable")[:, :DEPTH]
        self.scores = np.take_along_axis(everything, order, axis=1)
        self.documents = np.take_along_axis(documents, order, axis=1)

    def run(self, queries: Iterable[str], sources: Sequence[str]) -> dict[str, dict[str, float]]:
        """Query id → document → score."""
        return {
            query: {sources[number]: float(score) for number, score in zip(numbers.tolist(), scores, strict=True)}
            for query, numbers, scores in zip(queries, self.documents, self.scores, strict=True)
        }


def _scored(
    own: tuple[Pooling, str], values: Mapping[tuple[Pooling, str], list[dict[str, list[float]]]]
) -> list[Scored]:
    """Rows, best first. values: for each setting, each set and each of MEASURES a value for every query."""
    rows = []
    for (pooling, whitening), by_query in values.items():
        means = {name: float(np.mean([np.mean(own[name]) for own in by_query])) for name in MEASURES}
        p = None
        if (pooling, whitening) != own:
            p = across(*([each["nDCG@10"] for each in sets] for sets in (by_query, values[own]))).p
        rows.append(Scored(pooling, whitening, means, p, by_query))
    return sorted(rows, key=lambda row: -row.values["nDCG@10"])
