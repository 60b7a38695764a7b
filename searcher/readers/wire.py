"""Items as JSON and back: what the process that reads files sends, and what is believed of it."""

import json
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from searcher.plain import storable
from searcher.readers.raw import Item
from searcher.records import Document, Failure, Note, Skipped

if TYPE_CHECKING:
    import numpy as np

__all__ = ["as_item", "as_value", "receive", "send"]

KINDS = {kind.__name__: kind for kind in (Failure, Note, Skipped)}
LONGEST = 2**30  # bytes of a message: six times the text that a document may have
LENGTH_BYTES = 8
TEXT, OPTIONAL = (str,), (str, type(None))


def send(stream: IO[bytes], message: Mapping[str, Any], more: bytes = b"") -> None:
    """Write a message: its length in 8 bytes, its JSON, in which any string survives, and what follows it."""
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for part in (len(data).to_bytes(LENGTH_BYTES, "big"), data, more):
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> dict[str, Any] | None:
    """Read a message; None where the stream ends. ValueError for anything that is none."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    if (length := int.from_bytes(head, "big")) > LONGEST:
        raise ValueError("a message of absurd length")
    data = stream.read(length)
    if len(data) < length:
        return None
    message = json.loads(data.decode("utf-8", "surrogatepass"))
    if not isinstance(message, dict):
        raise ValueError("a message that is no object")
    return message


def as_value(item: Item) -> list[Any]:
    """An item as JSON holds it. BadValue for metadata that nobody could store."""
    if isinstance(item, Failure):
        told = [type(item).__name__, item.source, item.reason, item.row]
        return [*told, item.known] if isinstance(item, Skipped) else told
    vector = None if item.vector is None else item.vector.tolist()
    return [
        "Document", item.source, item.text, item.title, item.id, storable(item.metadata), item.sections, item.breaks,
        item.first_line, item.kind, item.places, storable({"": item.payload})[""], item.whole, vector,
    ]  # fmt: skip


def as_item(value: Any) -> Item:
    """The item that was sent; nothing of it is trusted. ValueError for what cannot be one."""
    kind, *parts = _typed(value, list)
    if kind in KINDS:
        source, reason, row, *known = parts
        told = _typed(source, *TEXT), " ".join(_typed(reason, *TEXT).split()), _typed(row, *OPTIONAL)
        return KINDS[kind](*told, *(_typed(each, bool) for each in known))
    if kind != "Document":
        raise ValueError(f"an item of kind {kind!r:.40}")
    source, text, title, key, metadata, sections, breaks, first_line, sort, places, payload, whole, vector = parts
    return Document(
        _typed(source, *TEXT), _typed(text, *TEXT), _typed(title, *OPTIONAL), _typed(key, *OPTIONAL),
        _typed(metadata, dict), tuple((start, _typed(path, *TEXT)) for start, path in _rising(sections, len(text))),
        tuple(start for (start,) in _rising([[at] for at in breaks], len(text))), _typed(first_line, int),
        _typed(sort, *TEXT), tuple((start, _typed(place, dict)) for start, place in _rising(places, len(text))),
        payload, _typed(whole, bool), None if vector is None else _vector(vector),
    )  # fmt: skip


def _vector(values: Any) -> "np.ndarray":
    import numpy as np

    return np.array([_typed(value, float) for value in _typed(values, list)], np.float32)


def _typed(value: Any, *types: type) -> Any:
    if type(value) not in types:
        raise ValueError(f"{value!r:.40} is not of type {' or '.join(kind.__name__ for kind in types)}")
    return value


def _rising(pairs: Any, length: int) -> list[Any]:
    """Lists that begin with an offset, each no less than the one before and none beyond the text."""
    before = 0
    for pair in _typed(pairs, list):
        start = _typed(_typed(pair, list)[0], int)
        if not before <= start <= length:
            raise ValueError(f"the offset {start} after {before}, in a text of {length}")
        before = start
    return list(pairs)
