"""What an index holds, what it was made with, and how large its files are."""

import sqlite3
from pathlib import Path
from typing import Any

from searcher.embedding import IndexSettings
from searcher.engines.inverted import POSTINGS
from searcher.engines.local import LocalEngine
from searcher.engines.snapshots import CACHE
from searcher.store import DATABASE, FORMAT, TOKENS
from searcher.vectors import chosen

__all__ = ["bytes_of", "status"]


def status(engine: LocalEngine, settings: IndexSettings) -> dict[str, Any]:
    """The values that `searcher status` shows, sizes in bytes."""
    folder = engine.folder
    return {
        "folder": str(folder.absolute()), **engine.counts(),
        "model": settings.model, "weights": settings.weights, "pooling": settings.pooling,
        "layers": settings.layers, "combine": settings.combine or None, "special_tokens": settings.special_tokens,
        "query_prompt": settings.query_prompt, "passage_prompt": settings.passage_prompt,
        "dimension": settings.dimension, "dtype": settings.dtype,
        "chunk_tokens": settings.chunk_tokens, "overlap": settings.overlap, "context": settings.context,
        "generation": engine.database.head().generation, **_described(engine), "format": FORMAT,
        "journal_mode": engine.database.journal_mode(), "sqlite": sqlite3.sqlite_version,
        "database_bytes": _size(folder / DATABASE),
        "journal_bytes": sum(_size(folder / f"{DATABASE}-{kind}") for kind in ("journal", "wal")),
        "cache_bytes": _size(folder / CACHE) + _size(folder / POSTINGS),
        "token_vectors": len(engine.tokens.ids(settings.fingerprint)), "token_bytes": _size(folder / TOKENS),
    }  # fmt: skip


def _described(engine: LocalEngine) -> dict[str, Any]:
    """The FAISS index: its type and why, the one wanted, what its tuning found."""
    wanted = engine.indexing()
    with engine.reading():
        snapshot = engine.snapshots.current()
    made = snapshot.base.type.name if snapshot else wanted.type
    best, reason = chosen(wanted.type, len(snapshot) if snapshot else 0)
    if made != best:  # no cache file of it was there when somebody waited for an answer
        reason = f"searcher reindex makes it {best}: {reason}"
    knob = snapshot.base.type.knob if snapshot else None
    tuned = None if snapshot is None else wanted.effort_of(snapshot.base.type)
    return {
        "index_type": made, "index_type_wanted": wanted.type, "index_type_reason": reason, "knob": knob,
        "knob_value": tuned or (snapshot.base.type.default if snapshot and knob else None),
        "recall_at_10": wanted.recall if tuned else None,
        "milliseconds": wanted.milliseconds if tuned else None,
    }  # fmt: skip


def bytes_of(folder: Path) -> int:
    """What the files of an index take, those of SQLite's journals included; a damaged one that was kept is none."""
    names = (DATABASE, *(f"{DATABASE}-{kind}" for kind in ("journal", "wal", "shm")), CACHE, POSTINGS, TOKENS)
    return sum(_size(folder / name) for name in names)


def _size(path: Path) -> int:
    """Bytes of a file, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
