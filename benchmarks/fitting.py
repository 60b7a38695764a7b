"""Judged candidates of a set's questions, kept as arrays, and the weights that make the judged ones most probable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from searcher import Searcher
from searcher.evaluation import Dataset
from searcher.ranking.evidence import columns
from searcher.ranking.fusion import CANDIDATES
from searcher.ranking.hybrid import candidates_of, safe
from searcher.ranking.wording import as_it_stands

RIDGE = 0.002  # on the squared weights, against the mean log-likelihood of a set
FITTED = 30  # of 8, 12, 20, 30 and 60 the best mean, sets left out; 20 to 60 are within a tenth
NEARER = 2.0  # a set on which vectors find more than words counts so much: of 1.5, 2 and 3 the best mean, sets left out
ENOUGH = 1e-5
DEPTH = 10
DISCOUNTS = 1 / np.log2(np.arange(2, DEPTH + 2))
TOGETHER = 64  # questions


@dataclass(frozen=True)
class Judged:
    """Of each question of a set, its candidates by rising id: columns (n, f) as `columns` has them, cosines and bm25 (n,),
    gains (n,) their grades, documents (n,) whose passages they are, best: which are first by either search; ideal: the
    discounted gain of the best order of all judged documents.
    """

    columns: list[np.ndarray]
    cosines: list[np.ndarray]
    bm25: list[np.ndarray]
    gains: list[np.ndarray]
    documents: list[np.ndarray]
    best: list[tuple[int, ...]]
    ideal: np.ndarray

    @cached_property
    def count(self) -> float:
        """How much the set counts where weights are fitted: NEARER where vectors alone find more than words, else 1."""
        held = [np.where(bm25 > 0, bm25, -1.0) for bm25 in self.bm25]
        return NEARER if ndcg(self, self.cosines).mean() > ndcg(self, held).mean() else 1.0

    @cached_property
    def first(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the q questions that have an answer among the first FITTED candidates of either search, these m, filled up:
        columns (q, m, f), grades that sum to one (q, m), which are there (q, m) bool.
        """
        chosen = []
        for own, cosines, bm25, gains in zip(self.columns, self.cosines, self.bm25, self.gains, strict=True):
            places = {*np.argsort(-cosines, kind="stable")[:FITTED].tolist()}
            kept = sorted(places | {*np.argsort(-bm25, kind="stable")[:FITTED].tolist()})
            if gains[kept].any():
                chosen.append((own[kept], gains[kept] / gains[kept].sum()))
        shape = len(chosen), max(len(own) for own, _ in chosen)
        filled = np.zeros((*shape, self.columns[0].shape[1])), np.zeros(shape), np.zeros(shape, bool)
        for place, (own, wanted) in enumerate(chosen):
            for array, values in zip(filled, (own, wanted, True), strict=True):
                array[place, : len(own)] = values
        return filled


def drawn(dataset: Dataset, most: int) -> list[str]:
    """So many of the ids of a set's queries, always the same, in their order."""
    queries = list(dataset.queries)
    if len(queries) <= most:
        return queries
    return [queries[place] for place in sorted(np.random.default_rng(0).permutation(len(queries))[:most])]


def gather(name: str, read_set: Callable[[str], Dataset], folder: Path, most: int) -> Judged:
    """The judged candidates of a set, out of the file of an earlier time or out of its index."""
    file = folder / f"{name}-{most}.npz"
    if not file.exists():
        _write(name, read_set(name), folder, most, file)
    with np.load(file) as kept:
        cuts = np.cumsum(kept["counts"])[:-1]
        parts = {
            key: np.split(kept[key], cuts) for key in ("columns", "cosines", "bm25", "gains", "documents", "first")
        }
        ideal = kept["ideal"]
    best = [tuple(np.flatnonzero(own).tolist()) for own in parts.pop("first")]
    return Judged(**parts, best=best, ideal=ideal)


def _write(name: str, dataset: Dataset, folder: Path, most: int, file: Path) -> None:
    """Ask every question and keep what is known of its candidates."""
    asked = drawn(dataset, most)
    texts = [as_it_stands(dataset.queries[query]) for query in asked]
    kept: dict[str, list[np.ndarray]] = {
        key: [] for key in ("columns", "cosines", "bm25", "gains", "documents", "first")
    }
    sources: dict[str, int] = {}
    with Searcher(folder / "index" / name) as searcher:
        searcher.add_documents(dataset.documents)
        vectors, readable = searcher.embedder.embed(texts, "query"), searcher.embedder.readable(texts)
        for start in range(0, len(asked), TOGETHER):
            with searcher.engine.reading():
                near = searcher.engine.candidates(vectors[start : start + TOGETHER], CANDIDATES)
                for place, hits in enumerate(near, start):
                    found = candidates_of(
                        searcher.engine, texts[place], vectors[place], hits, CANDIDATES, None, float(readable[place])
                    )
                    right = dataset.qrels[asked[place]]
                    rows = searcher.engine.rows([own.passage_id for own in found.passages])
                    told = [rows[own.passage_id].source for own in found.passages]
                    kept["columns"].append(columns(found.evidence).astype(np.float32))
                    kept["cosines"].append(found.evidence.cosines)
                    kept["bm25"].append(found.evidence.bm25)
                    kept["gains"].append(np.array([max(0.0, right.get(source, 0.0)) for source in told]))
                    kept["documents"].append(np.array([sources.setdefault(own, len(sources)) for own in told]))
                    kept["first"].append(np.isin(np.arange(len(told)), found.best))
    ideal = [_discounted(sorted(dataset.qrels[query].values(), reverse=True)) for query in asked]
    counts = [len(own) for own in kept["gains"]]
    np.savez_compressed(
        file, counts=counts, ideal=ideal, **{key: np.concatenate(arrays) for key, arrays in kept.items()}
    )
    print(f"{name}: {len(asked)} questions", flush=True)


def _discounted(gains: Sequence[float]) -> float:
    own = np.maximum(np.asarray(gains[:DEPTH], float), 0)
    return float((own * DISCOUNTS[: len(own)]).sum())


def ndcg(judged: Judged, scores: Sequence[np.ndarray], safely: bool = False) -> np.ndarray:
    """nDCG@10 of each question by scores (n,) of its candidates, a document ranked by its best passage. (q,)."""
    values = np.zeros(len(scores))
    for place, own in enumerate(scores):
        first = _documents(judged, place, safe(own, judged.best[place]) if safely else own, DEPTH)
        values[place] = _discounted(judged.gains[place][first].tolist()) / judged.ideal[place]
    return values


def precision(judged: Judged, scores: Sequence[np.ndarray]) -> np.ndarray:
    """Whether the first document is relevant. (q,)."""
    first = (_documents(judged, place, own, 1) for place, own in enumerate(scores))
    return np.array([float(judged.gains[place][at].any()) for place, at in enumerate(first)])


def _documents(judged: Judged, place: int, scores: np.ndarray, most: int) -> np.ndarray:
    """The places of the best passages of the best documents, best first."""
    order = np.argsort(-scores, kind="stable")
    _, first = np.unique(judged.documents[place][order], return_index=True)
    return order[np.sort(first)[:most]]


def fit(sets: Sequence[Judged], use: Sequence[int], start: np.ndarray | None = None) -> np.ndarray:
    """The weights of some columns under which the judged candidates are most probable, by Newton's method. -> (f,).

    ListNet's top-one loss (Cao et al. 2007): cross entropy between the grades of a question's candidates, made to sum to
    one, and the softmax of their scores, among the first FITTED of either search; questions of a set count
    alike and sets by their `count`, plus RIDGE. It is convex.
    """
    total = sum(judged.count for judged in sets)
    data = [(judged.count / total, judged.first[0][..., list(use)], *judged.first[1:]) for judged in sets]
    weights = np.zeros(len(use)) if start is None else start.copy()
    loss, slope, curve = _loss(data, weights)
    for _ in range(50):
        step = np.linalg.solve(curve, slope)
        tried = _loss(data, weights - step)
        while tried[0] > loss and np.abs(step).max() > ENOUGH:
            step = step / 2
            tried = _loss(data, weights - step)
        if np.abs(step).max() <= ENOUGH:
            break
        weights = weights - step
        loss, slope, curve = tried
    return weights


def _loss(
    data: Sequence[tuple[float, np.ndarray, np.ndarray, np.ndarray]], weights: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """The loss, its gradient (f,) and its Hessian (f, f)."""
    size = len(weights)
    loss, slope, curve = RIDGE * float(weights @ weights), 2 * RIDGE * weights, 2 * RIDGE * np.eye(size)
    for part, own, wanted, there in data:
        share = part / len(own)
        scores = np.where(there, own @ weights, -np.inf)
        scores = np.where(there, scores - scores.max(axis=1, keepdims=True), -np.inf)
        chances = np.exp(scores)
        total = chances.sum(axis=1, keepdims=True)
        chances /= total
        means = np.einsum("qm,qmf->qf", chances, own)
        loss += share * float((np.log(total[:, 0]) - (wanted * np.where(there, scores, 0)).sum(axis=1)).sum())
        slope = slope + share * (means - np.einsum("qm,qmf->qf", wanted, own)).sum(axis=0)
        flat = (own * np.sqrt(chances)[..., None]).reshape(-1, size)
        curve = curve + share * (flat.T @ flat - means.T @ means)
    return loss, slope, curve
