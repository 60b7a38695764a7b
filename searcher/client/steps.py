"""What is asked of a server, a request after the other: generators that yield requests and are sent replies.

Whoever runs them does the waiting, in a thread or in an event loop; here nothing waits.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, TypeVar
from urllib.parse import quote

from searcher.client.replies import answer_of, context_of, document_of, hits_of, one_report, report_of
from searcher.client.transport import Request
from searcher.client.where import as_text
from searcher.errors import BadValue, SearcherError
from searcher.plain import as_json, is_there, plain, storable
from searcher.records import AddReport, Answer, Document, Hits, ValueCount

__all__ = ["STEPS", "Steps", "sent"]

T = TypeVar("T")
Steps = Generator[Request, Any, T]
QUESTIONS = 64  # of a request
DOCUMENTS, CHARACTERS = 500, 4_000_000  # of a request: its body may have 10 MiB
IDS, IDS_BYTES = 100, 20_000  # of an address
LISTED = 1_000  # documents of a page
VALUES = 1_000  # of a key
COUNTED = ("documents", "passages", "tokens")


def sent(steps: Steps[Any], reply: Any, url: str) -> Request:
    """The request that comes after a reply. SearcherError where that is not what such a request is answered with."""
    try:
        return steps.send(reply)
    except (AttributeError, IndexError, KeyError, TypeError) as fault:
        raise SearcherError(f"{url} answers as no server of searcher does: {type(fault).__name__} {fault}") from fault


def _post(path: str, told: Mapping[str, Any], **more: Any) -> Request:
    """A question as JSON, without what is left to the server."""
    return Request("POST", path, body={name: plain(value) for name, value in told.items() if value is not None}, **more)


def _how(how: Mapping[str, Any]) -> dict[str, Any]:
    """Further options: what is as it is anyhow is not sent."""
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in how.items()}
    return {name: value for name, value in told.items() if is_there(value) and value != []}


def _in_parts(items: Sequence[T], most: int) -> list[Sequence[T]]:
    return [items[at : at + most] for at in range(0, len(items), most)]


def _of_addresses(ids: Sequence[str]) -> list[list[str]]:
    """The ids of each request that has them in its address."""
    parts: list[list[str]] = []
    room = 0
    for each in ids:
        size = len(quote(each, errors="replace"))
        if not parts or len(parts[-1]) == IDS or size > room:
            parts.append([])
            room = IDS_BYTES
        parts[-1].append(each)
        room -= size
    return parts


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], int | float) and value[0] is not True


def _list_of(value: Any) -> Any:
    """A list of what somebody calls one: an array, a tensor, a generator."""
    value = plain(value)
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bytes | Mapping) or not isinstance(value, Iterable):
        raise BadValue(f"the query is not a text: {value!r:.40}")
    return [plain(each) if not isinstance(each, tuple) else list(each) for each in value]


# -- questions


def search(
    query: Any = None, k: int = 10, where: Any = None, min_score: float | None = None, *, vector: Any = None, **how: Any
) -> Steps[Any]:
    """Hits, or a list of such for several questions."""
    query, vector = _list_of(query), _list_of(vector)
    if vector is None and query and not isinstance(query, str) and not isinstance(query[0], str):
        query, vector = None, query
    if query is None and vector is None:
        raise BadValue("the query is missing; good: a text, a vector, or both")
    told = {"k": k, "where": as_text(where), "min_score": min_score, **_how(how)}
    if isinstance(query, str) or (query is None and _is_numbers(vector)):
        return hits_of((yield _post("/search", {"query": query, "vector": vector, **told})))
    several = query if query is not None else vector
    if query is not None and vector is not None and len(query) != len(vector):
        raise BadValue(f"{len(vector)} vectors for {len(query)} questions; one question takes one vector (d,)")
    found: list[Hits] = []
    for places in _in_parts(range(len(several)), QUESTIONS):
        own = {name: None if all_ is None else [all_[at] for at in places] for name, all_ in
               (("query", query), ("vector", vector))}  # fmt: skip
        reply = yield _post("/search", {**own, **told})
        found += map(hits_of, reply["results"])
    return found


def similar(
    source: str | PurePath, k: int = 10, where: Any = None, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Steps[Hits]:
    """Passages of other documents."""
    told = {"source": str(source), "k": k, "where": as_text(where), "include": list(include), "exclude": list(exclude)}
    return hits_of((yield Request("GET", "/similar", told)))


def verdicts(
    questions: Sequence[str], min_score: float | None = None, min_probability: float | None = None
) -> Steps[list[tuple[Answer | None, str | None]]]:
    """The answer of each question, or why there is none."""
    found: list[tuple[Answer | None, str | None]] = []
    for part in _in_parts(list(questions), QUESTIONS):
        told = {"question": part, "min_score": min_score, "min_probability": min_probability}
        found += map(answer_of, (yield _post("/answer", told))["results"])
    return found


def answer(
    question: str | Iterable[str], min_score: float | None = None, min_probability: float | None = None
) -> Steps[Any]:
    """An answer or None, or a list of such for several questions."""
    several = [question] if isinstance(question, str) else _list_of(question)
    found = [each for each, _ in (yield from verdicts(several, min_score, min_probability))]
    return found[0] if isinstance(question, str) else found


def context(
    question: str, tokens: int = 2000, where: Any = None, min_score: float | None = None, *, k: int | None = None,
    **how: Any,
) -> Steps[Any]:  # fmt: skip
    """The sources of a question as one text."""
    told = {"question": question, "tokens": tokens, "where": as_text(where), "min_score": min_score, "k": k}
    return context_of((yield _post("/context", {**told, **_how(how)})))


# -- documents


def put(
    texts: Iterable[str], ids: Iterable[Any] | None = None, metadatas: Iterable[Any] | None = None, *,
    vectors: Any = None, payloads: Iterable[Any] | None = None, whole: bool = False, exists: str = "replace",
) -> Steps[list[str]]:  # fmt: skip
    """The ids of all texts."""
    columns = {"text": texts, "id": ids, "metadata": metadatas, "vector": vectors, "payload": payloads}
    rows = _rows(columns)
    parts = _bodies(rows)
    if len(parts) > 1 and not all("id" in row for row in rows):
        raise BadValue(f"texts that go in several requests, as these {len(rows):,} do, need ids")
    kept: list[str] = []
    for part in parts:
        body = {"documents": part, "whole": whole, "exists": exists}
        kept += (yield Request("POST", "/documents", body=body, safe=False))["ids"]
    return kept


def add_texts(
    texts: Iterable[str], ids: Iterable[Any] | None = None, metadatas: Iterable[Any] | None = None
) -> Steps[AddReport]:  # fmt: skip
    """The report of all texts."""
    rows = _rows({"text": texts, "id": ids, "metadata": metadatas})
    keys = [row.get("id") for row in rows]
    twice = next((key for key, times in Counter(keys).items() if key is not None and times > 1), None)
    if twice is not None:  # of one request the server would say so too
        raise BadValue(f"id {twice!r} is given twice")
    reports: list[AddReport] = []
    for part in _bodies(rows):
        told: dict[str, Any] = {"texts": [row.get("text") for row in part]}
        told |= {} if ids is None else {"ids": [row.get("id") for row in part]}
        told |= {"metadatas": [row.get("metadata") for row in part]}
        reports.append(report_of((yield Request("POST", "/texts", body=told, safe=False))))
    return one_report(reports)


def _rows(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A document for each text, without what is not given. BadValue for lists of unlike length."""
    if isinstance(columns["text"], str | Mapping):
        raise BadValue(f"texts is one {type(columns['text']).__name__}; it must be a list of them")
    lists = {name: list(plain(values)) for name, values in columns.items() if values is not None}
    for name, values in lists.items():
        if len(values) != len(lists["text"]):
            raise BadValue(f"{len(values)} {name}s for {len(lists['text'])} texts")
    told = [{name: AS_SENT.get(name, _plain)(values[at], at + 1) for name, values in lists.items()}
            for at in range(len(lists["text"]))]  # fmt: skip
    rows = [{name: value for name, value in row.items() if value is not None} for row in told]
    return [row | ({"id": str(row["id"])} if "id" in row else {}) for row in rows]


def _plain(value: Any, number: int) -> Any:
    return plain(value)


def _metadata(value: Any, number: int) -> Any:
    try:
        return storable(plain(value))
    except BadValue as fault:
        raise BadValue(f"metadata {number}: {fault}") from None


def _payload(value: Any, number: int) -> Any:
    as_json(value)
    return value


# Of a column of documents, what is made of a value before it is sent; number: of the document, from 1.
AS_SENT: dict[str, Callable[[Any, int], Any]] = {"metadata": _metadata, "payload": _payload}


def _bodies(rows: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The documents of each request."""
    parts: list[list[dict[str, Any]]] = []
    room = 0
    for row in rows:
        size = len(row["text"]) if isinstance(row.get("text"), str) else 0
        if not parts or len(parts[-1]) == DOCUMENTS or size > room:
            parts.append([])
            room = CHARACTERS
        parts[-1].append(row)
        room -= size
    return parts


def add_bytes(data: bytes, label: str) -> Steps[AddReport]:
    """The report of a file."""
    path = f"/files/{quote(label, safe='')}"
    return report_of((yield Request("PUT", path, data=bytes(data), safe=False)))


def remove(sources: str | PurePath | Sequence[str | PurePath] = (), ids: str | Sequence[str] = ()) -> Steps[int]:
    """How many."""
    told = {"source": [str(sources)] if isinstance(sources, str | PurePath) else list(map(str, sources))}
    told |= {"id": [ids] if isinstance(ids, str) else list(map(str, ids))}
    if not any(told.values()):
        return 0
    return int((yield Request("DELETE", "/documents", told, safe=False))["removed"])


def delete(ids: Any = None, where: Any = None) -> Steps[int]:
    """How many."""
    if ids is None and where is None:
        raise BadValue('delete needs ids or where; to remove every document, delete(where="source is not null")')
    condition = as_text(where) or "source is not null"  # so that an id that is not there is no error
    if ids is None:
        return int((yield Request("DELETE", "/documents", {"where": condition}, safe=False))["removed"])
    removed = 0
    for part in _of_addresses(_keys(ids)):
        told = {"id": part, "where": condition}
        removed += (yield Request("DELETE", "/documents", told, safe=False))["removed"]
    return removed


def update_metadata(where: Any, changes: Mapping[str, Any]) -> Steps[int]:
    """How many."""
    body = {"where": as_text(where), "changes": storable(changes)}
    return int((yield Request("PATCH", "/documents", body=body, safe=False))["changed"])


def get(ids: Any) -> Steps[list[Document]]:
    """The documents of those ids, in that order."""
    keys, documents = _keys(ids), list[Document]()
    for part in _of_addresses(keys):
        sources: dict[str, list[str]] = {}
        for row in (yield from listing({"id": list(part)})):
            sources.setdefault(row["id"], []).append(row["source"])
        for source in (source for key in part for source in sources.get(key, ())):
            documents.append((yield from document(source)))
    return documents


def _keys(ids: Any) -> list[str]:
    several = [ids] if isinstance(ids, str | int) else list(plain(ids))
    return list(dict.fromkeys(str(plain(each)) for each in several))


def document(source: str | PurePath) -> Steps[Document]:
    """A stored document."""
    return document_of((yield from show(source)))


def show(source: str | PurePath, passages: bool = False) -> Steps[dict[str, Any]]:
    """A stored document, as `show --json` prints it."""
    told = {"source": str(source), "passages": "true" if passages else None}
    return dict((yield Request("GET", "/documents/text", told)))


def listing(where: Any = None, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> Steps[list[dict[str, Any]]]:
    """All documents, a page after the other."""
    told = {"where": as_text(where), "include": list(include), "exclude": list(exclude), "limit": LISTED}
    rows: list[dict[str, Any]] = []
    while True:
        page = yield Request("GET", "/documents", {**told, "offset": len(rows)})
        rows += page["documents"]
        if len(rows) >= page["total"] or not page["documents"]:
            return rows


def count(where: Any = None) -> Steps[int]:
    """How many documents."""
    return int((yield Request("GET", "/documents", {"where": as_text(where), "limit": 0}))["total"])


def values(key: str, where: Any = None, *, most: int | None = None) -> Steps[list[ValueCount]]:
    """The values of a key. BadValue where there are more than a server tells and no number was given."""
    told = {"key": key, "where": as_text(where), "most": min(most or VALUES, VALUES)}
    [facet] = (yield Request("GET", "/facets", told))["facets"]
    if facet["more"] and (most is None or most > VALUES):
        raise BadValue(f"{key!r} has {VALUES + facet['more']:,} values; a server tells at most {VALUES:,}: say most")
    return [ValueCount(each["value"], each["documents"]) for each in facet["values"]]


def metadata_keys() -> Steps[dict[str, list[str]]]:
    """The keys of metadata and the kinds of their values."""
    return dict((yield Request("GET", "/keys"))["keys"])


def exists() -> Steps[bool]:
    """Whether there is an index."""
    return bool((yield from status())["exists"])


def counts() -> Steps[dict[str, int]]:
    """How many there are of each."""
    told = yield from status()
    return {name: int(told[name]) if told["exists"] else 0 for name in COUNTED}


def status() -> Steps[dict[str, Any]]:
    """What the index holds."""
    return dict((yield Request("GET", "/status")))


STEPS: dict[str, Callable[..., Steps[Any]]] = {
    each.__name__: each
    for each in (
        search, similar, verdicts, answer, context, put, add_texts, add_bytes, update_metadata, remove, delete, get,
        document, show, listing, count, values, metadata_keys, exists, counts, status,
    )
}  # fmt: skip
