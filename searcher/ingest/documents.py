"""Documents as they can be stored: texts made into them, each checked before it is taken, and what is kept whole."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from searcher.embedding import normalize
from searcher.errors import BadValue, UnknownName
from searcher.places import PLACE_PARTS, Place
from searcher.plain import as_json, plain, scalar, storable
from searcher.records import Chunk, Document
from searcher.text import check_text

__all__ = [
    "content_key", "document_of", "documents_of_texts", "key_of", "listed", "passages", "sound", "sound_places",
]  # fmt: skip


def documents_of_texts(
    texts: Iterable[str], ids: Iterable[str] | None, metadatas: Iterable[Mapping[str, Any] | None] | None
) -> Iterator[Document]:
    """Documents out of plain texts; a text without an id gets one made of its content.

    Raises BadValue when the lists differ in length, an id comes twice, or something cannot be stored.
    """
    every, keys, values = listed(texts=texts, ids=ids, metadatas=metadatas)
    used: set[str] = set()
    for number, (text, given, metadata) in enumerate(zip(every, keys, values, strict=True), 1):
        document = document_of(number, text, metadata)
        key = content_key(document) if ids is None else key_of(given, number)
        if key in used and ids is not None:
            raise BadValue(f"id {key!r} is given twice")
        if key not in used:
            yield replace(document, source=key, id=key)
        used.add(key)


def listed(**columns: Any) -> list[list[Any]]:
    """What is given for each of some texts, the first of the columns; Nones for what is not given.

    Raises BadValue for columns of unlike length, and for a text or a mapping in the place of a list.
    """
    lists: list[list[Any]] = []
    for name, values in columns.items():
        if isinstance(values, str | Mapping) or (values is None and not lists):
            what = "None" if values is None else f"one {type(values).__name__}"
            raise BadValue(f"{name} is {what}; it must be a list of them")
        own = [None] * len(lists[0]) if values is None else list(plain(values))
        if lists and len(own) != len(lists[0]):
            raise BadValue(f"{len(own)} {name} for {len(lists[0])} {next(iter(columns))}")
        lists.append(own)
    return lists


def document_of(number: int, text: str, metadata: Any, **parts: Any) -> Document:
    """One of many texts as a document without an id yet; BadValue, with its number, for what cannot be stored."""
    check_text(text, f"text {number}")
    return Document("", text, metadata=_sound_metadata(metadata or {}, f"metadata {number}"), **parts)


def content_key(document: Document) -> str:
    """An id made of what a document holds."""
    return f"text-{document.digest().hex()[:16]}"


def key_of(given: Any, number: int) -> str:
    """A caller's id as it is stored. BadValue for what is none."""
    given = scalar(given)
    key = check_text(str(given) if isinstance(given, int) else given, f"id {number}")
    if not key:
        raise BadValue(f"id {number} is empty")
    return key


def sound(document: Document) -> Document:
    """The document with metadata that JSON can hold; BadValue for anything that cannot be stored."""
    for name in ("source", "text"):
        check_text(getattr(document, name), f"the {name}")
    for name in ("title", "id"):
        if (value := getattr(document, name)) is not None:
            check_text(value, f"the {name}")
    for _, path in document.sections:
        check_text(path, "a heading")
    if (payload := document.payload) is not None:
        payload = json.loads(check_text(as_json(payload), "the payload"))  # what comes back: of tuples lists
    metadata, places = _sound_metadata(document.metadata, "metadata"), sound_places(document.places)
    return replace(document, metadata=metadata, places=places, payload=payload)


def sound_places(places: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[tuple[int, Place], ...]:
    """Places as they are stored. BadValue unless their offsets rise and their parts are those of a `Place`."""
    found: list[tuple[int, Place]] = []
    for start, place in places:
        if type(start) is not int or start < (found[-1][0] if found else 0):
            raise BadValue(f"a place starts at {start!r:.40}; offsets of places are whole numbers that rise")
        if not isinstance(place, Mapping):
            raise BadValue(f"a place is {place!r:.40}, not a dict")
        for name, value in place.items():
            if name not in PLACE_PARTS:
                raise UnknownName("part of a place", name, PLACE_PARTS)
            if type(value) is not PLACE_PARTS[name]:
                raise BadValue(f"{name} of a place is {value!r:.40}, not of type {PLACE_PARTS[name].__name__}")
            if isinstance(value, str):
                check_text(value, f"{name} of a place")
        found.append((start, cast("Place", dict(place))))
    return tuple(found)


def passages(document: Document, chunks: Sequence[Chunk], vectors: np.ndarray) -> tuple[Sequence[Chunk], np.ndarray]:
    """What is stored of a document's chunks and their vectors (n, d) float32, unit rows: of one that is whole, one
    passage with the direction of their mean, each weighed by its tokens.
    """
    if not document.whole or not len(chunks):
        return chunks, vectors
    sums = (sum(getattr(chunk, name) for chunk in chunks) for name in ("content", "unknown"))
    weights = np.array([chunk.content for chunk in chunks], np.float32)[:, None]
    mean = vectors if len(chunks) == 1 else normalize((vectors * weights).sum(axis=0, keepdims=True))
    return [Chunk(0, len(document.text), (), *sums)], mean


def _sound_metadata(metadata: object, name: str) -> dict[str, Any]:
    if not isinstance(metadata, Mapping):
        raise BadValue(f"{name} is {type(metadata).__name__} {metadata!r:.40}, not a dict")
    try:
        return dict(storable(metadata))
    except BadValue as fault:
        raise BadValue(f"{name}: {fault}") from None
