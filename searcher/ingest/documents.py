"""Documents as they can be stored: plain texts made into them, and each one checked before it is taken."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from searcher.errors import BadValue, UnknownName
from searcher.plain import plain
from searcher.readers import storable
from searcher.records import PLACE_PARTS, Document
from searcher.text import check_text

__all__ = ["documents_of_texts", "sound", "sound_places"]


def documents_of_texts(
    texts: Iterable[str], ids: Iterable[str] | None, metadatas: Iterable[Mapping[str, Any] | None] | None
) -> Iterator[Document]:
    """Documents out of plain texts; a text without an id gets one made of its content.

    Raises BadValue when the lists differ in length, an id comes twice, or something cannot be stored.
    """
    for name, values in (("texts", texts), ("ids", ids), ("metadatas", metadatas)):
        if isinstance(values, str | Mapping):
            raise BadValue(f"{name} is one {type(values).__name__}; it must be a list of them")
    every = list(plain(texts))
    keys, values_ = (None if given is None else list(plain(given)) for given in (ids, metadatas))
    for name, given in (("ids", keys), ("metadatas", values_)):
        if given is not None and len(given) != len(every):
            raise BadValue(f"{len(given)} {name} for {len(every)} texts")
    used: set[str] = set()
    for number, text in enumerate(every):
        check_text(text, f"text {number + 1}")
        metadata = _sound_metadata(values_[number] or {} if values_ else {}, f"metadata {number + 1}")
        document = Document("", text, metadata=metadata)
        if keys is None:
            key = f"text-{document.digest().hex()[:16]}"
        else:
            given = plain(keys[number])
            key = check_text(str(given) if isinstance(given, int) else given, f"id {number + 1}")
            if not key or key in used:
                raise BadValue(f"id {key!r} is given twice" if key else f"id {number + 1} is empty")
        if key not in used:
            yield replace(document, source=key, id=key)
        used.add(key)


def sound(document: Document) -> Document:
    """The document with metadata that JSON can hold; BadValue for anything that cannot be stored."""
    for name in ("source", "text"):
        check_text(getattr(document, name), f"the {name}")
    for name in ("title", "id"):
        if (value := getattr(document, name)) is not None:
            check_text(value, f"the {name}")
    for _, path in document.sections:
        check_text(path, "a heading")
    places = sound_places(document.places)
    return replace(document, metadata=_sound_metadata(document.metadata, "metadata"), places=places)


def sound_places(places: Iterable[tuple[int, Mapping[str, Any]]]) -> tuple[tuple[int, dict[str, Any]], ...]:
    """Places as they are stored. BadValue unless their offsets rise and their parts are PLACE_PARTS."""
    found: list[tuple[int, dict[str, Any]]] = []
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
        found.append((start, dict(place)))
    return tuple(found)


def _sound_metadata(metadata: object, name: str) -> dict[str, Any]:
    if not isinstance(metadata, Mapping):
        raise BadValue(f"{name} is {type(metadata).__name__} {metadata!r:.40}, not a dict")
    try:
        return dict(storable(metadata))
    except BadValue as fault:
        raise BadValue(f"{name}: {fault}") from None
