"""Haystack: an index as a DocumentStore; haystack_components.py has what asks it in a pipeline."""

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Self

from searcher.filters import And
from searcher.integrations.doors import awaited, needed, opened, told
from searcher.integrations.haystack_filters import Filters, bare, needed_tree, tree_of
from searcher.ranking import Mode
from searcher.search import Searcher

with needed(__name__, "haystack-ai", "haystack"):
    from haystack import Document, default_from_dict, default_to_dict
    from haystack.dataclasses import ByteStream, SparseEmbedding
    from haystack.document_stores.errors import DuplicateDocumentError
    from haystack.document_stores.types import DuplicatePolicy

__all__ = ["SearcherDocumentStore"]

EXISTS = {DuplicatePolicy.NONE: "error", DuplicatePolicy.FAIL: "error", DuplicatePolicy.SKIP: "skip",
          DuplicatePolicy.OVERWRITE: "replace"}  # fmt: skip
TYPES = {"text": "keyword", "number": "float", "boolean": "boolean", "object": "object"}


class SearcherDocumentStore:
    """An index of documents by id.

    index: a folder, or a Searcher. vectors: the name of the model whose embeddings the documents bring (dimension:
    their length, by default that of the first ones); without it the index embeds its documents itself, or is what it
    was made as. settings: as for `Searcher`. Embeddings are kept as float32; what of a document is not its text and
    meta comes back as it was.
    """

    __module__ = "haystack_integrations.document_stores.searcher"  # pipelines in YAML trust such names only

    def __init__(
        self,
        index: str | Path | Searcher = "index_data",
        *,
        vectors: str | None = None,
        dimension: int | None = None,
        **settings: Any,
    ) -> None:
        named = {"vectors": vectors, "dimension": dimension}
        self._settings = settings | {name: value for name, value in named.items() if value is not None}
        self.searcher = opened(index, self._settings)

    def to_dict(self) -> dict[str, Any]:
        """What makes the same store again, on the same folder."""
        return default_to_dict(self, index=self.searcher.place, **self._settings)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The store that `to_dict` told of."""
        return default_from_dict(cls, data)

    # -- what is in it

    def count_documents(self) -> int:
        """How many documents there are."""
        return self.searcher.count()

    def count_documents_by_filter(self, filters: dict[str, Any]) -> int:
        """How many documents a filter allows."""
        return self.searcher.count(tree_of(filters))

    def filter_documents(self, filters: Filters = None) -> list[Document]:
        """The documents that a filter allows, with their embeddings, in the order in which they came."""
        given = self.searcher.exists() and self.searcher.settings.given
        return [_document(each) for each in self.searcher.iterate(tree_of(filters), vectors=given)]

    def write_documents(self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """Put documents, all or none; how many were written. A policy of NONE is FAIL.

        Raises DuplicateDocumentError under FAIL for an id that is there, or twice among them.
        """
        listed = list(documents) if isinstance(documents, Iterable) and not isinstance(documents, str) else [None]
        if not all(isinstance(each, Document) for each in listed):
            raise ValueError("Please provide a list of Documents.")
        exists = EXISTS[DuplicatePolicy(policy)]
        first = {each.id: each for each in reversed(listed)}
        there = set() if exists == "replace" else {each.id for each in self.searcher.get([*first])}
        if exists == "error" and (there or len(first) < len(listed)):
            twice = there or [each.id for each in listed if first[each.id] is not each]
            raise DuplicateDocumentError(f"ID {min(twice)!r} already exists.")
        wanted = listed if exists == "replace" else [each for id, each in reversed(first.items()) if id not in there]
        vectors = [each.embedding for each in wanted]
        self.searcher.put(
            [each.content or "" for each in wanted],
            [each.id for each in wanted],
            [each.meta for each in wanted],
            vectors=vectors if any(vector is not None for vector in vectors) else None,
            payloads=[_payload(each) for each in wanted],
            exists=exists,  # type: ignore[arg-type]  # one of its three names
        )
        return len(wanted)

    def delete_documents(self, document_ids: list[str]) -> None:
        """Remove documents by id; one that is not there is no error."""
        self.searcher.delete(document_ids)

    def delete_all_documents(self) -> None:
        """Remove every document."""
        self.searcher.delete(where=And(()))

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Remove the documents that a filter allows; how many. FilterError for an empty one: nothing is removed."""
        return self.searcher.delete(where=needed_tree(filters))

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """Put these into the meta of the documents that a filter allows, without embedding again; how many. None takes
        a key out.
        """
        tree = needed_tree(filters)
        return self.searcher.update_metadata(tree, meta) if meta else self.searcher.count(tree)

    # -- what their meta hold

    def count_unique_metadata_by_filter(self, filters: Filters, metadata_fields: list[str]) -> dict[str, int]:
        """How many different values each of these fields has in the documents that a filter allows."""
        return {bare(field): len(self._values(field, filters)) for field in metadata_fields}

    def get_metadata_fields_info(self) -> dict[str, dict[str, str]]:
        """The fields of meta and of which type their values are."""
        kinds = {key: [kind for kind in held if kind in TYPES] for key, held in self.searcher.metadata_keys().items()}
        return {key: {"type": TYPES[held[0]] if held else "keyword"} for key, held in kinds.items()}

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, Any]:
        """The least and the greatest value of a field; None where there is none, or they cannot be compared."""
        found = [value for value in self._values(metadata_field).values() if isinstance(value, str | int | float)]
        alike = len({isinstance(value, str) for value in found}) == 1
        return {"min": min(found), "max": max(found)} if alike else {"min": None, "max": None}

    def get_metadata_field_unique_values(
        self, metadata_field: str, search_term: str | None = None, from_: int = 0, size: int = 10,
        filters: Filters = None,
    ) -> tuple[list[Any], int]:  # fmt: skip
        """A page of a field's different values, in the order of their texts, and how many there are in all.

        search_term: only those that hold it, in any case.
        """
        found = self._values(metadata_field, filters)
        wanted = [key for key, value in found.items() if (search_term or "").lower() in str(value).lower()]
        ranked = sorted(wanted, key=lambda key: (str(found[key]), key))
        return [found[key] for key in islice(ranked, from_, from_ + size)], len(ranked)

    def _values(self, field: str, filters: Filters = None) -> dict[tuple[str, str], Any]:
        """The values of a field, each once. A whole number, a broken one, a text and true are never the same."""
        parts = bare(field).split(".")
        values = (_at(document.metadata, parts) for document in self.searcher.iterate(tree_of(filters)))
        return {(type(value).__name__, repr(value)): value for value in values if value is not None}

    # -- questions, as the retrievers ask them

    def embedding_retrieval(
        self, query_embedding: list[float], filters: Filters = None, top_k: int = 10, scale_score: bool = False,
        return_embedding: bool = False,
    ) -> list[Document]:  # fmt: skip
        """The documents nearest to an embedding. scale_score: scores from 0 to 1 in the place of cosines."""
        return self._found(None, query_embedding, filters, top_k, "dense", scale_score, return_embedding)

    def bm25_retrieval(
        self, query: str, filters: Filters = None, top_k: int = 10, scale_score: bool = False
    ) -> list[Document]:
        """The documents that answer a question best by their words."""
        return self._found(query, None, filters, top_k, "keyword", scale_score, False)

    def hybrid_retrieval(
        self, query: str, query_embedding: list[float] | None = None, filters: Filters = None, top_k: int = 10,
        scale_score: bool = False, return_embedding: bool = False,
    ) -> list[Document]:  # fmt: skip
        """The documents that answer a question best by meaning and words; an index that embeds its documents itself
        embeds the question too.
        """
        return self._found(query, query_embedding, filters, top_k, "hybrid", scale_score, return_embedding)

    def _found(
        self, query: str | None, vector: Any, filters: Filters, top_k: int, mode: Mode, scaled: bool, vectors: bool
    ) -> list[Document]:
        tree = tree_of(filters)
        if top_k == 0:
            return []
        hits = self.searcher.search(query, top_k, tree, vector=vector, mode=mode, whole=True, vectors=vectors)
        return [_document(hit, self.searcher.relevance(hit.score, mode) if scaled else hit.score) for hit in hits]

    count_documents_async = awaited(count_documents)
    count_documents_by_filter_async = awaited(count_documents_by_filter)
    filter_documents_async = awaited(filter_documents)
    write_documents_async = awaited(write_documents)
    delete_documents_async = awaited(delete_documents)
    delete_all_documents_async = awaited(delete_all_documents)
    delete_by_filter_async = awaited(delete_by_filter)
    update_by_filter_async = awaited(update_by_filter)
    count_unique_metadata_by_filter_async = awaited(count_unique_metadata_by_filter)
    get_metadata_fields_info_async = awaited(get_metadata_fields_info)
    get_metadata_field_min_max_async = awaited(get_metadata_field_min_max)
    get_metadata_field_unique_values_async = awaited(get_metadata_field_unique_values)
    embedding_retrieval_async = awaited(embedding_retrieval)
    bm25_retrieval_async = awaited(bm25_retrieval)
    hybrid_retrieval_async = awaited(hybrid_retrieval)


def _payload(document: Document) -> dict[str, Any] | None:
    """What of a document is neither text nor meta."""
    parts = {"blob": document.blob, "sparse_embedding": document.sparse_embedding}
    kept: dict[str, Any] = {name: part.to_dict() for name, part in parts.items() if part is not None}
    return kept | ({"content": None} if document.content is None else {}) or None


def _document(stored: Any, score: float | None = None) -> Document:
    """A stored document, or a hit that is one."""
    held = stored.payload if isinstance(stored.payload, dict) else {}
    blob, sparse = held.get("blob"), held.get("sparse_embedding")
    return Document(
        id=stored.id or stored.source,
        content=held.get("content", stored.text),
        meta=told(stored),
        blob=None if blob is None else ByteStream.from_dict(blob),
        sparse_embedding=None if sparse is None else SparseEmbedding.from_dict(sparse),
        embedding=None if stored.vector is None else stored.vector.tolist(),
        score=score,
    )


def _at(metadata: Mapping[str, Any], parts: list[str]) -> Any:
    """What stands under a key, or under the parts of one, in dicts within dicts."""
    value: Any = metadata
    if (whole := ".".join(parts)) in metadata:
        return metadata[whole]
    for part in parts:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
