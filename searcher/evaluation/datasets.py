"""A set with judgements: its documents, queries and grades, read from a folder in BEIR's layout."""

import json
from collections.abc import Container, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import isfinite
from pathlib import Path
from typing import Any

from searcher.errors import BadValue, UnreadableFile
from searcher.records import Document

__all__ = ["Dataset", "read_dataset"]


@dataclass(frozen=True)
class Dataset:
    """Documents, queries (id → text), judgements (query id → document id → grade); only judged queries are kept."""

    name: str
    corpus: Path
    documents: list[Document]
    queries: dict[str, str]
    qrels: dict[str, dict[str, float]]


def read_dataset(folder: str | Path, ids: str = "*") -> Dataset:
    """A folder with corpus.jsonl (or faq.jsonl), queries.jsonl and qrels/test.tsv, which may be in TREC's format.

    ids: keep documents and queries, and judgements of both, whose ids match this pattern, such as "en-*". A document's
    text is its title and text; a FAQ entry's is its question. Of two with one id the later one is taken, of two
    judgements too. Raises UnreadableFile, BadValue.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise BadValue(f"no folder {str(folder)!r}")
    corpus = next((folder / name for name in ("corpus.jsonl", "faq.jsonl") if (folder / name).exists()), None)
    if corpus is None:
        raise BadValue(f"{folder} is not in BEIR layout: it has neither corpus.jsonl nor faq.jsonl")
    every = (_document(row, corpus, line) for line, row in _rows(corpus))
    documents = {document.source: document for document in every if fnmatchcase(document.source, ids)}
    asked = folder / "queries.jsonl"
    known = {_id(row, asked, line): (line, row["text"]) for line, row in _rows(asked, "text")}
    qrels: dict[str, dict[str, float]] = {}
    for query, document, grade in _judgements(folder / "qrels" / "test.tsv", known):
        if query in known and fnmatchcase(query, ids) and fnmatchcase(document, ids):
            qrels.setdefault(query, {})[document] = grade
    if not documents or not qrels:
        raise BadValue(f"{folder}: no documents or no judged queries with ids like {ids!r}")
    queries = {key: _question(known[key][1], asked, known[key][0]) for key in qrels}
    name = folder.resolve().name if folder.name in ("", "..") else folder.name
    return Dataset(name, corpus, list(documents.values()), queries, qrels)


def _document(row: dict[str, Any], file: Path, line: int) -> Document:
    key = _id(row, file, line)
    if file.name == "faq.jsonl":
        question, answer = row.get("question"), row.get("answer")
        if not isinstance(question, str) or not isinstance(answer, str):
            raise UnreadableFile(file, f"line {line}: a FAQ entry needs question and answer")
        return Document(key, question, id=key, metadata={"answer": answer}, kind="faq")
    title, text = (row.get(name) or "" for name in ("title", "text"))
    if not isinstance(title, str) or not isinstance(text, str):
        raise UnreadableFile(file, f"line {line}: title and text must be texts")
    return Document(key, f"{title} {text}".strip(), title=title or None, id=key)


def _question(text: Any, file: Path, line: int) -> str:
    """The text of a judged query. UnreadableFile where there is nothing to ask."""
    if not isinstance(text, str) or not text.strip():
        raise UnreadableFile(file, f"line {line}: a query that is judged needs a text, not {text!r:.40}")
    return text


def _id(row: dict[str, Any], file: Path, line: int) -> str:
    for name in ("_id", "id"):
        if name in row:
            return str(row[name])
    raise UnreadableFile(file, f"line {line}: no _id")


def _rows(file: Path, *needed: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line; UnreadableFile with the number of a line that is none."""
    for number, line in _lines(file):
        try:
            row = json.loads(line)
        except ValueError as fault:
            raise UnreadableFile(file, f"line {number}: not JSON: {fault}") from None
        if not isinstance(row, dict) or any(name not in row for name in needed):
            raise UnreadableFile(file, f"line {number}: not an object with {', '.join(needed) or 'fields'}")
        yield number, row


def _judgements(file: Path, queries: Container[str]) -> Iterator[tuple[str, str, float]]:
    """(query id, document id, grade) of each line; a first one whose grade is no number is the heading.

    But where it begins with one of the queries: then its grade is wrong, as it is in any other line.
    """
    first = True
    for number, line in _lines(file):
        columns = _columns(line)
        grade = _grade(columns[-1]) if columns else None
        if grade is not None and (len(columns) == 3 or _is_iteration(columns[1])):
            yield columns[0], columns[-2], grade
        elif not (first and columns and columns[0] not in queries):
            raise UnreadableFile(file, f"line {number}: not query, document and grade: {line!r:.60}")
        first = False


def _columns(line: str) -> list[str]:
    """BEIR's three columns (query, document, grade) or TREC's four (query, iteration, document, grade); else none.

    They are parted by tabs, and may be quoted; where there is no tab by any white space, as trec_eval reads them.
    """
    columns = line.split("\t") if "\t" in line else line.split()
    return [_unquoted(column) for column in columns] if len(columns) in (3, 4) else []


def _unquoted(text: str) -> str:
    """Without the quotation marks in which csv puts what holds one, doubled."""
    return text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text


def _is_iteration(text: str) -> bool:
    """Whether it is the column of TREC that says nothing: 0 or Q0, or the number of a round of judging."""
    return text.upper() == "Q0" or _grade(text) is not None


def _grade(text: str) -> float | None:
    """A grade, such as 2 or 0.75; None for what is none, nan and inf included."""
    try:
        grade = float(text)
    except ValueError:
        return None
    return grade if isfinite(grade) else None


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not blank, without its end. UnreadableFile."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line.rstrip("\n")
    except OSError as fault:
        raise UnreadableFile(file, fault.strerror or str(fault)) from None
    except UnicodeDecodeError:
        raise UnreadableFile(file, "not UTF-8") from None
