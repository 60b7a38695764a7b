"""LangChain: an index as a VectorStore, a retriever and a DocumentIndex, a model as Embeddings."""

from asyncio import to_thread
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

from searcher.embedding import Embedder
from searcher.errors import BadValue
from searcher.filters import Filter, parse
from searcher.integrations.doors import needed, opened, placed
from searcher.ranking import Mode
from searcher.search import AsyncSearcher, Searcher

with needed(__name__, "langchain-core", "langchain"):
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.indexing import DeleteResponse, DocumentIndex, UpsertResponse
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.vectorstores import VectorStore

__all__ = [
    "SearcherDocumentIndex", "SearcherEmbeddings", "SearcherRetriever", "SearcherVectorStore", "filter_tree",
]  # fmt: skip

Scored = list[tuple[Document, float]]
NAMES = ("model", "model_name", "model_id")  # under which embeddings say what they are


class SearcherVectorStore(VectorStore):
    """An index of documents by id.

    index: a folder, or a Searcher. embedding: what makes all vectors; without it the index's own model does. name: what
    the vectors' model is called in the index, by default the embedding's model or class. mode: dense, keyword or
    hybrid. settings: as for `Searcher`. Documents are found whole, each once. A score is higher for what is nearer.
    """

    def __init__(
        self,
        index: str | Path | Searcher = "index_data",
        embedding: Embeddings | None = None,
        *,
        name: str | None = None,
        mode: Mode = "dense",
        **settings: Any,
    ) -> None:
        if embedding is not None and not isinstance(index, Searcher):
            settings["vectors"] = name or _name_of(embedding)
        self.searcher, self.mode, self._embedding = opened(index, settings), mode, embedding
        self._awaited = AsyncSearcher(self.searcher)

    @property
    def embeddings(self) -> Embeddings | None:
        """What makes the vectors; None where the index does it itself."""
        return self._embedding

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **settings: Any,
    ) -> Self:
        """A store with these texts in it; settings: as for the class, `index` the folder."""
        store = cls(embedding=embedding, **settings)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    # -- what is in it

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Put texts under ids, or under ones made of what they hold; the ids. What other stores take beside is not
        needed here.
        """
        texts = list(texts)
        vectors = None if self._embedding is None or not texts else self._embedding.embed_documents(texts)
        return self.searcher.put(texts, ids, metadatas, vectors=vectors)

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """As `add_texts`."""
        texts = list(texts)
        vectors = None if self._embedding is None or not texts else await self._embedding.aembed_documents(texts)
        added: list[str] = await self._awaited.put(texts, ids, metadatas, vectors=vectors)
        return added

    def delete(self, ids: Sequence[str] | None = None, *, filter: Any = None, **kwargs: Any) -> bool:
        """Remove documents by id, by a filter, or by both. BadValue where neither is given."""
        self.searcher.delete(ids, filter_tree(filter))
        return True

    async def adelete(self, ids: Sequence[str] | None = None, *, filter: Any = None, **kwargs: Any) -> bool:
        """As `delete`."""
        await self._awaited.delete(ids, filter_tree(filter))
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents of those ids, in that order, without those that are missing."""
        return [_document(each) for each in self.searcher.get(ids)]

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """As `get_by_ids`."""
        return [_document(each) for each in await self._awaited.get(ids)]

    # -- questions

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The k documents that answer a question best; kwargs: filter, and what `Searcher.search` takes."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """As `similarity_search`; questions that wait are embedded together."""
        return [document for document, _ in await self.asimilarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """As `similarity_search`, with the scores."""
        wanted = self._embedding if self._wants_vector(k, **kwargs) else None
        return self._found(query, None if wanted is None else wanted.embed_query(query), k, **kwargs)

    async def asimilarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        """As `similarity_search_with_score`."""
        if k == 0:
            return []
        wanted = self._embedding if self._wants_vector(k, **kwargs) else None
        vector = None if wanted is None else await wanted.aembed_query(query)
        return _scored(await self._awaited.search(**self._asked(query, vector, k, **kwargs)))

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        """The k documents nearest to a vector."""
        return [document for document, _ in self._found(None, embedding, k, **{"mode": "dense", **kwargs})]

    async def asimilarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        """As `similarity_search_by_vector`."""
        asked = self._asked(None, embedding, k, **{"mode": "dense", **kwargs})
        return [document for document, _ in _scored(await self._awaited.search(**asked))] if k else []

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """As many documents, unlike each other, out of 50 at least, or four times k: fetch_k is not needed."""
        return self.similarity_search(query, k, mmr=lambda_mult, **kwargs)

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """As `max_marginal_relevance_search`."""
        return await self.asimilarity_search(query, k, mmr=lambda_mult, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """As `max_marginal_relevance_search`, of a vector."""
        return self.similarity_search_by_vector(embedding, k, mmr=lambda_mult, **kwargs)

    async def amax_marginal_relevance_search_by_vector(
        self, embedding: list[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """As `max_marginal_relevance_search_by_vector`."""
        return await self.asimilarity_search_by_vector(embedding, k, mmr=lambda_mult, **kwargs)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return self._relevance()

    def _relevance(self, mode: Mode | None = None, **kwargs: Any) -> Callable[[float], float]:
        """What makes scores of a search numbers from 0 to 1. kwargs: what else the search was asked with."""
        return partial(Searcher.relevance, mode=mode or self.mode)

    def _similarity_search_with_relevance_scores(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        relevance = self._relevance(**kwargs)
        found = self.similarity_search_with_score(query, k, **kwargs)
        return [(document, relevance(score)) for document, score in found]

    async def _asimilarity_search_with_relevance_scores(self, query: str, k: int = 4, **kwargs: Any) -> Scored:
        relevance = self._relevance(**kwargs)
        found = await self.asimilarity_search_with_score(query, k, **kwargs)
        return [(document, relevance(score)) for document, score in found]

    def _wants_vector(self, k: int, mode: Mode | None = None, **kwargs: Any) -> bool:
        return k != 0 and (mode or self.mode) != "keyword"

    def _found(self, query: str | None, vector: list[float] | None, k: int, **kwargs: Any) -> Scored:
        return _scored(self.searcher.search(**self._asked(query, vector, k, **kwargs))) if k else []

    def _asked(
        self, query: str | None, vector: list[float] | None, k: int, filter: Any = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The arguments of `Searcher.search`. An empty filter is none; an empty question may have a vector."""
        text = query if vector is None or (query and query.strip()) else None
        asked = {
            "query": text,
            "vector": vector,
            "k": k,
            "where": filter_tree(filter),
            "whole": True,
            "mode": self.mode,
        }
        return asked | {name: value for name, value in kwargs.items() if name not in ("fetch_k", "score_threshold")}


class SearcherRetriever(BaseRetriever):
    """The k passages that answer a question best, with where they stand in their metadata.

    where: a filter; how: what else `Searcher.search` takes, such as {"mode": "hybrid"}.
    """

    searcher: Any
    k: int = 4
    where: Any = None
    how: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        k = self.k if k is None else k
        return _passages(self.searcher.search(query, k, self.where, **self.how)) if k else []

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        k = self.k if k is None else k
        return _passages(await to_thread(self.searcher.search, query, k, self.where, **self.how)) if k else []


class SearcherDocumentIndex(DocumentIndex):
    """An index that embeds its documents itself, as LangChain's indexing asks for one. k: documents found."""

    searcher: Any
    k: int = 4

    def upsert(self, items: Sequence[Document], /, **kwargs: Any) -> UpsertResponse:
        """Put documents; one without an id gets one made of what it holds."""
        texts, ids, metadatas = ([getattr(item, name) for item in items] for name in ("page_content", "id", "metadata"))
        return {"succeeded": self.searcher.put(texts, ids, metadatas), "failed": []}

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> DeleteResponse:
        """Remove documents by id; what was there. BadValue without ids."""
        if ids is None:
            raise BadValue("delete needs ids")
        there = list(dict.fromkeys(each.id for each in self.searcher.get(ids)))
        return {"num_deleted": self.searcher.delete(ids), "num_failed": 0, "succeeded": there, "failed": []}

    def get(self, ids: Sequence[str], /, **kwargs: Any) -> list[Document]:
        """The documents of those ids, in that order, without those that are missing."""
        return [_document(each) for each in self.searcher.get(ids)]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        return [document for document, _ in _scored(self.searcher.search(query, self.k, whole=True))] if self.k else []


class SearcherEmbeddings(Embeddings):
    """A model of ours for other stores. embedder: an Embedder, or settings as for one."""

    def __init__(self, embedder: Embedder | None = None, **settings: Any) -> None:
        self.embedder = embedder or Embedder(**settings)

    @property
    def model(self) -> str:
        """The name of the model."""
        return self.embedder.model.name

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A vector for each text, with the prompt for passages."""
        vectors: list[list[float]] = self.embedder.embed(texts, "passage").tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question, with its prompt."""
        vector: list[float] = self.embedder.embed([text], "query")[0].tolist()
        return vector


def filter_tree(filter: Any) -> Filter | None:
    """The tree of a filter, None for none or an empty one. A key that no document has is missing, not an error.

    A dict asks for equality of metadata, whatever our own columns are called; a text or a tree is one of ours.
    """
    if filter is None or filter == {} or filter == "":
        return None
    return parse({"metadata": filter} if isinstance(filter, Mapping) else filter, unknown="nothing")


def _name_of(embedding: Embeddings) -> str:
    """What embeddings call their model, else the name of their class."""
    found = (getattr(embedding, name, None) for name in NAMES)
    return next((name for name in found if isinstance(name, str) and name.strip()), type(embedding).__name__)


def _document(stored: Any) -> Document:
    """A stored document, or a hit that is one."""
    return Document(page_content=stored.text, metadata=dict(stored.metadata), id=stored.id or stored.source)


def _scored(hits: Iterable[Any]) -> Scored:
    return [(_document(hit), hit.score) for hit in hits]


def _passages(hits: Iterable[Any]) -> list[Document]:
    return [Document(page_content=hit.text, metadata=placed(hit), id=hit.id) for hit in hits]
