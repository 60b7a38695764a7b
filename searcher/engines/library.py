"""What is stored, document by document: by the caller's id, by a filter, and what their metadata hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from searcher import filters
from searcher.engines.opening import Opened
from searcher.errors import BadValue, UnknownName
from searcher.filters import Filter, IsNull, in_metadata
from searcher.plain import scalar
from searcher.records import Document, ValueCount

__all__ = ["Library", "Where", "keys_of"]

Where = str | Mapping[Any, Any] | Filter | None
PIECE = 256  # documents read in one transaction
SHOWN = ("source", "id", "title", "kind")  # what of a document a key means before it means one of metadata


class Library(Opened):
    """What can be asked of stored documents. Before the first `add` all of it is empty."""

    def get(self, ids: str | Sequence[str], *, vectors: bool = False) -> list[Document]:
        """The documents of those ids, in that order; an id of none is left out, one of several gives them all.

        vectors: with `vector` (d,) float32, where a document is one passage.
        """
        keys = keys_of(ids)
        if not self.exists():
            return []
        with self.engine.reading():
            found = self.engine.named("key", keys)
            return [self._whole(number, vectors) for key in keys for number in found.get(key, ())]

    def iterate(self, where: Where = None, *, vectors: bool = False) -> Iterator[Document]:
        """Every document that a filter allows, in the order in which they came; vectors: as in `get`.

        A few are in memory at a time. What is removed meanwhile may be left out, what is added is.
        """
        numbers = self._chosen(where)
        for start in range(0, len(numbers), PIECE):
            part = numbers[start : start + PIECE]
            with self.engine.reading():  # and no transaction while the caller works
                there = set(self.engine.document_ids(part))
                documents = [self._whole(number, vectors) for number in part if number in there]
            yield from documents

    def count(self, where: Where = None) -> int:
        """How many documents there are, or how many a filter allows."""
        if where is None:
            return self.engine.document_count() if self.exists() else 0
        return len(self._chosen(where))

    def metadata_keys(self) -> dict[str, list[str]]:
        """The keys of the documents' metadata, sorted, and of which kinds their values are: text, number, boolean,
        object, and list beside the kinds of its elements.
        """
        return dict(sorted(self.engine.metadata_kinds().items())) if self.exists() else {}

    def values(self, key: str, where: Where = None, *, most: int | None = None) -> list[ValueCount]:
        """The different values of a key and how many documents have each, the commonest first.

        key: as in a filter: `lang`, `author.name`, or source, id, title, kind. The values in a list count one by one,
        an object is none. most: so many at most. UnknownName for a key that no document has.
        """
        if not self.exists():
            return []
        with self.engine.reading():
            known = self.engine.metadata_kinds()
            path = _path(key, known)
            numbers = None if where is None else self.engine.chosen(filters.parse(where))
            counts = self.engine.values_of(key if key in SHOWN else path, numbers)
            if not counts and key not in SHOWN and not self.engine.has_key(path) and self.engine.document_count():
                raise UnknownName("key", key, {*known, *SHOWN})
        ranked = sorted(counts, key=lambda item: (-item[1], str(item[0])))
        return [ValueCount(value, count) for value, count in ranked[:most]]

    def _chosen(self, where: Where) -> list[int]:
        """Ids of the documents that a filter allows, None for all, rising."""
        tree = None if where is None else filters.parse(where)
        if not self.exists():
            return []
        if tree is None:
            return self.engine.document_ids()
        with self.engine.reading():
            return self.engine.chosen(tree).tolist()

    def _whole(self, number: int, vectors: bool) -> Document:
        """A document, with the vector of its one passage, as it was given, where that is asked for."""
        document = self.engine.document(number)
        if not vectors:
            return document
        own = self.engine.passage_ids(number).tolist()
        return replace(document, vector=self.engine.given(own)[own[0]]) if len(own) == 1 else document


def keys_of(ids: Any) -> list[str]:
    """The caller's ids as they are stored, each once. BadValue for what is none."""
    ids = scalar(ids)
    if isinstance(ids, str | int):
        ids = [ids]
    if isinstance(ids, bytes | Mapping) or not isinstance(ids, Iterable):
        raise BadValue(f"ids is {ids!r:.40}; good: a list of texts")
    keys = []
    for number, key in enumerate(map(scalar, ids), 1):
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise BadValue(f"id {number} is {key!r:.40}, not a text")
        keys.append(str(key))
    return list(dict.fromkeys(keys))


def _path(key: str, known: Mapping[str, Any]) -> tuple[str, ...]:
    """What a key names, as a filter reads it; a key that is there as it stands is meant so."""
    if not isinstance(key, str):
        raise BadValue(f"a key is {key!r:.40}; good: a text such as 'lang' or 'author.name'")
    if key in known:
        return (key,)
    tree = filters.parse(f"{key} is null")
    if not isinstance(tree, IsNull):
        raise BadValue(f"{key!r} is not one key")
    return in_metadata(tree.path)
