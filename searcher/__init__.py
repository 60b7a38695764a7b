"""Semantic search over your own text, on your own machine.

`Embedder` turns texts into vectors, `Searcher` keeps and searches them. Heavy libraries load when first used.
"""

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from searcher.client import AsyncClient, Client
    from searcher.embedding import Embedder, IndexSettings, Settings
    from searcher.errors import (
        BadValue,
        DamagedIndex,
        FilterError,
        IndexUnavailable,
        Interrupted,
        ModelError,
        SearcherError,
        SettingsMismatch,
        UnknownName,
        UnreadableFile,
    )
    from searcher.faq import Faq
    from searcher.ranking import Mode
    from searcher.records import AddReport, Answer, Document, Failure, Highlight, Note, Passage, Skipped
    from searcher.search import AsyncSearcher, Searcher

__version__ = "0.1.0"
__all__ = [
    "AddReport", "Answer", "AsyncClient", "AsyncSearcher", "BadValue", "Client", "DamagedIndex", "Document",
    "Embedder", "Failure", "Faq", "FilterError", "Highlight", "IndexSettings", "IndexUnavailable", "Interrupted",
    "Mode", "ModelError", "Note", "Passage", "Searcher", "SearcherError", "Settings", "SettingsMismatch", "Skipped",
    "UnknownName", "UnreadableFile", "__version__",
]  # fmt: skip

_HOMES = {
    "client": ["AsyncClient", "Client"], "embedding": ["Embedder", "IndexSettings", "Settings"], "faq": ["Faq"],
    "ranking": ["Mode"], "search": ["AsyncSearcher", "Searcher"],
    "records": ["AddReport", "Answer", "Document", "Failure", "Highlight", "Note", "Passage", "Skipped"],
}  # fmt: skip
_HOME = {name: home for home, names in _HOMES.items() for name in names}


if not TYPE_CHECKING:  # to a type checker it would make any name a good one

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'searcher' has no attribute {name!r}")
        return getattr(import_module(f"searcher.{_HOME.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    modules = {name for name, value in globals().items() if isinstance(value, ModuleType)}
    return sorted({*__all__, *modules, *(name for name in globals() if name.startswith("__"))})
