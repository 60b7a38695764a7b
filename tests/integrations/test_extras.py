"""What the frameworks' suites leave out and users do: each case by every door, called and awaited."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID
from zlib import crc32

import numpy as np
import pytest

from searcher import AsyncSearcher, Searcher
from searcher.errors import BadValue, UnknownName

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # read when it is imported

WIDTH = 8
KEY = UUID("7d444840-9dc0-11d1-b245-5ffdce74fad2")
MOMENT = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
Colour = Enum("Colour", {"RED": "red"})


def vector(text: str) -> list[float]:
    """A vector for a text, the same in every run."""
    found: list[float] = np.random.default_rng(crc32(text.encode())).standard_normal(WIDTH).astype("float32").tolist()
    return found


@dataclass
class Door:
    """put(texts, ids, metadatas), get(ids) → (id, text, metadata) each, ask(question, k, where) → ids, delete(ids),
    clear(). where: (key, value) that must be equal, or None.
    """

    put: Callable[..., Any]
    get: Callable[..., list[tuple[str, str, dict[str, Any]]]]
    ask: Callable[..., list[str]]
    delete: Callable[..., Any]
    clear: Callable[[], Any]
    strict: bool = False  # of people: an unknown key and a k of 0 are errors
    flat: bool = False  # whether a key with a dot is that key, and not one within another
    text_ids: bool = False  # whether the framework itself refuses an id that is no text


def called(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method, or one to be awaited in a loop of its own."""

    def run(*arguments: Any, **named: Any) -> Any:
        found = method(*arguments, **named)
        return asyncio.run(found) if asyncio.iscoroutine(found) else found

    return run


def library(folder: Path, awaited: bool) -> Door:
    index = Searcher(folder, vectors="fake", dimension=WIDTH)
    own: Any = AsyncSearcher(index) if awaited else index
    put, get, search, delete = map(called, (own.put, own.get, own.search, own.delete))
    return Door(
        lambda texts, ids, metadatas: put(texts, ids, metadatas, vectors=list(map(vector, texts))),
        lambda ids: [(each.id, each.text, dict(each.metadata)) for each in get(ids)],
        lambda question, k, where=None: [
            hit.id for hit in search(vector=vector(question), k=k, where=where and dict([where]), whole=True)
        ],
        delete,
        lambda: index.delete(where="source is not null"),
        strict=True,
    )


def langchain(folder: Path, awaited: bool) -> Door:
    from langchain_core.embeddings import Embeddings

    from searcher.integrations.langchain import SearcherVectorStore

    class Fake(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return list(map(vector, texts))

        def embed_query(self, text: str) -> list[float]:
            return vector(text)

    store = SearcherVectorStore(folder, Fake())
    names = ("add_texts", "get_by_ids", "similarity_search", "delete")
    put, get, search, delete = (called(getattr(store, f"a{name}" if awaited else name)) for name in names)
    return Door(
        lambda texts, ids, metadatas: put(texts, metadatas, ids=ids),
        lambda ids: [(each.id, each.page_content, each.metadata) for each in get(ids)],
        lambda question, k, where=None: [each.id for each in search(question, k, filter=where and dict([where]))],
        delete,
        lambda: store.searcher.delete(where="source is not null"),
    )


def llama_index(folder: Path, awaited: bool) -> Door:
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores.types import MetadataFilter, MetadataFilters, VectorStoreQuery

    from searcher.integrations.llama_index import SearcherVectorStore

    store = SearcherVectorStore(folder, vectors="fake", dimension=WIDTH)
    names = (
        ("async_add", "aget_nodes", "aquery", "adelete_nodes")
        if awaited
        else ("add", "get_nodes", "query", "delete_nodes")
    )
    put, get, query, delete = (called(getattr(store, name)) for name in names)

    def ask(question: str, k: int, where: tuple[str, Any] | None = None) -> list[str]:
        chosen = where and MetadataFilters(filters=[MetadataFilter.model_construct(key=where[0], value=where[1])])
        return list(query(VectorStoreQuery(query_embedding=vector(question), similarity_top_k=k, filters=chosen)).ids)

    def node(text: str, key: Any, metadata: dict[str, Any]) -> TextNode:
        return TextNode(id_=key, text=text, metadata=metadata, embedding=vector(text))

    return Door(
        lambda texts, ids, metadatas: put(list(map(node, texts, ids, metadatas))),
        lambda ids: [(each.node_id, each.text, each.metadata) for each in get(ids)],
        ask, delete, store.clear, flat=True, text_ids=True,
    )  # fmt: skip


def haystack(folder: Path, awaited: bool) -> Door:
    from haystack import Document
    from haystack.document_stores.types import DuplicatePolicy

    from haystack_integrations.document_stores.searcher import SearcherDocumentStore

    store = SearcherDocumentStore(folder, vectors="fake", dimension=WIDTH)
    names = ("write_documents", "filter_documents", "embedding_retrieval", "delete_documents")
    put, get, search, delete = (called(getattr(store, f"{name}_async" if awaited else name)) for name in names)

    def of(field: str, operator: str, value: Any) -> dict[str, Any]:
        return {"field": field, "operator": operator, "value": value}

    def document(text: str, key: Any, metadata: dict[str, Any]) -> Document:
        return Document(id=key, content=text, meta=metadata, embedding=vector(text))

    def held(ids: Sequence[Any]) -> list[tuple[str, str, dict[str, Any]]]:
        found = {each.id: each for each in get(of("id", "in", list(map(str, ids))))}
        there = [found[str(key)] for key in ids if str(key) in found]
        return [(each.id, each.content, each.meta) for each in there]

    return Door(
        lambda texts, ids, metadatas: put(list(map(document, texts, ids, metadatas)), DuplicatePolicy.OVERWRITE),
        held,
        lambda question, k, where=None: [
            each.id for each in search(vector(question), where and of(where[0], "==", where[1]), k)
        ],
        delete,
        store.delete_all_documents,
    )


# -- the cases


def padded(door: Door) -> None:
    door.put(["  padded\t\n"], ["a"], [{}])
    assert door.get(["a"]) == [("a", "  padded\t\n", {})]


def long(door: Door) -> None:
    door.put(["river " * 5000, "money"], ["a", "b"], [{}, {}])
    assert sorted(door.ask("river", 10)) == ["a", "b"]
    assert len(door.get(["a"])[0][1]) == 30_000


def empty_text(door: Door) -> None:
    door.put(["", " "], ["a", "b"], [{"n": 1}, {"n": 2}])
    assert door.get(["a", "b"]) == [("a", "", {"n": 1}), ("b", " ", {"n": 2})]
    assert door.ask("x", 5, ("n", 1)) == ["a"]


def twice(door: Door) -> None:
    door.put(["one", "other", "two"], ["a", "b", "a"], [{"n": 1}, {}, {"n": 2}])
    assert door.get(["a"]) == [("a", "two", {"n": 2})]
    assert door.ask("two", 5)[0] == "a" and len(door.ask("two", 5)) == 2


def again(door: Door) -> None:
    for n in (1, 1, 2):
        door.put(["one"], ["a"], [{"n": n}])
    assert door.get(["a"]) == [("a", "one", {"n": 2})] and door.ask("one", 5) == ["a"]


def lists(door: Door) -> None:
    door.put(["one", "two"], ["a", "b"], [{"tags": ["x", "y"], "none": []}, {"tags": ["z"]}])
    assert door.get(["a"])[0][2] == {"tags": ["x", "y"], "none": []}


def dicts(door: Door) -> None:
    metadata = {"author": {"name": "Ada", "ids": [1, {"deep": None}]}, "a.b": 1, "null": None}
    door.put(["one", "two"], ["a", "b"], [metadata, {"author": {"name": "Bob"}}])
    assert door.get(["a"])[0][2] == metadata
    assert door.ask("one", 5, ("a.b", 1) if door.flat else ("author.name", "Ada")) == ["a"]


def shadowing(door: Door) -> None:
    metadata = {"source": "mail", "title": "t", "line": 7, "score": 3, "kind": "note", "section": "s", "text": "other"}
    door.put(["one", "two"], ["a", "b"], [metadata, {}])
    assert door.get(["a"])[0][2] == metadata
    assert door.ask("two", 5, ("metadata.source" if door.strict else "source", "mail")) == ["a"]


def odd_values(door: Door) -> None:
    given = {"id_": KEY, "when": MOMENT, "day": date(2026, 1, 31), "cost": Decimal("19.99"), "path": PurePosixPath("a/b"),
             "colour": Colour.RED, "number": np.int64(3), "true": np.bool_(True), "tuple": (1, 2)}  # fmt: skip
    stored = {"id_": str(KEY), "when": "2026-01-31T10:00:00+00:00", "day": "2026-01-31", "cost": 19.99, "path": "a/b",
              "colour": "red", "number": 3, "true": True, "tuple": [1, 2]}  # fmt: skip
    door.put(["one"], ["a"], [given])
    assert door.get(["a"]) == [("a", "one", stored)]


def asked_by_odd_values(door: Door) -> None:
    door.put(["one", "two"], ["a", "b"], [{"key": KEY, "when": MOMENT}, {}])
    for where in (("key", KEY), ("key", str(KEY)), ("when", MOMENT)):
        assert door.ask("one", 5, where) == ["a"], where


def never_stored(door: Door) -> None:
    door.put(["one"], ["a"], [{}])
    for value in (b"bytes", float("nan"), object()):
        with pytest.raises(BadValue):
            door.put(["new", "one"], ["b", "a"], [{}, {"value": value}])
    assert door.get(["a", "b"]) == [("a", "one", {})]


def unknown_key(door: Door) -> None:
    door.put(["one"], ["a"], [{"n": 1}])
    if not door.strict:
        assert door.ask("one", 5, ("nobody", 1)) == []
        assert door.ask("one", 5, ("nobody", None)) == ["a"]
        return
    with pytest.raises(UnknownName, match="nobody"):
        door.ask("one", 5, ("nobody", 1))


def no_hits(door: Door) -> None:
    door.put(["one"], ["a"], [{}])
    if not door.strict:
        assert door.ask("one", 0) == []
        return
    with pytest.raises(BadValue, match="k is 0"):
        door.ask("one", 0)


def more_than_there_are(door: Door) -> None:
    door.put(["one", "two"], ["a", "b"], [{}, {}])
    assert door.ask("two", 10_000) == ["b", "a"]


def empty_question(door: Door) -> None:
    door.put(["one", "two"], ["a", "b"], [{}, {}])
    own = np.array([vector("one"), vector("two")])
    cosines = own @ vector("") / np.linalg.norm(own, axis=1)
    assert door.ask("", 2) == ["ab"[place] for place in np.argsort(-cosines)]


def missing_ids(door: Door) -> None:
    door.put(["one", "two"], ["a", "b"], [{}, {}])
    assert [key for key, _, _ in door.get(["b", "nobody", "a"])] == ["b", "a"]
    assert door.get(["nobody"]) == door.get([]) == []
    for gone in ([], ["nobody"], ["nobody", "a"]):
        door.delete(gone)
    assert door.get(["a", "b"]) == [("b", "two", {})]


def ids_that_are_no_texts(door: Door) -> None:
    if door.text_ids:
        with pytest.raises(ValueError, match="valid string"):
            door.put(["one"], [KEY], [{}])
        return
    door.put(["one", "two"], [KEY, 7], [{}, {}])
    assert [key for key, _, _ in door.get([7, KEY])] == ["7", str(KEY)]
    door.delete([KEY, 7])
    assert door.get([str(KEY), "7"]) == []


def odd_ids(door: Door) -> None:
    ids = ["a b", "ä/ö#1", "'; drop table", "x" * 300, "河"]
    door.put(list(ids), ids, [{}] * len(ids))
    assert [key for key, _, _ in door.get(ids)] == ids and set(door.ask("x", 9)) == set(ids)
    door.delete(ids)
    assert door.get(ids) == []


def nothing_at_all(door: Door) -> None:
    door.put([], [], [])
    assert door.ask("one", 3) == door.get(["a"]) == []
    door.delete(["a"])


CASES = {
    "a padded text comes back as it was": padded,
    "a long text is one hit": long,
    "an empty text is kept and found by filters": empty_text,
    "of an id given twice the last one is kept": twice,
    "what is added again is there once": again,
    "lists come back": lists,
    "dicts, keys with dots and nulls come back": dicts,
    "keys that are called like our columns are metadata": shadowing,
    "values of odd types are stored as what they say": odd_values,
    "filters take values of odd types": asked_by_odd_values,
    "what cannot be stored is refused and nothing is written": never_stored,
    "an unknown key matches nothing": unknown_key,
    "no hits can be asked for": no_hits,
    "more hits than there are documents can be asked for": more_than_there_are,
    "an empty question is answered by its vector": empty_question,
    "missing ids are left out": missing_ids,
    "ids that are no texts are taken as their texts": ids_that_are_no_texts,
    "ids of any signs are found": odd_ids,
    "nothing is put and nothing found": nothing_at_all,
}
DOORS: dict[str, tuple[Callable[[Path, bool], Door], str]] = {
    "library": (library, "searcher"),
    "langchain": (langchain, "langchain_core"),
    "llama_index": (llama_index, "llama_index.core"),
    "haystack": (haystack, "haystack"),
}


@pytest.fixture(scope="module", params=[(name, awaited) for name in DOORS for awaited in (False, True)],
                ids=lambda param: f"{param[0]}{' awaited' * param[1]}")  # fmt: skip
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Door:
    """A door, made once: to make a folder takes longer than most cases."""
    name, awaited = request.param
    door, package = DOORS[name]
    pytest.importorskip(package, reason=f"{package} is not installed")
    return door(tmp_path_factory.mktemp("extras") / "index", awaited)


@pytest.mark.parametrize("case", CASES)
def test_by_every_door(made: Door, case: str) -> None:
    made.clear()
    CASES[case](made)
