"""The names of searcher's retrievers that Haystack's pipelines trust."""

from searcher.integrations.haystack_components import (
    SearcherBM25Retriever,
    SearcherEmbeddingRetriever,
    SearcherHybridRetriever,
)

__all__ = ["SearcherBM25Retriever", "SearcherEmbeddingRetriever", "SearcherHybridRetriever"]
