"""Haystack: what asks an index in a pipeline, and what embeds texts and documents with a model of ours."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from searcher.embedding import Embedder, Kind
from searcher.errors import BadValue
from searcher.integrations.doors import awaited, needed
from searcher.integrations.haystack import SearcherDocumentStore
from searcher.integrations.haystack_filters import Filters

with needed(__name__, "haystack-ai", "haystack"):
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.document_stores.types import FilterPolicy, apply_filter_policy

__all__ = [
    "SearcherBM25Retriever", "SearcherDocumentEmbedder", "SearcherEmbeddingRetriever", "SearcherHybridRetriever",
    "SearcherTextEmbedder",
]  # fmt: skip

Found = dict[str, list[Document]]
RETRIEVERS = "haystack_integrations.components.retrievers.searcher"  # pipelines in YAML trust such names only
EMBEDDERS = "haystack_integrations.components.embedders.searcher"


class _Retriever:
    """What every retriever is made with.

    filters, top_k, scale_score: what holds where a run says nothing else; filter_policy: whether the filters of a run
    take the place of these, or hold beside them. scale_score: scores from 0 to 1.
    """

    def __init__(
        self,
        document_store: SearcherDocumentStore,
        filters: Filters = None,
        top_k: int = 10,
        scale_score: bool = False,
        filter_policy: str | FilterPolicy = FilterPolicy.REPLACE,
    ) -> None:
        if not isinstance(document_store, SearcherDocumentStore):
            raise TypeError(f"document_store is a {type(document_store).__name__}, not a SearcherDocumentStore")
        if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 1:
            raise BadValue(f"top_k is {top_k!r}; it must be a whole number of at least 1")
        self.document_store, self.filters, self.top_k, self.scale_score = document_store, filters, top_k, scale_score
        self.filter_policy = FilterPolicy.from_str(filter_policy) if isinstance(filter_policy, str) else filter_policy

    def to_dict(self) -> dict[str, Any]:
        """What makes the same retriever again."""
        return default_to_dict(
            self, document_store=self.document_store, filters=self.filters, top_k=self.top_k,
            scale_score=self.scale_score, filter_policy=self.filter_policy.value,
        )  # fmt: skip

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The retriever that `to_dict` told of."""
        return default_from_dict(cls, data)

    def _asked(self, filters: Filters, top_k: int | None, scale_score: bool | None) -> dict[str, Any]:
        """What holds in a run."""
        return {
            "filters": apply_filter_policy(self.filter_policy, self.filters, filters),
            "top_k": self.top_k if top_k is None else top_k,
            "scale_score": self.scale_score if scale_score is None else scale_score,
        }


@component
class SearcherEmbeddingRetriever(_Retriever):
    """The documents nearest to an embedding."""

    __module__ = RETRIEVERS

    @component.output_types(documents=list[Document])
    def run(
        self, query_embedding: list[float], filters: Filters = None, top_k: int | None = None,
        scale_score: bool | None = None, return_embedding: bool = False,
    ) -> Found:  # fmt: skip
        """Documents, the nearest first."""
        asked = self._asked(filters, top_k, scale_score)
        found = self.document_store.embedding_retrieval(query_embedding, return_embedding=return_embedding, **asked)
        return {"documents": found}

    run_async = component.output_types(documents=list[Document])(awaited(run))


@component
class SearcherBM25Retriever(_Retriever):
    """The documents that hold the words of a question."""

    __module__ = RETRIEVERS

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, filters: Filters = None, top_k: int | None = None, scale_score: bool | None = None
    ) -> Found:
        """Documents, the best first."""
        return {"documents": self.document_store.bm25_retrieval(query, **self._asked(filters, top_k, scale_score))}

    run_async = component.output_types(documents=list[Document])(awaited(run))


@component
class SearcherHybridRetriever(_Retriever):
    """The documents that answer a question best by meaning and words together."""

    __module__ = RETRIEVERS

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, query_embedding: list[float] | None = None, filters: Filters = None,
        top_k: int | None = None, scale_score: bool | None = None, return_embedding: bool = False,
    ) -> Found:  # fmt: skip
        """Documents, the best first. query_embedding: not needed where the index embeds its documents itself."""
        asked = self._asked(filters, top_k, scale_score)
        found = self.document_store.hybrid_retrieval(query, query_embedding, return_embedding=return_embedding, **asked)
        return {"documents": found}

    run_async = component.output_types(documents=list[Document])(awaited(run))


class _Embedder:
    """A model of ours. model, settings: as for `Embedder`; it is loaded when first needed, or by `warm_up`."""

    def __init__(self, model: str | None = None, **settings: Any) -> None:
        self.model, self.settings = model, settings
        self._embedder: Embedder | None = None

    def warm_up(self) -> None:
        """Load the model."""
        self._loaded()

    def _loaded(self) -> Embedder:
        if self._embedder is None:
            self._embedder = Embedder(self.model, **self.settings)
        return self._embedder

    def to_dict(self) -> dict[str, Any]:
        """What makes the same embedder again."""
        return default_to_dict(self, model=self.model, **self.settings)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The embedder that `to_dict` told of."""
        return default_from_dict(cls, data)

    def _embed(self, texts: Sequence[str], kind: Kind) -> list[list[float]]:
        vectors: list[list[float]] = self._loaded().embed(texts, kind).tolist() if texts else []
        return vectors


@component
class SearcherTextEmbedder(_Embedder):
    """Embeds a question, with the model's prompt for questions."""

    __module__ = EMBEDDERS

    @component.output_types(embedding=list[float], meta=dict[str, Any])
    def run(self, text: str) -> dict[str, Any]:
        """The embedding of a text. TypeError for anything else."""
        if not isinstance(text, str):
            raise TypeError(f"SearcherTextEmbedder takes a text, not {text!r:.60}; SearcherDocumentEmbedder, documents")
        [embedding] = self._embed([text], "query")
        return {"embedding": embedding, "meta": {"model": self._loaded().model.name}}

    run_async = component.output_types(embedding=list[float], meta=dict[str, Any])(awaited(run))


@component
class SearcherDocumentEmbedder(_Embedder):
    """Embeds documents, with the model's prompt for passages.

    meta_fields_to_embed: keys of meta whose values are embedded before the content, each in a line; what is longer
    than the model's window is cut there, with a warning.
    """

    __module__ = EMBEDDERS

    def __init__(
        self, model: str | None = None, meta_fields_to_embed: list[str] | None = None, **settings: Any
    ) -> None:
        _Embedder.__init__(self, model, **settings)  # no super(): @component makes another class of this one
        self.meta_fields_to_embed = meta_fields_to_embed or []

    def to_dict(self) -> dict[str, Any]:
        """What makes the same embedder again."""
        fields = self.meta_fields_to_embed
        return default_to_dict(self, model=self.model, meta_fields_to_embed=fields, **self.settings)

    @component.output_types(documents=list[Document], meta=dict[str, Any])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """Copies of the documents with their embeddings. TypeError for anything else than a list of documents."""
        if not isinstance(documents, list) or not all(isinstance(each, Document) for each in documents):
            raise TypeError(
                f"SearcherDocumentEmbedder takes a list of documents, not {documents!r:.50}; "
                "SearcherTextEmbedder takes a text"
            )
        embeddings = self._embed([self._text(each) for each in documents], "passage")
        embedded = [replace(each, embedding=own) for each, own in zip(documents, embeddings, strict=True)]
        return {"documents": embedded, "meta": {"model": self._loaded().model.name}}

    run_async = component.output_types(documents=list[Document], meta=dict[str, Any])(awaited(run))

    def _text(self, document: Document) -> str:
        fields = [str(value) for key in self.meta_fields_to_embed if (value := document.meta.get(key)) is not None]
        return "\n".join([*fields, document.content or ""])
