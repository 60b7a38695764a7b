"""Which tools' stores are read, and which of them a path is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from searcher.errors import BadValue, UnreadableFile
from searcher.migration import chroma, jsonlines, langchain, llm, qdrant, txtai
from searcher.migration.cleaning import cleaned
from searcher.migration.foreign import NOTHING_CHOSEN, Choices, Foreign, Item
from searcher.records import Failure

__all__ = ["TOOLS", "foreign", "is_foreign"]


class Tool(NamedTuple):
    """find: the file by which a path is known as a store of it, None if it is none. opened: reads that store. takes:
    which of Choices mean something there.
    """

    what: str
    find: Callable[[Path], Path | None]
    opened: Callable[[Path, Choices], AbstractContextManager[Foreign]]
    takes: tuple[str, ...] = ()


# In the order in which they are looked for: a folder in BEIR's layout may hold vectors of its corpus too.
TOOLS = {
    "chroma": Tool("a Chroma folder (chroma.sqlite3)", chroma.find, chroma.opened, ("collection",)),
    "qdrant": Tool(
        "a folder of Qdrant's local mode (meta.json)",
        qdrant.find,
        qdrant.opened,
        ("collection", "vector_name", "text_field"),
    ),
    "langchain": Tool("a LangChain FAISS folder (index.pkl, index.faiss)", langchain.find, langchain.opened),
    "txtai": Tool("a txtai index (config.json, embeddings)", txtai.find, txtai.opened),
    "llm": Tool("an llm database (embeddings.db)", llm.find, llm.opened, ("collection",)),
    "npy": Tool("vectors in .npy with JSON lines", jsonlines.find_arrays, jsonlines.opened_arrays, ("text_field",)),
    "beir": Tool("a BEIR folder (corpus.jsonl)", jsonlines.find_beir, jsonlines.opened_beir),
}


def is_foreign(path: Path) -> bool:
    """Whether it is a store of one of the tools."""
    return _known(path) is not None


@contextmanager
def foreign(path: Path, choices: Choices = NOTHING_CHOSEN) -> Iterator[Foreign]:
    """The store at a path, open for reading, nothing of it run and nothing written to it.

    Raises BadValue for a path that is none of the tools' stores, and for a choice that is open; UnreadableFile.
    """
    if not path.exists():
        raise BadValue(f"no file or folder {str(path)!r}")
    found = _known(path)
    if found is None:
        kinds = "; ".join(tool.what for tool in TOOLS.values())
        raise BadValue(f"{path} is no store that can be read; good: {kinds}")
    tool, place = found
    for name, value in asdict(choices).items():
        if value is not None and name not in tool.takes:
            good = f"; good: {', '.join(tool.takes)}" if tool.takes else ""
            raise BadValue(f"{name} {value!r} means nothing in {tool.what}{good}")
    with ExitStack() as stack:
        with _faults_of(place):
            opened = stack.enter_context(tool.opened(place, choices))
        yield replace(opened, items=partial(_guarded, opened.items, place))


def _guarded(items: Callable[[], Iterator[Item | Failure]], place: Path) -> Iterator[Item | Failure]:
    with _faults_of(place):
        for item in items():
            yield item if isinstance(item, Failure) else cleaned(item)


@contextmanager
def _faults_of(place: Path) -> Iterator[None]:
    """A database that is damaged, or not that tool's, is a file that cannot be read."""
    try:
        yield
    except sqlite3.Error as fault:
        raise UnreadableFile(place, f"SQLite: {' '.join(str(fault).split())}") from None
    except (UnicodeDecodeError, MemoryError):  # its message quotes damaged bytes; a damaged length asks for anything
        raise UnreadableFile(place, "SQLite: database disk image is malformed") from None


def _known(path: Path) -> tuple[Tool, Path] | None:
    for tool in TOOLS.values():
        if (place := tool.find(path)) is not None:
            return tool, place
    return None
