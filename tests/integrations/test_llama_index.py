"""LlamaIndex: every operator and mode beside its own simple store, nodes of all kinds, and VectorStoreIndex on top."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")

from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.schema import (
    Document,
    ImageNode,
    IndexNode,
    MediaResource,
    Node,
    NodeRelationship,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
)
from llama_index.core.vector_stores.utils import build_metadata_filter_fn

from searcher import Embedder, Searcher
from searcher.errors import BadValue, UnknownName
from searcher.integrations.llama_index import SearcherEmbedding, SearcherRetriever, SearcherVectorStore


def node(key: str, vector: list[float], text: str = "", of: str | None = None, **metadata: Any) -> TextNode:
    parent = {} if of is None else {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=of)}
    return TextNode(id_=key, text=text or f"text {key}", embedding=vector, metadata=metadata, relationships=parent)


NODES = [
    node("a", [1.0, 0, 0, 0], "  padded  ", "one", n=1, lang="en", tags=["x", "y"], when="2026-01-31"),
    node("b", [0, 1.0, 0, 0], "river " * 3000, "one", n=2.5, lang="DE", tags=[], source="mail"),
    node("c", [0.5, 0.5, 0.5, 0.5], "money in the bank", "two", n=-3, lang="Straße", tags=["x"], id=7),
    node("d", [0, 0, 0, 0], "a vector of zeros", "two", lang="", tags=["y", "z"], ref_doc_id="its own"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("one") / "index"


@pytest.fixture
def store(folder: Path) -> SearcherVectorStore:
    made = SearcherVectorStore(folder, vectors="theirs", dimension=4)
    made.clear()
    made.add(NODES)
    return made


OP = FilterOperator
CASES = [
    *(("n", operator, 1) for operator in (OP.EQ, OP.NE, OP.GT, OP.GTE, OP.LT, OP.LTE)),
    ("lang", OP.EQ, "en"), ("lang", OP.NE, "en"), ("lang", OP.IN, ["en", "DE"]), ("lang", OP.NIN, ["en", "DE"]),
    ("n", OP.IN, [1, -3]), ("n", OP.NIN, [1, -3]), ("n", OP.IN, []), ("n", OP.NIN, []), ("source", OP.EQ, "mail"), ("id", OP.EQ, 7),
    ("tags", OP.ANY, ["y", "q"]), ("tags", OP.ALL, ["y", "x"]), ("tags", OP.CONTAINS, "x"), ("tags", OP.IS_EMPTY, None),
    ("lang", OP.CONTAINS, "tra"), ("lang", OP.TEXT_MATCH, "E"), ("lang", OP.TEXT_MATCH_INSENSITIVE, "E"), ("n", OP.IS_EMPTY, None),
    ("lang", OP.IS_EMPTY, None), ("nothing", OP.EQ, 1), ("nothing", OP.NE, 1), ("nothing", OP.NIN, ["x"]), ("nothing", OP.IS_EMPTY, None),
]  # fmt: skip


def filters(*parts: Any, condition: FilterCondition = FilterCondition.AND) -> MetadataFilters:
    return MetadataFilters(filters=list(parts), condition=condition)


def ids(nodes: Any) -> list[str]:
    return [each.node_id for each in nodes]


@pytest.mark.parametrize("key, operator, value", CASES, ids=str)
def test_every_operator_chooses_what_llama_index_itself_would(
    store: SearcherVectorStore, key: str, operator: OP, value: Any
) -> None:
    asked = filters(MetadataFilter(key=key, operator=operator, value=value))
    passes = build_metadata_filter_fn(lambda one: next(each.metadata for each in NODES if each.node_id == one), asked)
    expected = [each for each in ids(NODES) if passes(each)]
    assert ids(store.get_nodes(filters=asked)) == expected
    query = VectorStoreQuery(query_embedding=[1.0, 0.1, 0, 0], similarity_top_k=9, filters=asked)
    assert set(store.query(query).ids or ()) == set(expected) - {"d"}
    store.delete_nodes(filters=asked)
    assert set(ids(store.get_nodes())) == set(ids(NODES)) - set(expected)


def test_every_operator_is_among_the_cases() -> None:
    assert {operator for _, operator, _ in CASES} == set(FilterOperator)


def test_conditions_nest(store: SearcherVectorStore) -> None:
    one, en, x = (
        MetadataFilter(key=key, value=value, operator=operator)
        for key, value, operator in (("n", 1, OP.EQ), ("lang", "en", OP.EQ), ("tags", "x", OP.CONTAINS))
    )
    neither = filters(one, MetadataFilter(key="n", value=2.5), condition=FilterCondition.NOT)
    assert ids(store.get_nodes(filters=neither)) == ["c", "d"]
    assert ids(store.get_nodes(filters=filters(x, neither))) == ["c"]
    assert ids(store.get_nodes(filters=filters(en, filters(x, neither), condition=FilterCondition.OR))) == ["a", "c"]
    assert ids(store.get_nodes(filters=filters())) == ["a", "b", "c", "d"]


def test_nodes_come_back_as_they_were_given(store: SearcherVectorStore) -> None:
    assert store.get_nodes() == NODES
    assert ids(store.get_nodes(["c", "nobody", "a"])) == ["c", "a"]
    others = [
        ImageNode(id_="i", text="seen", image="aGk=", embedding=[1.0, 2.0, 3.0, 4.0]),
        IndexNode(id_="x", text="points", index_id="there", embedding=[1.0, 2.0, 3.0, 5.0]),
        TextNode(id_="none", text="no vector"),
    ]
    assert store.add(others) == ["i", "x", "none"]
    assert store.get_nodes(["i", "x", "none"]) == others
    assert store.add([node("a", [1.0, 0, 0, 0], "one"), node("a", [1.0, 0, 0, 0], "two")]) == ["a", "a"]
    assert store.get_nodes(["a"])[0].text == "two"
    assert store.add([]) == []


def test_nodes_of_media_and_documents_come_back_with_all_they_hold(store: SearcherVectorStore) -> None:
    child = RelatedNodeInfo(node_id="child", metadata={"deep": [1]})
    others = [
        Node(id_="page", text_resource=MediaResource(text="seen", url="http://example.org/", mimetype="text/html")),
        Node(id_="picture", image_resource=MediaResource(data=b"aGVsbG8=", mimetype="image/png")),
        Node(id_="nothing"),
        Document(id_="whole", text="a document", metadata={"n": 1}, excluded_llm_metadata_keys=["n"]),
        IndexNode(id_="within", text="points", index_id="there", obj=TextNode(id_="inner", text="inside")),
        TextNode(
            id_="odd", text="x", text_template="{content}!", metadata_separator="|", start_char_idx=3, end_char_idx=4,
            relationships={NodeRelationship.CHILD: [child], NodeRelationship.NEXT: child},
        ),
    ]  # fmt: skip
    store.add(others)
    found = store.get_nodes(ids(others))
    assert found == others and list(map(type, found)) == list(map(type, others))
    assert found[1].image_resource.data == b"aGVsbG8="  # no equality of theirs looks at it


def test_each_mode_asks_the_index_its_way(store: SearcherVectorStore) -> None:
    def asked(mode: VectorStoreQueryMode, **how: Any) -> list[str]:
        query = VectorStoreQuery(
            query_str="the river", query_embedding=[1.0, 0.2, 0, 0], mode=mode, **{"similarity_top_k": 9, **how}
        )
        return ids(store.query(query).nodes)

    modes = VectorStoreQueryMode
    assert asked(modes.DEFAULT) == ["a", "c", "b"]
    assert asked(modes.SPARSE) == asked(modes.TEXT_SEARCH) == ["b", "c"]
    assert set(asked(modes.HYBRID)) == set(asked(modes.SEMANTIC_HYBRID)) >= {"a", "b", "c"}
    assert asked(modes.MMR, mmr_threshold=1.0) == asked(modes.DEFAULT)
    assert asked(modes.DEFAULT, node_ids=["b", "c"]) == ["c", "b"] and asked(
        modes.DEFAULT, node_ids=[], doc_ids=[]
    ) == ["a", "c", "b"]
    assert asked(modes.DEFAULT, doc_ids=["one"]) == ["a", "b"]
    assert asked(modes.DEFAULT, similarity_top_k=0) == [] and len(asked(modes.HYBRID, hybrid_top_k=1)) == 1
    with pytest.warns(UserWarning, match="alpha 0.3 is not used"):
        asked(modes.HYBRID, alpha=0.3)
    with pytest.raises(UnknownName, match="query mode 'svm'"):
        asked(modes.SVM)


def test_scores_are_cosines(store: SearcherVectorStore) -> None:
    result = store.query(VectorStoreQuery(query_embedding=[3.0, 1.0, 0, 0], similarity_top_k=3))
    assert result.similarities == pytest.approx(np.array([3, 2, 1]) / 10**0.5)


def test_a_document_is_deleted_with_all_its_nodes(store: SearcherVectorStore) -> None:
    store.delete("nobody")
    store.delete("two")
    assert ids(store.get_nodes()) == ["a", "b"]
    store.delete_nodes(["a", "nobody"])
    assert ids(store.get_nodes()) == ["b"]
    with pytest.raises(BadValue, match="needs ids or where"):
        store.delete_nodes()


def test_awaited_it_does_the_same_off_the_loop(store: SearcherVectorStore) -> None:
    async def run() -> None:
        await store.aclear()
        assert await store.async_add(NODES) == ids(NODES)
        queries = [VectorStoreQuery(query_embedding=[1.0, n / 100, 0, 0]) for n in range(100)]
        assert await asyncio.gather(*map(store.aquery, queries)) == [store.query(each) for each in queries]
        await store.adelete("one")
        await store.adelete_nodes(["c"])
        assert ids(await store.aget_nodes()) == ["d"]

    asyncio.run(run())


def test_before_the_first_node_it_is_empty(tmp_path: Path) -> None:
    empty = SearcherVectorStore(tmp_path / "none", vectors="theirs")
    assert empty.get_nodes() == [] and empty.query(VectorStoreQuery(query_embedding=[1.0])).ids == []
    empty.delete("x")
    empty.clear()


def test_a_store_is_made_again_from_what_it_tells(store: SearcherVectorStore) -> None:
    again = SearcherVectorStore.from_dict(store.to_dict())
    assert again.get_nodes() == NODES and again.is_embedding_query
    with Searcher(store.folder) as searcher:
        assert SearcherVectorStore(searcher).get_nodes() == NODES


def test_vector_store_index_answers_with_our_embeddings(tmp_path: Path, tiny_bert: Path) -> None:
    ours = SearcherEmbedding(model=tiny_bert, prompts={"query": "hello "})
    assert ours.get_query_embedding("river") == Embedder(tiny_bert).embed(["hello river"])[0].tolist()
    store = SearcherVectorStore(tmp_path / "index", vectors=ours.model_name)
    nodes = [TextNode(id_=text, text=text) for text in ("the river bank", "money in the bank", "a window")]
    index = VectorStoreIndex(nodes, storage_context=StorageContext.from_defaults(vector_store=store), embed_model=ours)
    expected = Embedder(tiny_bert).embed(["hello money"]) @ Embedder(tiny_bert).embed(ids(nodes)).T
    again = VectorStoreIndex.from_vector_store(SearcherVectorStore(tmp_path / "index"), embed_model=ours)
    for either in (index, again):
        found = either.as_retriever(similarity_top_k=3).retrieve("money")
        assert ids(each.node for each in found) == [ids(nodes)[place] for place in np.argsort(-expected[0])]
        assert asyncio.run(either.as_retriever(similarity_top_k=3).aretrieve("money")) == found


def test_a_retriever_gives_passages_with_their_places(tmp_path: Path, tiny_bert: Path) -> None:
    (tmp_path / "a.txt").write_text("\nthe river bank\n")
    searcher = Searcher(tmp_path / "index", tiny_bert)
    searcher.add(tmp_path / "a.txt")
    retriever = SearcherRetriever(searcher, mode="keyword")
    [found] = retriever.retrieve("river")
    assert (found.node.text, found.node.metadata["line"]) == ("the river bank", 2)
    assert asyncio.run(retriever.aretrieve(QueryBundle("river")))[0].node == found.node
    store = SearcherVectorStore(searcher)
    assert not store.is_embedding_query
    assert store.query(VectorStoreQuery(query_str="river", similarity_top_k=1)).nodes[0].text == "\nthe river bank\n"
