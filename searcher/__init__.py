"""Semantic search over your own text, on your own machine.

`Embedder` turns texts into vectors, `Searcher` keeps and searches them. Heavy libraries load when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from searcher.embedding import Embedder
    from searcher.errors import SearcherError
    from searcher.records import AddReport, Answer, Document, Passage
    from searcher.search import AsyncSearcher, Searcher

__version__ = "0.1.0"
__all__ = [
    "AddReport", "Answer", "AsyncSearcher", "Document", "Embedder", "Passage", "Searcher", "SearcherError",
    "__version__",
]  # fmt: skip

_HOMES = {
    "AddReport": "records", "Answer": "records", "AsyncSearcher": "search", "Document": "records",
    "Embedder": "embedding", "Passage": "records", "Searcher": "search", "SearcherError": "errors",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"searcher.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'searcher' has no attribute {name!r}")
