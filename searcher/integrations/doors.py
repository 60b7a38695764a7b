"""What all doors need: a package that may be missing, an index opened, methods awaited, the place of a passage."""

from asyncio import to_thread
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from searcher.errors import BadValue
from searcher.records import Document, Passage
from searcher.search import Searcher

__all__ = ["awaited", "needed", "opened", "placed", "told"]

PLACE = ("source", "title", "section", "line", "start", "end", "score")
Returned = TypeVar("Returned")
Given = ParamSpec("Given")


@contextmanager
def needed(module: str, package: str, extra: str) -> Iterator[None]:
    """Imports of a framework's package; where it is missing, ImportError says in a line what to install."""
    try:
        yield
    except ImportError as fault:
        raise ImportError(f"{module} needs {package}: pip install 'searcher[{extra}]'") from fault


def opened(index: str | Path | Searcher, settings: dict[str, Any]) -> Searcher:
    """The index in a folder, with settings as for `Searcher`, or the Searcher that is given, which has its own."""
    if not isinstance(index, Searcher):
        return Searcher(index, **settings)
    if settings:
        raise BadValue(f"a Searcher has its settings already; leave out {', '.join(sorted(settings))}")
    return index


def awaited(method: Callable[Given, Returned]) -> Callable[Given, Coroutine[Any, Any, Returned]]:
    """The same method to be awaited; the loop goes on meanwhile."""

    @wraps(method)
    async def run(*arguments: Given.args, **named: Given.kwargs) -> Returned:
        return await to_thread(method, *arguments, **named)

    return run


def placed(hit: Passage) -> dict[str, Any]:
    """The metadata of a passage with what says where it stands, as far as they do not say otherwise."""
    return {name: value for name in PLACE if (value := getattr(hit, name)) is not None} | hit.metadata


def told(stored: Document | Passage) -> dict[str, Any]:
    """The metadata of a document, with its source where that is not the id under which it was put."""
    return dict(stored.metadata) if stored.id == stored.source else {"source": stored.source, **stored.metadata}
