"""Haystack's own suites, and what a user does beside them: pipelines in YAML, filters, everything a document may hold."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"  # read when it is imported
pytest.importorskip("haystack", reason="haystack-ai is not installed")

from haystack import Document, Pipeline
from haystack.dataclasses import ByteStream, SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError
from haystack.testing import document_store as suites
from haystack.testing import document_store_async as async_suites

from haystack_integrations.components.embedders.searcher import SearcherDocumentEmbedder, SearcherTextEmbedder
from haystack_integrations.components.retrievers.searcher import (
    SearcherBM25Retriever,
    SearcherEmbeddingRetriever,
    SearcherHybridRetriever,
)
from haystack_integrations.document_stores.searcher import SearcherDocumentStore
from searcher import Embedder, Searcher
from searcher.errors import BadValue


def kept(document: Document) -> Document:
    """A document as an index keeps it: its embedding in float32."""
    embedding = document.embedding
    return document if embedding is None else replace(document, embedding=np.float32(embedding).tolist())


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], SearcherDocumentStore]:
    """One store for each dimension: to make a folder takes longer than most tests."""
    folder = tmp_path_factory.mktemp("one")
    return cache(lambda dimension: SearcherDocumentStore(folder / str(dimension), vectors="x", dimension=dimension))


class Kept:
    @pytest.fixture
    def document_store(self, one: Callable[[int], SearcherDocumentStore]) -> SearcherDocumentStore:
        """An empty store: for the first test one that was never written to, for the others one that was emptied."""
        one(768).delete_all_documents()
        return one(768)

    @staticmethod
    def assert_documents_are_equal(received: list[Document], expected: list[Document]) -> None:
        assert received == [kept(each) for each in expected]


class TestHaystacksSuite(
    Kept,
    suites.DocumentStoreBaseExtendedTests,
    suites.CountDocumentsByFilterTest,
    suites.CountUniqueMetadataByFilterTest,
    suites.GetMetadataFieldsInfoTest,
    suites.GetMetadataFieldMinMaxTest,
    suites.GetMetadataFieldUniqueValuesTest,
):
    def test_write_documents(self, document_store: SearcherDocumentStore) -> None:
        documents = [Document(content="one"), Document(content="two")]
        assert document_store.write_documents(documents) == 2
        with pytest.raises(DuplicateDocumentError, match="already exists"):
            document_store.write_documents(documents)


class TestHaystacksAsyncSuite(
    Kept,
    async_suites.CountDocumentsAsyncTest,
    async_suites.CountDocumentsByFilterAsyncTest,
    async_suites.CountUniqueMetadataByFilterAsyncTest,
    async_suites.DeleteAllAsyncTest,
    async_suites.DeleteByFilterAsyncTest,
    async_suites.DeleteDocumentsAsyncTest,
    async_suites.FilterDocumentsAsyncTest,
    async_suites.GetMetadataFieldMinMaxAsyncTest,
    async_suites.GetMetadataFieldsInfoAsyncTest,
    async_suites.GetMetadataFieldUniqueValuesAsyncTest,
    async_suites.UpdateByFilterAsyncTest,
    async_suites.WriteDocumentsAsyncTest,
):
    async def test_write_documents_async(self, document_store: SearcherDocumentStore) -> None:
        documents = [Document(content="one"), Document(content="two")]
        assert await document_store.write_documents_async(documents) == 2
        with pytest.raises(DuplicateDocumentError):
            await document_store.write_documents_async(documents)


def test_every_suite_of_haystack_is_run() -> None:
    for module, ours in ((suites, TestHaystacksSuite), (async_suites, TestHaystacksAsyncSuite)):
        names = {name for name in vars(module) if name.endswith("Test")}
        assert names <= {each.__name__ for each in ours.__mro__}


@pytest.fixture
def store(tmp_path: Path) -> SearcherDocumentStore:
    return SearcherDocumentStore(tmp_path / "index", vectors="theirs", dimension=4)


DOCUMENTS = [
    Document(id="a", content="  padded  ", embedding=[1.0, 0.0, 0.0, 0.0], meta={"n": 1, "tags": ["x", "y"], "d": {"e": "f"}}),
    Document(id="b", content="", embedding=[0.0, 1.0, 0.0, 0.0], meta={"n": 2.5, "when": "2026-01-31T10:00:00+02:00"}),
    Document(id="c", content="river " * 3000, embedding=[0.0, 0.0, 0.0, 0.0], meta={"source": "mail", "id": 7}),
    Document(id="d", content=None, blob=ByteStream(b"\0\xff", {"k": 1}, "image/png"), meta={"when": "2026-01-31T08:00:00Z"}),
    Document(id="e", content="money in the bank", sparse_embedding=SparseEmbedding([1, 5], [0.5, 2.0]), meta={"n": True, "when": "2026-02-01"}),
    Document(id="f", content="ß", embedding=[0.5, 0.5, 0.5, 0.5], meta={"n": None, "when": "soon", "score": 3}),
]  # fmt: skip


def test_documents_come_back_as_they_were_given(store: SearcherDocumentStore) -> None:
    assert store.write_documents(DOCUMENTS) == 6
    assert store.filter_documents() == DOCUMENTS
    again = SearcherDocumentStore(store.searcher.folder)
    assert again.filter_documents({"field": "id", "operator": "in", "value": ["f", "d"]}) == [
        DOCUMENTS[3],
        DOCUMENTS[5],
    ]


NO_TRUTH = [replace(each, meta={k: v for k, v in each.meta.items() if v is not True}) for each in DOCUMENTS]


@pytest.fixture
def shared(one: Callable[[int], SearcherDocumentStore]) -> SearcherDocumentStore:
    one(4).delete_all_documents()
    return one(4)


def compared(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def all_of(*conditions: Any, operator: str = "AND") -> dict[str, Any]:
    return {"operator": operator, "conditions": list(conditions)}


FILTERS = [
    compared("meta.n", "==", 1), compared("meta.n", "!=", 1), compared("meta.n", "==", None), compared("n", ">", 1.5),
    compared("meta.n", "!=", None), compared("meta.d.e", "==", "f"), compared("meta.d.nothing", "==", None),
    compared("meta.nothing", "==", 3), compared("meta.nothing", "!=", 3), compared("meta.nothing", "not in", [3]),
    compared("meta.source", "==", "mail"), compared("meta.id", "==", 7), compared("id", "==", "c"), compared("id", "!=", "c"),
    compared("meta.score", "==", 3), compared("meta.n", "in", [1, 2.5]), compared("meta.n", "in", []), compared("meta.n", "in", [None, 2.5]),
    compared("meta.n", "not in", [1, None]), compared("meta.n", "not in", []), compared("id", "in", ["a", "zzz"]),
    compared("meta.when", "==", "2026-01-31T08:00:00+00:00"), compared("meta.when", "!=", "2026-01-31T08:00:00+00:00"),
    compared("meta.when", "==", datetime.fromisoformat("2026-01-31T08:00:00+00:00")),
    compared("meta.when", "in", ["2026-01-31T08:00:00+00:00", "soon"]),
    all_of(compared("meta.n", ">=", 1), compared("meta.n", "<", 2)),
    all_of(compared("meta.n", "==", 1), all_of(compared("id", "==", "b"), compared("id", "==", "f"), operator="OR"), operator="OR"),
    all_of(compared("meta.n", "==", 1), compared("id", "==", "a"), operator="NOT"),
    all_of(all_of(compared("id", "==", "a"), operator="NOT"), all_of(compared("id", "==", "b"), operator="NOT")),
    all_of(), all_of(operator="OR"),
]  # fmt: skip


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: json.dumps(filters, default=str)[:80])
def test_filters_choose_what_haystacks_own_store_chooses(
    shared: SearcherDocumentStore, filters: dict[str, Any]
) -> None:
    store, theirs = shared, InMemoryDocumentStore()
    for either in (store, theirs):
        either.write_documents(NO_TRUTH, DuplicatePolicy.OVERWRITE)
    expected = [each.id for each in theirs.filter_documents(filters)]
    assert [each.id for each in store.filter_documents(filters)] == expected
    assert store.count_documents_by_filter(filters) == len(expected)
    assert store.delete_by_filter(filters) == len(expected)
    assert store.count_documents() == 6 - len(expected)


@pytest.mark.parametrize("order, expected", [(">", ["e"]), (">=", ["b", "d", "e"]), ("<", []), ("<=", ["b", "d"])])
def test_moments_are_compared_as_moments(shared: SearcherDocumentStore, order: str, expected: list[str]) -> None:
    (store := shared).write_documents(DOCUMENTS, DuplicatePolicy.OVERWRITE)
    for value in ("2026-01-31T09:00:00+01:00", datetime.fromisoformat("2026-01-31T09:00:00+01:00")):
        found = store.filter_documents(compared("meta.when", order, value))
        assert [each.id for each in found] == expected


def test_a_list_in_meta_passes_where_an_element_does(store: SearcherDocumentStore) -> None:
    store.write_documents(DOCUMENTS)
    for filters in (compared("meta.tags", "==", "y"), compared("meta.tags", "in", ["z", "x"])):
        assert [each.id for each in store.filter_documents(filters)] == ["a"]


@pytest.mark.parametrize(
    "filters",
    [
        compared("content", "==", "x"), compared("embedding", "==", 1), compared("meta.n", "~", 1), compared("meta.n", "==", {}),
        compared("meta.n", "==", [1]), compared("meta.n", ">", True), compared("meta.n", ">", "soon"), compared(3, "==", 1),
        {"operator": "XOR", "conditions": []}, {"operator": "AND", "conditions": 3}, all_of("n = 1"), "n = 1", [1],
        {"operator": "AND", "conditions": [{}]}, compared("meta.n", "==", float("nan")), compared("meta.n", [], 1),
    ],
    ids=str,
)  # fmt: skip
def test_a_filter_that_is_none_is_haystacks_error(shared: SearcherDocumentStore, filters: Any) -> None:
    (store := shared).write_documents(DOCUMENTS, DuplicatePolicy.OVERWRITE)
    for ask in (store.filter_documents, store.delete_by_filter, store.count_documents_by_filter):
        with pytest.raises(FilterError):
            ask(filters)
    assert store.count_documents() == 6


def test_by_filter_nothing_is_deleted_or_changed_without_one(store: SearcherDocumentStore) -> None:
    store.write_documents(DOCUMENTS)
    for change in (store.delete_by_filter, lambda none: store.update_by_filter(none, {"x": 1})):
        with pytest.raises(FilterError, match="delete_all_documents"):
            change({})
    assert store.update_by_filter(compared("meta.n", ">", 0), {}) == 2
    assert store.filter_documents() == DOCUMENTS


def test_each_policy_does_what_its_name_says(store: SearcherDocumentStore) -> None:
    one, other, new = (
        Document(id="x", content="one"),
        Document(id="x", content="other"),
        Document(id="y", content="new"),
    )
    with pytest.raises(DuplicateDocumentError, match="'x'"):
        store.write_documents([one, other, new], DuplicatePolicy.FAIL)
    assert store.count_documents() == 0
    assert store.write_documents([one, other], DuplicatePolicy.SKIP) == 1
    assert store.write_documents([other, new], DuplicatePolicy.SKIP) == 1
    assert [each.content for each in store.filter_documents()] == ["one", "new"]
    assert store.write_documents([new, other, one], DuplicatePolicy.OVERWRITE) == 3
    assert {each.id: each.content for each in store.filter_documents()} == {"x": "one", "y": "new"}
    assert store.write_documents([], DuplicatePolicy.FAIL) == store.write_documents([new], "skip") == 0  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'wrong'"):
        store.write_documents([new], "wrong")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        store.write_documents(None)  # type: ignore[arg-type]


def test_retrieval_is_the_cosine_or_bm25_of_the_index(store: SearcherDocumentStore) -> None:
    assert store.embedding_retrieval([1.0, 0, 0, 0]) == store.bm25_retrieval("river") == []
    store.write_documents(DOCUMENTS)
    found = store.embedding_retrieval([3.0, 1.0, 0.0, 0.0])
    assert [each.id for each in found] == ["a", "f", "b"]  # c has a vector of zeros, d and e have none
    assert [each.score for each in found] == pytest.approx([3 / 10**0.5, 2 / 10**0.5, 1 / 10**0.5])
    assert found[0].embedding is None
    scaled = store.embedding_retrieval([3.0, 1.0, 0.0, 0.0], top_k=1, scale_score=True, return_embedding=True)[0]
    assert (scaled.score, scaled.embedding) == (pytest.approx((1 + 3 / 10**0.5) / 2), [1.0, 0.0, 0.0, 0.0])
    assert store.embedding_retrieval([3.0, 1.0, 0.0, 0.0], compared("meta.n", "==", 2.5))[0].id == "b"
    assert [each.id for each in store.bm25_retrieval("the river")] == ["c", "e"]
    assert 0 < store.bm25_retrieval("river", scale_score=True)[0].score < 1
    assert {each.id for each in store.hybrid_retrieval("money", [0, 0, 0, 1.0])} == {"a", "b", "e", "f"}
    assert store.hybrid_retrieval("money", [0, 0, 0, 1.0], top_k=0) == []
    with pytest.raises(BadValue):
        store.embedding_retrieval([1.0, 2.0])


def test_values_of_lists_pages_and_nested_fields(store: SearcherDocumentStore) -> None:
    store.write_documents(DOCUMENTS)
    assert store.get_metadata_field_unique_values("d.e") == (["f"], 1)
    assert store.get_metadata_field_unique_values("meta.n", from_=1, size=1) == ([2.5], 3)
    assert store.get_metadata_field_min_max("n") == {"min": 1, "max": 2.5}
    assert store.get_metadata_field_min_max("tags") == {"min": None, "max": None}
    assert store.count_unique_metadata_by_filter({}, ["tags", "meta.when"]) == {"tags": 1, "when": 4}
    assert store.get_metadata_fields_info()["tags"] == {"type": "keyword"}


def test_two_stores_and_a_searcher_see_the_same_index(store: SearcherDocumentStore) -> None:
    with Searcher(store.searcher.folder, vectors="theirs", dimension=4) as searcher:
        shared = SearcherDocumentStore(searcher)
        store.write_documents(DOCUMENTS)
        assert shared.count_documents() == 6
        again = SearcherDocumentStore.from_dict(shared.to_dict())
        assert again.filter_documents() == DOCUMENTS
        with pytest.raises(BadValue, match="has its settings already; leave out vectors"):
            SearcherDocumentStore(searcher, vectors="theirs")


def indexing(store: SearcherDocumentStore, model: Path) -> Pipeline:
    from haystack.components.writers import DocumentWriter

    pipeline = Pipeline()
    pipeline.add_component("embedder", SearcherDocumentEmbedder(str(model), meta_fields_to_embed=["title"]))
    pipeline.add_component("writer", DocumentWriter(store))
    pipeline.connect("embedder.documents", "writer.documents")
    return pipeline


def asking(store: SearcherDocumentStore, model: Path) -> Pipeline:
    pipeline = Pipeline()
    pipeline.add_component("embedder", SearcherTextEmbedder(str(model), pooling="cls"))
    pipeline.add_component("nearest", SearcherEmbeddingRetriever(store, top_k=2, filters=compared("meta.n", ">", 0)))
    pipeline.add_component("words", SearcherBM25Retriever(store, scale_score=True))
    pipeline.add_component("both", SearcherHybridRetriever(store, filter_policy="merge"))
    pipeline.connect("embedder.embedding", "nearest.query_embedding")
    pipeline.connect("embedder.embedding", "both.query_embedding")
    return pipeline


def test_pipelines_written_as_yaml_run_again(tmp_path: Path, tiny_bert: Path) -> None:
    store = SearcherDocumentStore(tmp_path / "index", vectors="tiny", dimension=32)
    texts = ["the river bank", "money in the bank", "a window"]
    documents = [Document(content=text, meta={"n": n, "title": "hello"}) for n, text in enumerate(texts)]
    first = Pipeline.loads(indexing(store, tiny_bert).dumps())
    assert first.run({"embedder": {"documents": documents}})["writer"] == {"documents_written": 3}
    expected = Embedder(tiny_bert).embed([f"hello\n{text}" for text in texts])
    assert np.allclose([each.embedding for each in store.filter_documents()], expected, atol=1e-6)

    pipeline = asking(store, tiny_bert)
    inputs = {"embedder": {"text": "money"}, "words": {"query": "money"}, "both": {"query": "river"}}
    answers = pipeline.run(inputs)
    written = pipeline.dumps()
    again = Pipeline.loads(written)
    assert again.run(inputs) == answers == asyncio.run(again.run_async(inputs))
    assert again.dumps() == written
    assert len(answers["nearest"]["documents"]) == 2
    assert answers["words"]["documents"][0].content == "money in the bank"
    assert {each.content for each in answers["both"]["documents"]} == set(texts)


def test_an_index_that_embeds_itself_needs_no_embedder(tmp_path: Path, tiny_bert: Path) -> None:
    store = SearcherDocumentStore(tmp_path / "index", model=str(tiny_bert))
    store.write_documents([Document(id="r", content="the river bank"), Document(id="m", content="money")])
    again = SearcherDocumentStore.from_dict(json.loads(json.dumps(store.to_dict())))
    retriever = SearcherHybridRetriever(again, top_k=1)
    assert [each.id for each in retriever.run("river")["documents"]] == ["r"]
    assert again.filter_documents() == [Document(id="r", content="the river bank"), Document(id="m", content="money")]
    with pytest.raises(BadValue, match="vectors='name of their model'"):
        store.write_documents([Document(content="x", embedding=[1.0, 2.0])])


def test_a_run_may_have_filters_and_a_number_of_its_own(store: SearcherDocumentStore) -> None:
    store.write_documents(DOCUMENTS)
    kept_filter = compared("meta.n", ">", 1)
    replacing = SearcherEmbeddingRetriever(store, kept_filter)
    merging = SearcherEmbeddingRetriever(store, kept_filter, filter_policy="merge")
    asked: Callable[..., list[str]] = lambda each, **own: [d.id for d in each.run([1.0, 1.0, 0, 0], **own)["documents"]]  # noqa: E731
    assert asked(replacing) == asked(merging) == ["b"]
    assert asked(replacing, filters=compared("id", "==", "a")) == ["a"]
    assert asked(merging, filters=compared("id", "==", "a")) == []
    assert len(asked(replacing, filters=compared("id", "!=", "zz"), top_k=2)) == 2


@pytest.mark.parametrize("wrong", [0, -1, True, "3", None])
def test_a_retriever_needs_a_store_and_a_number(store: SearcherDocumentStore, wrong: Any) -> None:
    with pytest.raises(BadValue, match="top_k"):
        SearcherBM25Retriever(store, top_k=wrong)
    with pytest.raises(TypeError, match="InMemoryDocumentStore"):
        SearcherBM25Retriever(InMemoryDocumentStore())


def test_embedders_say_what_they_take(tiny_bert: Path) -> None:
    text, documents = (
        SearcherTextEmbedder(str(tiny_bert), prompts={"query": "hello "}),
        SearcherDocumentEmbedder(str(tiny_bert)),
    )
    expected = Embedder(tiny_bert, prompts={"query": "hello "}).embed(["river"], "query")[0]
    assert text.run("river")["embedding"] == expected.tolist()
    assert documents.run([])["documents"] == []
    [embedded] = documents.run([Document(id="n", content=None)])["documents"]
    assert (embedded.id, len(embedded.embedding)) == ("n", 32)
    with pytest.raises(TypeError, match="SearcherDocumentEmbedder"):
        text.run([Document(content="x")])
    with pytest.raises(TypeError, match="SearcherTextEmbedder"):
        documents.run("x")


def test_many_questions_at_once_leave_the_loop_free(store: SearcherDocumentStore) -> None:
    store.write_documents(DOCUMENTS)

    async def run() -> tuple[list[Any], int]:
        ticks, done = 0, asyncio.gather(*(store.embedding_retrieval_async([1.0, 0, 0, n / 100]) for n in range(500)))
        while not done.done():
            ticks += 1
            await asyncio.sleep(0)
        return await done, ticks

    answers, ticks = asyncio.run(run())
    assert len(answers) == 500 and {answer[0].id for answer in answers} == {"a", "f"}
    assert ticks > 10


def test_what_came_from_a_file_names_it(tmp_path: Path, tiny_bert: Path) -> None:
    (tmp_path / "a.txt").write_text("the river bank")
    store = SearcherDocumentStore(tmp_path / "index", model=str(tiny_bert))
    store.searcher.add(tmp_path / "a.txt")
    path = str(tmp_path / "a.txt")
    assert store.filter_documents() == [Document(id=path, content="the river bank", meta={"source": path})]
    assert store.bm25_retrieval("river")[0].meta == {"source": path}
