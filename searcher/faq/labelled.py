"""Files of questions: with the answer that is right for each, or to be asked."""

import io
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from searcher.errors import BadValue, UnreadableFile
from searcher.faq.entries import Entries
from searcher.records import Document, Failure, Note
from searcher.system import absolute

__all__ = ["read_labelled", "read_questions"]

QUESTION, ANSWER = ("question", "text", "query"), "answer"
TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json")


def read_labelled(file: Path, entries: Entries) -> list[tuple[str, str | None]]:
    """(question, right answer or None) of each row of a table with columns question (or text, query) and answer.

    An answer is the text of one, or the id, source or a question of an entry, however lines are broken and spaces wide;
    none, or an empty one, says that the FAQ has none. Raises UnreadableFile, BadValue for a row that is none of these
    or a table without these columns.
    """
    if file.suffix.lower() not in TABLES:
        raise UnreadableFile(file, f"no table of questions and answers; these are: {', '.join(TABLES)}")
    known: dict[str, str] = {}
    for answer in entries.answers:
        known.setdefault(_spaced(answer), answer)
    for names in ("id", "source", "text"):
        for row, number in zip(entries.rows, entries.entries, strict=True):
            if (name := getattr(row, names)) is not None:
                known.setdefault(_spaced(name), entries.answers[number])
    labelled, named = [], False
    for item in _rows(file, column_types={ANSWER: "text"}):
        fields = {name.lower(): value for name, value in item.metadata.items()}
        value = fields.get(ANSWER)
        named |= value is not None
        told = "" if value is None else _spaced(str(value))
        if told and told not in known:
            raise BadValue(f"{item.source}: no entry has the answer, id, source or question {told!r:.80}")
        labelled.append((item.text, known[told] if told else None))
    if not named:  # a column that is not there is not a column of questions without an answer
        _require(file, ANSWER)
    return labelled


def _spaced(text: str) -> str:
    """A text with one space where there is any white space."""
    return " ".join(text.split())


def read_questions(file: Path | BinaryIO) -> Iterator[str]:
    """The questions of a table with a column question (or text, query), of a JSON list of texts, or of a text, one on
    each line.

    A stream is lines; a line that is a JSON object with one of these names is what stands there. They come as they are
    read: there may be millions. Raises UnreadableFile, and BadValue for a row without a question, or none at all.
    """
    if isinstance(file, Path) and file.suffix.lower() in TABLES:
        texts = _texts(file) if file.suffix.lower() == ".json" else None
        yield from (row.text for row in _rows(file)) if texts is None else texts
        return
    name, empty = str(file) if isinstance(file, Path) else "stdin", True
    try:
        with io.TextIOWrapper(file.open("rb") if isinstance(file, Path) else file, "utf-8-sig") as lines:
            for line in lines:
                if text := line.strip():
                    empty = False
                    yield _of_object(text) or text
    except UnicodeDecodeError:
        raise BadValue(f"{name} is not UTF-8") from None
    if empty:
        raise BadValue(f"{name} holds no question")


def _texts(file: Path) -> list[str] | None:
    """The texts of a list of nothing else; None of any other JSON. BadValue for an empty one among them."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):  # whoever reads it says so
        return None
    if not isinstance(found, list) or not found or not all(isinstance(text, str) for text in found):
        return None
    for number, text in enumerate(found, 1):
        if not text.strip():
            raise BadValue(f"{file}#{number}: no question")
    return found


def _of_object(line: str) -> str | None:
    """The question in a JSON object; None for a line that is none, such as a question that begins with a brace."""
    try:
        found = json.loads(line) if line.startswith("{") else None
    except (ValueError, RecursionError):
        return None
    values = [found.get(name) for name in QUESTION] if isinstance(found, dict) else []
    return next((text for text in values if isinstance(text, str) and text.strip()), None)


def _rows(file: Path, **how: Any) -> Iterator[Document]:
    """The rows of a table, their questions as texts. Notes on the file are warned of."""
    empty = True
    for item in _read(file, text_field=_question_column(file), **how):
        if isinstance(item, Note):
            if ANSWER not in item.reason:  # that is told as an error, or not asked for
                warnings.warn(f"{item.source}: {item.reason}", stacklevel=2)
        elif isinstance(item, Failure):
            raise BadValue(f"{item.source}: {item.reason}")
        elif item.source == absolute(file):  # a JSON file of something else is one text
            raise BadValue(f"{file} holds no list of objects with {QUESTION[0]} (or {', '.join(QUESTION[1:])})")
        elif not item.text.strip():
            raise BadValue(f"{item.source}: no question")
        else:
            empty = False
            yield item
    if empty:
        raise BadValue(f"{file} holds no question")


def _read(file: Path, **how: Any) -> Iterator[Document | Failure]:
    """What is read of a table; how: as in `ReadOptions`."""
    from searcher.readers import ReadOptions, read  # for which nobody who only asks has to wait

    return read(file, ReadOptions(**how))


def _question_column(file: Path) -> str:
    """The first of the names of a column of questions that a table has, in the case that it has it in."""
    for name in QUESTION:
        for spelled in (name, name.title(), name.upper()):
            if _missing(file, spelled) is None:
                return spelled
    raise UnreadableFile(file, f"no column {', '.join(map(repr, QUESTION))}; {_missing(file, QUESTION[0])}")


def _require(file: Path, column: str) -> None:
    """UnreadableFile, with the columns that there are, where a table lacks one."""
    missing = [_missing(file, name) for name in (column, column.title(), column.upper())]
    if None not in missing:
        raise UnreadableFile(file, f"no column {column!r}; {missing[0]}")


def _missing(file: Path, column: str) -> str | None:
    """None where a table has a column of that name, else which it has, in words."""
    try:
        next(_read(file, text_field=column), None)
    except UnreadableFile as problem:
        _, its, fields = problem.reason.partition("its fields: ")
        if not its:
            raise
        return its + fields
    return None
