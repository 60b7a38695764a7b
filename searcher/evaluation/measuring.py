"""How good the answers are on a set with judgements: BEIR's layout, ir_measures' measures."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from time import perf_counter
from typing import Any

from searcher.errors import BadValue, UnreadableFile
from searcher.ingest import Progress, no_progress
from searcher.records import Document
from searcher.search import Searcher

__all__ = ["MEASURES", "Dataset", "evaluate", "query_values", "rank_documents", "read_dataset"]

# our key, the literature's name → ir_measures' name, and how many documents count
MEASURES = {
    "nDCG@10": ("nDCG", 10), "P@1": ("P", 1), "MRR@10": ("RR", 10), "recall@10": ("R", 10), "recall@100": ("R", 100),
    "MAP@100": ("AP", 100),
}  # fmt: skip
DEPTH = 100  # documents ranked for each query


@dataclass(frozen=True)
class Dataset:
    """Documents, queries (id → text) and judgements (query id → document id → grade); only judged queries are kept."""

    name: str
    corpus: Path
    documents: list[Document]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]


def read_dataset(folder: str | Path, ids: str = "*") -> Dataset:
    """A folder with corpus.jsonl (or faq.jsonl), queries.jsonl and qrels/test.tsv.

    ids: keep documents and queries whose ids match this pattern, such as "en-*".
    A document's text is its title and text; a FAQ entry's is its question. Raises UnreadableFile, BadValue.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadValue(f"no folder {str(folder)!r}")
    corpus = next((folder / name for name in ("corpus.jsonl", "faq.jsonl") if (folder / name).exists()), None)
    if corpus is None:
        raise BadValue(f"{folder} is not in BEIR layout: it has neither corpus.jsonl nor faq.jsonl")
    documents = [_document(row, corpus, line) for line, row in _rows(corpus)]
    documents = [document for document in documents if fnmatchcase(document.source, ids)]
    queries = {_id(row, folder, line): str(row["text"]) for line, row in _rows(folder / "queries.jsonl", "text")}
    qrels: dict[str, dict[str, int]] = {}
    for query, document, grade in _judgements(folder / "qrels" / "test.tsv"):
        if query in queries and fnmatchcase(query, ids):
            qrels.setdefault(query, {})[document] = grade
    if not documents or not qrels:
        raise BadValue(f"{folder}: no documents or no judged queries with ids like {ids!r}")
    return Dataset(folder.absolute().name, corpus, documents, {query: queries[query] for query in qrels}, qrels)


def evaluate(
    dataset: Dataset, searcher: Searcher, progress: Progress = no_progress, mode: str = "dense"
) -> dict[str, Any]:
    """Index the documents (those that are not in the index yet), ask the queries, and measure.

    mode: as in `Searcher.search`. A document's score is its best passage's. Returns one value for each of MEASURES, and
    what they were measured with.
    """
    begun = perf_counter()
    progress("total", len(dataset.documents))
    searcher.add_documents(dataset.documents, file=str(dataset.corpus.absolute()), progress=progress)
    run = rank_documents(searcher, dataset.queries, mode=mode)
    values = query_values(dataset.qrels, run)
    settings, counts = searcher.settings, searcher.counts()
    return {
        **{name: sum(each) / len(each) for name, each in values.items()},
        "dataset": dataset.name, "documents": counts["documents"], "passages": counts["passages"],
        "queries": len(dataset.queries), "mode": mode, "model": settings.model, "pooling": settings.pooling,
        "layers": settings.layers, "chunk_tokens": settings.chunk_tokens, "truncate": settings.truncate,
        "seconds": round(perf_counter() - begun, 2),
    }  # fmt: skip


def query_values(
    qrels: Mapping[str, Mapping[str, int]], run: Mapping[str, Mapping[str, float]]
) -> dict[str, list[float]]:
    """For each of MEASURES its value for every query of `qrels`, in that order; 0 for one without an answer."""
    import ir_measures

    # Not by its parse_measure, which needs what Python 3.14 does not have any more.
    measures = {getattr(ir_measures, theirs) @ cutoff: name for name, (theirs, cutoff) in MEASURES.items()}
    values: dict[str, dict[str, float]] = {name: {} for name in MEASURES}
    for metric in ir_measures.iter_calc(list(measures), qrels, run):
        values[measures[metric.measure]][metric.query_id] = float(metric.value)
    return {name: [each.get(query, 0.0) for query in qrels] for name, each in values.items()}


def rank_documents(
    searcher: Searcher, queries: dict[str, str], depth: int = DEPTH, mode: str = "dense"
) -> dict[str, dict[str, float]]:
    """Query id → document → score of its best passage, for the `depth` best documents of each query."""
    ranked = searcher.rank(list(queries.values()), depth, mode=mode, per_document=1, literal=True)
    return {query: {row.source: score for score, row in hits} for query, hits in zip(queries, ranked, strict=True)}


def _document(row: dict[str, Any], file: Path, line: int) -> Document:
    key = _id(row, file, line)
    if file.name == "faq.jsonl":
        question, answer = row.get("question"), row.get("answer")
        if not isinstance(question, str) or not isinstance(answer, str):
            raise UnreadableFile(file, f"line {line}: a FAQ entry needs question and answer")
        return Document(key, question, id=key, metadata={"answer": answer}, kind="faq")
    title, text = str(row.get("title") or ""), str(row.get("text") or "")
    return Document(key, f"{title} {text}".strip(), title=title or None, id=key)


def _id(row: dict[str, Any], file: Path, line: int) -> str:
    for name in ("_id", "id"):
        if name in row:
            return str(row[name])
    raise UnreadableFile(file, f"line {line}: no _id")


def _rows(file: Path, *needed: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line; UnreadableFile with the number of a line that is none."""
    try:
        with file.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    row = json.loads(line)
                    if not isinstance(row, dict) or any(name not in row for name in needed):
                        raise UnreadableFile(file, f"line {number}: not an object with {', '.join(needed) or 'fields'}")
                    yield number, row
    except OSError as fault:
        raise UnreadableFile(file, fault.strerror or str(fault)) from None
    except UnicodeDecodeError:
        raise UnreadableFile(file, "not UTF-8") from None
    except ValueError as fault:
        raise UnreadableFile(file, f"line {number}: not JSON: {fault}") from None


def _judgements(file: Path) -> Iterator[tuple[str, str, int]]:
    """(query id, document id, grade) of each line after the heading."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream, delimiter="\t")
            next(rows, None)
            for number, row in enumerate(rows, 2):
                try:
                    query, document, grade = row
                    yield query, document, int(grade)
                except ValueError:
                    raise UnreadableFile(file, f"line {number}: not query, document and grade: {row!r:.60}") from None
    except OSError as fault:
        raise UnreadableFile(file, fault.strerror or str(fault)) from None
