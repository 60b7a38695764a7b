"""LlamaIndex: an index as a vector store and as a retriever, a model as embeddings."""

import warnings
from asyncio import to_thread
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from searcher.embedding import Embedder, Kind
from searcher.errors import BadValue, UnknownName
from searcher.filters import And, Compare, Contains, Filter, In, IsEmpty, IsNull, Not, Or, Some, joined, parse
from searcher.integrations.doors import awaited, needed, opened, placed, told
from searcher.ranking import Mode
from searcher.search import Searcher

with needed(__name__, "llama-index-core", "llama-index"):
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.bridge.pydantic import PrivateAttr
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import (
        BaseNode,
        Document,
        ImageNode,
        IndexNode,
        MetadataMode,
        Node,
        NodeWithScore,
        QueryBundle,
        TextNode,
    )
    from llama_index.core.vector_stores.types import (
        BasePydanticVectorStore,
        FilterCondition,
        FilterOperator,
        MetadataFilter,
        MetadataFilters,
        VectorStoreQuery,
        VectorStoreQueryMode,
        VectorStoreQueryResult,
    )

__all__ = ["SearcherEmbedding", "SearcherRetriever", "SearcherVectorStore", "filter_tree"]

REF = "ref_doc_id"  # under which a node's document is found by filters
PAYLOAD = "llama_index"  # under which a payload holds what else a node is
MEDIA = {"text_resource", "image_resource", "audio_resource", "video_resource"}
KINDS = {kind.class_name(): kind for kind in (Document, ImageNode, IndexNode, Node)}  # others are taken for a TextNode
ELSEWHERE: dict[str, Any] = {  # what an index has a place of its own for
    "id_": True, "text": True, "text_resource": {"text"}, "metadata": True, "embedding": True,
}  # fmt: skip


class Asked(NamedTuple):
    """What a query mode is here. vector, text: whether it takes them."""

    mode: Mode
    vector: bool = True
    text: bool = False
    mmr: float | None = None


MODES = {
    VectorStoreQueryMode.DEFAULT: Asked("dense"),
    VectorStoreQueryMode.SPARSE: Asked("keyword", vector=False, text=True),
    VectorStoreQueryMode.TEXT_SEARCH: Asked("keyword", vector=False, text=True),
    VectorStoreQueryMode.HYBRID: Asked("hybrid", text=True),
    VectorStoreQueryMode.SEMANTIC_HYBRID: Asked("hybrid", text=True),
    VectorStoreQueryMode.MMR: Asked("dense", mmr=0.5),
}


class SearcherVectorStore(BasePydanticVectorStore):
    """An index of nodes by id.

    index: a folder, or a Searcher. vectors: the name of the model whose embeddings the nodes bring (dimension: their
    length, by default that of the first ones); without it the index embeds texts itself, or is what it was made as.
    settings: as for `Searcher`. Query modes are default, sparse, text_search, hybrid, semantic_hybrid and mmr.
    """

    stores_text: bool = True
    folder: str
    settings: dict[str, Any]
    _searcher: Searcher = PrivateAttr()

    def __init__(
        self,
        index: str | Path | Searcher | None = None,
        *,
        vectors: str | None = None,
        dimension: int | None = None,
        folder: str = "index_data",
        settings: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        # folder, stores_text and is_embedding_query come from to_dict, whose keys are pydantic's.
        fields = {name: more.pop(name) for name in ("stores_text", "is_embedding_query", "class_name") if name in more}
        named = {"vectors": vectors, "dimension": dimension}
        given = {**(settings or {}), **more, **{name: value for name, value in named.items() if value is not None}}
        searcher = opened(folder if index is None else index, given)
        brings = bool(given.get("vectors")) or (searcher.exists() and searcher.settings.given)
        fields = {"is_embedding_query": brings, **{name: fields[name] for name in fields if name != "class_name"}}
        super().__init__(folder=searcher.place, settings=given, **fields)
        self._searcher = searcher

    @classmethod
    def class_name(cls) -> str:
        """The name by which LlamaIndex knows it."""
        return "SearcherVectorStore"

    @property
    def client(self) -> Searcher:
        """The Searcher behind it."""
        return self._searcher

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Put nodes under their ids, whole, with their embeddings; the ids. What has the same id is replaced."""
        embeddings = [node.embedding for node in nodes]
        return self._searcher.put(
            [node.get_content(metadata_mode=MetadataMode.NONE) for node in nodes],
            [node.node_id for node in nodes],
            [_metadata(node) for node in nodes],
            vectors=embeddings if any(each is not None for each in embeddings) else None,
            payloads=[_payload(node) for node in nodes],
        )

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Remove the nodes of a document."""
        self._searcher.delete(where=_of_documents([ref_doc_id]))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Remove nodes by id, by filters, or those of some ids that filters allow. BadValue where neither is given."""
        self._searcher.delete(node_ids, filter_tree(filters))

    def clear(self) -> None:
        """Remove every node."""
        self._searcher.delete(where=And(()))

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """Nodes with their embeddings: of ids in their order, of filters, or all of them."""
        given, tree = self._searcher.exists() and self._searcher.settings.given, filter_tree(filters)
        if node_ids is None:
            return [_node(each) for each in self._searcher.iterate(tree, vectors=given)]
        allowed = None if tree is None else {each.id for each in self._searcher.iterate(tree)}
        wanted = [each for each in node_ids if allowed is None or each in allowed]
        return [_node(each) for each in self._searcher.get(wanted, vectors=given)]

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The nodes that answer a query best, with scores that are higher for what is nearer.

        alpha is not used, but for a warning: how far words count beside vectors is found out for each question.
        """
        if query.mode not in MODES:
            raise UnknownName("query mode", getattr(query.mode, "value", query.mode), [mode.value for mode in MODES])
        asked = MODES[query.mode]
        if query.alpha is not None and asked.mode == "hybrid":
            warnings.warn(f"alpha {query.alpha} is not used: words and vectors are weighed by the index", stacklevel=2)
        vector = query.query_embedding if asked.vector else None
        text = query.query_str if asked.text or vector is None else None
        depths = {"keyword": query.sparse_top_k, "hybrid": query.hybrid_top_k, "dense": None}
        if not (k := depths[asked.mode] or query.similarity_top_k):
            return VectorStoreQueryResult(nodes=[], similarities=[], ids=[])
        mmr = asked.mmr if asked.mmr is None or query.mmr_threshold is None else query.mmr_threshold
        hits = self._searcher.search(
            text, k, joined(None, _conditions(query)), vector=vector, mode=asked.mode, mmr=mmr, whole=True
        )
        nodes = [_node(hit) for hit in hits]
        scores, ids = [hit.score for hit in hits], [node.node_id for node in nodes]
        return VectorStoreQueryResult(nodes=nodes, similarities=scores, ids=ids)

    async_add = awaited(add)
    adelete = awaited(delete)
    adelete_nodes = awaited(delete_nodes)
    aclear = awaited(clear)
    aget_nodes = awaited(get_nodes)
    aquery = awaited(query)


class SearcherRetriever(BaseRetriever):
    """The k passages that answer a question best, with where they stand in their metadata.

    where: a filter of ours, or MetadataFilters; how: what else `Searcher.search` takes, such as mode="hybrid".
    """

    def __init__(self, searcher: Searcher, k: int = 4, where: Any = None, **how: Any) -> None:
        self._searcher, self._k, self._how = searcher, k, how
        self._where = filter_tree(where) if isinstance(where, MetadataFilters) else where
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        if self._k == 0:
            return []
        hits = self._searcher.search(
            query_bundle.query_str, self._k, self._where, vector=query_bundle.embedding, **self._how
        )
        nodes = [TextNode(id_=f"{hit.source}#{hit.passage_id}", text=hit.text, metadata=placed(hit)) for hit in hits]
        return [NodeWithScore(node=node, score=hit.score) for node, hit in zip(nodes, hits, strict=True)]

    _aretrieve = awaited(_retrieve)


class SearcherEmbedding(BaseEmbedding):
    """A model of ours for other stores. embedder: an Embedder, or settings as for one."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder | None = None, *, embed_batch_size: int = 256, **settings: Any) -> None:
        embedder = embedder or Embedder(**settings)
        super().__init__(model_name=embedder.model.name, embed_batch_size=embed_batch_size)
        self._embedder = embedder

    def _embed(self, texts: list[str], kind: Kind) -> list[list[float]]:
        return cast(list[list[float]], self._embedder.embed(texts, kind).tolist())

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed([query], "query")[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed([text], "passage")[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._embed(texts, "passage")

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await to_thread(self._get_text_embeddings, texts)


# -- nodes


def _metadata(node: BaseNode) -> dict[str, Any]:
    return node.metadata if node.ref_doc_id is None else {**node.metadata, REF: node.ref_doc_id}


def _payload(node: BaseNode) -> dict[str, Any]:
    """What of a node stands nowhere else in an index and is not its kind's default, and its own value under a key that
    we need.
    """
    held = node.model_dump(mode="json", exclude=ELSEWHERE, exclude_defaults=True)
    for name in MEDIA.intersection(held):  # whose bytes, in base64, no dump of LlamaIndex holds
        if (data := getattr(node, name).data) is not None:
            held[name]["data"] = data.decode("ascii")
    return {PAYLOAD: held | ({"metadata": {REF: node.metadata[REF]}} if REF in node.metadata else {})}


def _node(stored: Any) -> BaseNode:
    """The node that a stored document is, or a hit; what did not come as a node is a plain one."""
    key, embedding = stored.id or stored.source, None if stored.vector is None else stored.vector.tolist()
    if not isinstance(stored.payload, dict) or PAYLOAD not in stored.payload:
        return TextNode(id_=key, text=stored.text, metadata=told(stored), embedding=embedding)
    held = stored.payload[PAYLOAD]
    kind = KINDS.get(held["class_name"], TextNode)
    own = {name: value for name, value in stored.metadata.items() if name != REF} | held.get("metadata", {})
    text: dict[str, Any] = {"text": stored.text}
    if "text_resource" in kind.model_fields:
        text = {"text_resource": held["text_resource"] | text} if "text_resource" in held else {}
    return kind.from_dict({**held, **text, "id_": key, "metadata": own, "embedding": embedding})


# -- filters


def filter_tree(filters: MetadataFilters | None) -> Filter | None:
    """The tree of LlamaIndex's filters, None for none. A key that no node has is missing, not an error, and what is
    missing passes != and nin. None is null. Where a node holds a list a comparison holds if it does for any element.
    """
    if filters is None or not filters.filters:
        return None
    return parse(_tree(filters), unknown="nothing")


def _tree(filters: MetadataFilters | MetadataFilter) -> Filter:
    if isinstance(filters, MetadataFilters):
        parts = tuple(map(_tree, filters.filters))
        return CONDITIONS[filters.condition or FilterCondition.AND](parts) if parts else And(())
    return OPERATORS[filters.operator](("metadata", filters.key), filters.value)


def _of_documents(ids: Sequence[str]) -> Filter:
    return parse(In(("metadata", REF), tuple(ids)), unknown="nothing")


def _conditions(query: VectorStoreQuery) -> list[Filter]:
    """All that a query asks of nodes; LlamaIndex's own retriever gives empty lists of ids where it means any."""
    tree = filter_tree(query.filters)
    conditions = [] if tree is None else [tree]
    conditions += [] if not query.node_ids else [In(("id",), tuple(query.node_ids))]
    return conditions + ([] if not query.doc_ids else [_of_documents(query.doc_ids)])


Key = tuple[str, ...]
Operator = Callable[[Key, Any], Filter]


def _equal(path: Key, value: Any) -> Filter:
    return IsNull(path) if value is None else Compare(path, "=", value)


def _among(path: Key, values: Any) -> Filter:
    return In(path, tuple(_listed(path, values)))


def _listed(path: Key, values: Any) -> list[Any]:
    if values is None:
        raise BadValue(f"filter key {path[-1]!r}: a list of values is missing")
    return values if isinstance(values, list) else [values]


def _ordered(order: str) -> Operator:
    return lambda path, value: Compare(path, order, value)


CONDITIONS: dict[FilterCondition, Callable[[tuple[Filter, ...]], Filter]] = {
    FilterCondition.AND: And, FilterCondition.OR: Or, FilterCondition.NOT: lambda parts: Not(Or(parts)),
}  # fmt: skip
OPERATORS: dict[FilterOperator, Operator] = {
    FilterOperator.EQ: _equal,
    FilterOperator.NE: lambda path, value: Not(_equal(path, value)),
    FilterOperator.GT: _ordered(">"),
    FilterOperator.GTE: _ordered(">="),
    FilterOperator.LT: _ordered("<"),
    FilterOperator.LTE: _ordered("<="),
    FilterOperator.IN: _among,
    FilterOperator.NIN: lambda path, values: Not(_among(path, values)),
    FilterOperator.ANY: _among,
    FilterOperator.ALL: lambda path, values: And(tuple(Compare(path, "=", each) for each in _listed(path, values))),
    FilterOperator.CONTAINS: lambda path, value: Contains(path, value),
    FilterOperator.TEXT_MATCH: lambda path, value: Some(Contains(path, value)),
    FilterOperator.TEXT_MATCH_INSENSITIVE: lambda path, value: Some(Contains(path, value, folded=True)),
    FilterOperator.IS_EMPTY: lambda path, _: IsEmpty(path),
}
