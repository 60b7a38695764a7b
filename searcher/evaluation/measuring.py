"""How good the answers of an index are on a set with judgements: its queries are asked, and what comes is measured."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

from searcher.errors import BadValue
from searcher.evaluation.datasets import Dataset
from searcher.evaluation.measures import query_values
from searcher.ingest import Progress, no_progress
from searcher.ranking import Mode
from searcher.search import Searcher

__all__ = ["Evaluated", "evaluate", "evaluated", "rank_documents"]

DEPTH = 100  # documents ranked for each query


@dataclass(frozen=True)
class Evaluated:
    """What an index made of a set's queries. result: a mean for each of MEASURES, and what they were measured with.

    run: query id → document → score; values: for each of MEASURES a value for every query.
    """

    result: dict[str, Any]
    run: dict[str, dict[str, float]]
    values: dict[str, list[float]]


def evaluate(
    dataset: Dataset,
    searcher: Searcher,
    progress: Progress = no_progress,
    mode: Mode = "dense",
    relevant: float | None = None,
) -> dict[str, Any]:
    """Index the documents (those that are not in the index yet), ask the queries, and measure.

    mode: as in `Searcher.search`; relevant: as in `query_values`. A document's score is its best passage's. Returns one
    value for each of MEASURES, and what they were measured with.
    """
    return evaluated(dataset, searcher, progress, mode, relevant).result


def evaluated(
    dataset: Dataset,
    searcher: Searcher,
    progress: Progress = no_progress,
    mode: Mode = "dense",
    relevant: float | None = None,
) -> Evaluated:
    """As `evaluate`, with the ranking and the value of every query."""
    begun = perf_counter()
    file = str(dataset.corpus.absolute())
    _check_own(searcher, file, dataset)
    progress("total", len(dataset.documents))
    searcher.add_documents(dataset.documents, file=file, progress=progress)
    run = rank_documents(searcher, dataset.queries, mode=mode)
    values = query_values(dataset.qrels, run, relevant)
    settings, counts = searcher.settings, searcher.counts()
    result = {
        **{name: sum(each) / len(each) for name, each in values.items()},
        "dataset": dataset.name, "documents": counts["documents"], "passages": counts["passages"],
        "queries": len(dataset.queries), "mode": mode, "model": settings.model, "pooling": settings.pooling,
        "layers": settings.layers, "chunk_tokens": settings.chunk_tokens, "truncate": settings.truncate,
        "context": settings.context,
        "seconds": round(perf_counter() - begun, 2),
    }  # fmt: skip
    return Evaluated(result, run, values)


def _check_own(searcher: Searcher, file: str, dataset: Dataset) -> None:
    """BadValue for an index that holds what is not of the set: strangers would be among the answers, and the set be
    among those of somebody else's index.
    """
    if not searcher.exists():
        return
    own = {document.source for document in dataset.documents}
    for origin in searcher.engine.origins(2):
        held = searcher.engine.documents_of("file", origin) or {origin: 0}
        if origin != file and not held.keys() <= own:
            raise BadValue(f"the index holds {origin!r}, which is not of the set {dataset.name!r}; use one of its own")


def rank_documents(
    searcher: Searcher, queries: dict[str, str], depth: int = DEPTH, mode: Mode = "dense"
) -> dict[str, dict[str, float]]:
    """Query id → document → score of its best passage, for the `depth` best documents of each query."""
    ranked = searcher.rank(list(queries.values()), depth, mode=mode, per_document=1, literal=True)
    return {query: {row.source: score for score, row in hits} for query, hits in zip(queries, ranked, strict=True)}
