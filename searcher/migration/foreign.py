"""What another tool stored, in our words: an item is a text with its id, metadata and vector."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searcher.errors import BadValue, UnknownName
from searcher.records import Failure

__all__ = ["NOTHING_CHOSEN", "Choices", "Foreign", "Item", "chosen", "text_of"]

# What programs call the text among the fields of an item, the first one there counts.
TEXT_FIELDS = ("page_content", "document", "text", "content", "body", "passage", "chunk", "_node_content")


class Item(NamedTuple):
    """One text of another tool. vector: (d,) float32 as it is stored there; text, vector: None if there is none.

    left_out: keys of metadata whose values cannot be stored.
    """

    id: str
    text: str | None
    metadata: dict[str, Any]
    vector: np.ndarray | None = None
    title: str | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choices:
    """What is read of a store that holds several things: its collection, which of an item's named vectors, and which of
    its fields is the text; None where there is but one, or for the usual names.
    """

    collection: str | None = None
    vector_name: str | None = None
    text_field: str | None = None


NOTHING_CHOSEN = Choices()


@dataclass
class Foreign:
    """A collection of another tool, open for reading.

    items: gives them anew at every call, in the order in which they were stored. model: what that tool says that its
    vectors are of. metric: how it ranks, "l2", "cosine" or "ip". notes: what is to be told of it.
    """

    tool: str
    place: Path
    count: int
    items: Callable[[], Iterator[Item | Failure]]
    model: str | None = None
    metric: str | None = None
    notes: list[Failure] = field(default_factory=list)


def chosen(what: str, wanted: str | None, known: Iterable[str], option: str) -> str:
    """The one that is wanted, or the only one there is. BadValue with all of them if several are; UnknownName."""
    names = list(known)
    if wanted is not None:
        if wanted not in names:
            raise UnknownName(what, wanted, names)
        return wanted
    if len(names) != 1:
        there = f"several {what}s: {', '.join(map(repr, names))}; choose with {option}" if names else f"no {what}"
        raise BadValue(f"it holds {there}")
    return names[0]


def text_of(fields: dict[str, Any], text_field: str | None) -> tuple[str | None, dict[str, Any]]:
    """The text among the fields of an item, and the others.

    What LangChain puts into a field `metadata` beside the text are fields like the rest. UnknownName for a text field
    that the item lacks.
    """
    if text_field is not None and text_field not in fields:
        raise UnknownName("field", text_field, map(str, fields))
    names = TEXT_FIELDS if text_field is None else (text_field,)
    name = next((name for name in names if isinstance(fields.get(name), str)), None)
    rest = {key: value for key, value in fields.items() if key != name}
    inner = rest.get("metadata")
    if name == "page_content" and set(rest) == {"metadata"} and isinstance(inner, dict | None):
        rest = inner or {}
    return (None if name is None else fields[name]), rest
