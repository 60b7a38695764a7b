"""The names of searcher's document store that Haystack's pipelines trust."""

from searcher.integrations.haystack import SearcherDocumentStore

__all__ = ["SearcherDocumentStore"]
