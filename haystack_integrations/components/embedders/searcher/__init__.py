"""The names of searcher's embedders that Haystack's pipelines trust."""

from searcher.integrations.haystack_components import SearcherDocumentEmbedder, SearcherTextEmbedder

__all__ = ["SearcherDocumentEmbedder", "SearcherTextEmbedder"]
