"""LangChain's own suites, with vectors of its embeddings and with our own; and what a user does beside them."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("langchain_core", reason="langchain-core is not installed")
pytest.importorskip("langchain_tests", reason="langchain-tests is not installed")

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_tests.integration_tests import (
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.integration_tests.indexer import AsyncDocumentIndexTestSuite, DocumentIndexerTestSuite
from langchain_tests.unit_tests import EmbeddingsUnitTests

from searcher import Searcher
from searcher.errors import BadValue
from searcher.integrations.langchain import (
    SearcherDocumentIndex,
    SearcherEmbeddings,
    SearcherRetriever,
    SearcherVectorStore,
)


class TestWithGivenVectors(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path) -> SearcherVectorStore:
        return SearcherVectorStore(tmp_path / "index", self.get_embeddings())


class TestWithOurVectors(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, tmp_path: Path, tiny_bert: Path) -> SearcherVectorStore:
        return SearcherVectorStore(tmp_path / "index", model=tiny_bert)


class TestDocumentIndex(DocumentIndexerTestSuite):
    @pytest.fixture
    def index(self, tmp_path: Path, tiny_bert: Path) -> SearcherDocumentIndex:
        return SearcherDocumentIndex(searcher=Searcher(tmp_path / "index", tiny_bert))


class TestDocumentIndexAwaited(AsyncDocumentIndexTestSuite):
    @pytest.fixture
    def index(self, tmp_path: Path, tiny_bert: Path) -> SearcherDocumentIndex:
        return SearcherDocumentIndex(searcher=Searcher(tmp_path / "index", tiny_bert))


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def made(self, tmp_path: Path, tiny_bert: Path) -> None:
        type(self).searcher = Searcher(tmp_path / "index", tiny_bert)
        self.searcher.add_texts(["the river bank", "money in the bank", "hello world", "a window"])

    @property
    def retriever_constructor(self) -> type[SearcherRetriever]:
        return SearcherRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"searcher": self.searcher}

    @property
    def retriever_query_example(self) -> str:
        return "money"


class OfTiny:
    @pytest.fixture(autouse=True)
    def made(self, tiny_bert: Path) -> None:
        type(self).path = tiny_bert

    @property
    def embeddings_class(self) -> type[SearcherEmbeddings]:
        return SearcherEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"model": self.path}


class TestEmbeddings(OfTiny, EmbeddingsIntegrationTests):
    pass


class TestEmbeddingsUnit(OfTiny, EmbeddingsUnitTests):
    pass


EMBEDDING = DeterministicFakeEmbedding(size=12)


@pytest.fixture
def store(tmp_path: Path) -> SearcherVectorStore:
    return SearcherVectorStore(tmp_path / "index", EMBEDDING)


@pytest.mark.parametrize("cleanup", ["incremental", "full", "scoped_full"])
def test_langchains_indexing_keeps_it_in_step_with_its_sources(store: SearcherVectorStore, cleanup: str) -> None:
    records = InMemoryRecordManager("here")
    records.create_schema()

    def run(*texts: str) -> dict[str, int]:
        documents = [Document(page_content=text, metadata={"source": "a.txt"}) for text in texts]
        return dict(index(documents, records, store, cleanup=cleanup, source_id_key="source", key_encoder="sha256"))

    assert run("one", "two")["num_added"] == 2
    assert run("one", "two") == {"num_added": 0, "num_updated": 0, "num_skipped": 2, "num_deleted": 0}
    assert run("one", "three") == {"num_added": 1, "num_updated": 0, "num_skipped": 1, "num_deleted": 1}
    assert sorted(each.text for each in store.searcher.iterate()) == ["one", "three"]


def test_texts_come_back_as_they_were_given(store: SearcherVectorStore) -> None:
    texts = ["  padded  ", "", "long " * 5000, "x"]
    ids = store.add_texts(texts, [{"tags": ["a", "b"], "deep": {"n": 1}}, {}, {}, {}], ids=["p", "e", "l", "x"])
    assert ids == ["p", "e", "l", "x"]
    assert [each.page_content for each in store.get_by_ids(ids)] == texts
    assert store.get_by_ids(["p"])[0].metadata == {"tags": ["a", "b"], "deep": {"n": 1}}
    assert len(store.similarity_search("anything", k=10)) == 4
    assert len({each.id for each in store.similarity_search("long", k=10)}) == 4


def test_the_same_id_twice_no_hits_and_empty_filters_are_no_errors(store: SearcherVectorStore) -> None:
    assert store.add_texts(["one", "two"], ids=["a", "a"]) == ["a", "a"]
    assert [each.page_content for each in store.get_by_ids(["a"])] == ["two"]
    assert store.similarity_search("x", k=0) == asyncio.run(store.asimilarity_search("x", k=0)) == []
    assert store.similarity_search_by_vector([1.0] * 12, k=0) == []
    assert len(store.similarity_search("x", filter={})) == len(store.similarity_search("")) == 1
    assert store.add_texts([]) == []
    with pytest.raises(BadValue, match="delete needs ids or where"):
        store.delete()


def test_filters_scores_and_vectors_are_those_of_the_index(store: SearcherVectorStore) -> None:
    texts = [f"text {number}" for number in range(30)]
    store.add_texts(texts, [{"n": number, "even": number % 2 == 0} for number in range(30)], ids=texts)
    vectors, question = np.array(EMBEDDING.embed_documents(texts)), np.array(EMBEDDING.embed_query("a question"))
    cosines = vectors @ question / np.linalg.norm(vectors, axis=1) / np.linalg.norm(question)
    best = np.argsort(-cosines)[:5]
    scored = store.similarity_search_with_score("a question", k=5)
    assert [document.id for document, _ in scored] == [texts[number] for number in best]
    assert [score for _, score in scored] == pytest.approx(cosines[best], abs=1e-6)
    assert store.similarity_search_by_vector(question.tolist(), 5) == [document for document, _ in scored]
    relevant = store.similarity_search_with_relevance_scores("a question", k=5)
    assert [share for _, share in relevant] == pytest.approx((1 + cosines[best]) / 2, abs=1e-6)
    for where in ("n < 4", {"even": True}):
        found = store.similarity_search("a question", k=30, filter=where)
        assert len(found) == (4 if isinstance(where, str) else 15)
    assert len(store.max_marginal_relevance_search("a question", k=3, lambda_mult=0.2)) == 3
    assert store.delete(filter="n < 10")
    assert len(store.similarity_search("a question", k=30)) == 20
    retriever = store.as_retriever(search_kwargs={"k": 2, "filter": {"n": [10, 11, 12]}})
    assert {each.metadata["n"] for each in retriever.invoke("a question")} < {10, 11, 12}
    threshold = store.as_retriever(search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.99})
    assert [each.id for each in threshold.invoke("text 20")] == ["text 20"]


def test_many_questions_at_once_are_answered_as_one_by_one(store: SearcherVectorStore) -> None:
    store.add_texts([f"text {number}" for number in range(20)])

    async def run() -> list[list[Document]]:
        return await asyncio.gather(*(store.asimilarity_search(f"question {number}", k=3) for number in range(100)))

    assert asyncio.run(run()) == [store.similarity_search(f"question {number}", k=3) for number in range(100)]


def test_text_and_vector_are_asked_together_in_mode_hybrid(tmp_path: Path) -> None:
    store = SearcherVectorStore.from_texts(
        ["the river bank", "money"], EMBEDDING, ids=["r", "m"], index=tmp_path / "index", mode="hybrid", name="fake"
    )
    assert store.searcher.settings.model == "fake"
    assert store.similarity_search("river", k=1)[0].id == "r"
    assert 0 <= store.similarity_search_with_relevance_scores("river", k=1)[0][1] <= 1


def test_a_mode_of_one_question_decides_its_vector_and_its_relevance(tmp_path: Path) -> None:
    store = SearcherVectorStore(tmp_path / "index", EMBEDDING)
    store.add_texts(["the river bank", "money"])
    score = store.similarity_search_with_score("river", k=1, mode="keyword")[0][1]
    for mode in ("keyword", "dense"):
        asked = SearcherVectorStore(store.searcher, EMBEDDING, mode=mode)
        ask, awaited = asked.similarity_search_with_relevance_scores, asked.asimilarity_search_with_relevance_scores
        for found in (ask("river", k=1, mode="keyword"), asyncio.run(awaited("river", k=1, mode="keyword"))):
            assert [share for _, share in found] == [Searcher.relevance(score, "keyword")]
        assert ask("money", k=1, mode="dense")[0][1] == pytest.approx(1)
    assert SearcherRetriever(searcher=store.searcher, how={"mode": "keyword"}).invoke("river", k=0) == []


def test_a_retriever_gives_passages_with_their_places(tmp_path: Path, tiny_bert: Path) -> None:
    (tmp_path / "a.txt").write_text("\nthe river bank\n")
    searcher = Searcher(tmp_path / "index", tiny_bert)
    searcher.add(tmp_path / "a.txt")
    [document] = SearcherRetriever(searcher=searcher, how={"mode": "keyword"}).invoke("river")
    assert document.page_content == "the river bank"
    assert document.metadata["source"].endswith("a.txt")
    assert (document.metadata["line"], document.metadata["start"]) == (2, 1)


def test_our_model_embeds_for_other_stores(tiny_bert: Path) -> None:
    from langchain_core.vectorstores import InMemoryVectorStore

    ours = SearcherEmbeddings(model=tiny_bert, prompts={"query": "query "})
    expected = ours.embedder.embed(["hello"], "query")[0]
    assert ours.embed_query("hello") == expected.tolist()
    other = InMemoryVectorStore.from_texts(["the river", "money"], ours)
    assert len(other.similarity_search("the river", k=2)) == 2
