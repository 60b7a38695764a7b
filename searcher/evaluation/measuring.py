"""How good the answers are on a set with judgements: reading one in BEIR's layout, asking its queries."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any

from searcher.errors import BadValue, UnreadableFile
from searcher.evaluation.measures import query_values
from searcher.ingest import Progress, no_progress
from searcher.ranking import Mode
from searcher.records import Document
from searcher.search import Searcher

__all__ = ["Dataset", "Evaluated", "evaluate", "evaluated", "rank_documents", "read_dataset"]

DEPTH = 100  # documents ranked for each query


@dataclass(frozen=True)
class Dataset:
    """Documents, queries (id → text), judgements (query id → document id → grade); only judged queries are kept."""

    name: str
    corpus: Path
    documents: list[Document]
    queries: dict[str, str]
    qrels: dict[str, dict[str, float]]


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
    qrels: dict[str, dict[str, float]] = {}
    for query, document, grade in _judgements(folder / "qrels" / "test.tsv"):
        if query in queries and fnmatchcase(query, ids):
            qrels.setdefault(query, {})[document] = grade
    if not documents or not qrels:
        raise BadValue(f"{folder}: no documents or no judged queries with ids like {ids!r}")
    return Dataset(folder.absolute().name, corpus, documents, {query: queries[query] for query in qrels}, qrels)


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
    progress("total", len(dataset.documents))
    searcher.add_documents(dataset.documents, file=str(dataset.corpus.absolute()), progress=progress)
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


def rank_documents(
    searcher: Searcher, queries: dict[str, str], depth: int = DEPTH, mode: Mode = "dense"
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


def _judgements(file: Path) -> Iterator[tuple[str, str, float]]:
    """(query id, document id, grade) of each line; a first one whose grade is no number is the heading."""
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            for number, row in enumerate(csv.reader(stream, delimiter="\t"), 1):
                if not row:
                    continue
                grade = _grade(row[2]) if len(row) == 3 else None
                if grade is not None:
                    yield row[0], row[1], grade
                elif number > 1:
                    raise UnreadableFile(file, f"line {number}: not query, document and grade: {row!r:.60}")
    except OSError as fault:
        raise UnreadableFile(file, fault.strerror or str(fault)) from None
    except UnicodeDecodeError:
        raise UnreadableFile(file, "not UTF-8") from None
    except csv.Error as fault:
        raise UnreadableFile(file, str(fault)) from None


def _grade(text: str) -> float | None:
    """A grade, such as 2 or 0.75; None for what is none, nan and inf included."""
    try:
        grade = float(text)
    except ValueError:
        return None
    return grade if isfinite(grade) else None
