"""Documents as they can be stored: plain texts made into them, and each one checked before it is taken."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from searcher.errors import BadValue
from searcher.readers import storable
from searcher.records import Document, plain
from searcher.text import check_text

__all__ = ["documents_of_texts", "sound"]


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
    return replace(document, metadata=_sound_metadata(document.metadata, "metadata"))


def _sound_metadata(metadata: object, name: str) -> dict[str, Any]:
    if not isinstance(metadata, Mapping):
        raise BadValue(f"{name} is {type(metadata).__name__} {metadata!r:.40}, not a dict")
    try:
        return dict(storable(metadata))
    except BadValue as fault:
        raise BadValue(f"{name}: {fault}") from None
