"""What a server tells as JSON → the records that `Searcher` gives."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from searcher.cited import Citation, Context
from searcher.records import AddReport, Answer, Document, Failure, Highlight, Hits, Note, Passage, Skipped

__all__ = ["answer_of", "context_of", "document_of", "hits_of", "one_report", "report_of"]

T = TypeVar("T")
LISTS: dict[str, type[Failure]] = {"skipped": Skipped, "failed": Failure, "notes": Note}


def _known(kind: type[T], told: Mapping[str, Any], **changed: Any) -> T:
    """A record of what it knows of; a newer server may tell more."""
    values = {**told, **changed}
    return kind(**{each.name: values[each.name] for each in fields(kind) if each.name in values})  # type: ignore[arg-type]


def hits_of(told: Mapping[str, Any]) -> Hits:
    """The hits of a question."""
    return Hits(_passage(hit) for hit in told["hits"])


def _passage(told: Mapping[str, Any]) -> Passage:
    changed = _marked(told)
    if told.get("vector") is not None:
        import numpy as np

        changed["vector"] = np.array(told["vector"], dtype=np.float32)
    return _known(Passage, told, **changed)


def _marked(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is a record itself in a hit or a citation."""
    return {} if told.get("highlight") is None else {"highlight": _known(Highlight, told["highlight"])}


def answer_of(told: Mapping[str, Any]) -> tuple[Answer | None, str | None]:
    """An answer, or why there is none."""
    return (None, told.get("why")) if told["answer"] is None else (_known(Answer, told), None)


def context_of(told: Mapping[str, Any]) -> Context:
    """The sources of a question."""
    citations = [_known(Citation, each, **_marked(each)) for each in told["citations"]]
    return _known(Context, told, citations=citations, passages=[_passage(each) for each in told["passages"]])


def document_of(told: Mapping[str, Any]) -> Document:
    """A stored document, but for where its sections and places are."""
    return _known(Document, told)


def report_of(told: Mapping[str, Any]) -> AddReport:
    """What an `add` did."""
    lists = {name: [_known(kind, each) for each in told[name]] for name, kind in LISTS.items()}
    return _known(AddReport, told, **lists, moved=[(old, new) for old, new in told["moved"]])


def one_report(reports: Sequence[AddReport]) -> AddReport:
    """What several requests did, as one `add` would tell it: counts added up, lists one after the other."""
    nothing = AddReport()
    names = [each.name for each in fields(AddReport)]
    return AddReport(**{name: sum((getattr(each, name) for each in reports), getattr(nothing, name)) for name in names})
