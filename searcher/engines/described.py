"""What an index folder is kept in: which FAISS index, and how large its files are."""

import sqlite3
from pathlib import Path
from typing import Any

from searcher.engines.inverted import POSTINGS
from searcher.engines.snapshots import CACHE, Snapshots
from searcher.store import DATABASE, FORMAT, TOKENS, Store, TokenVectors
from searcher.vectors import chosen

__all__ = ["bytes_of", "described"]


def described(store: Store, snapshots: Snapshots, tokens: TokenVectors) -> dict[str, Any]:
    """What an index folder is kept in: the FAISS index, the format, sizes in bytes."""
    folder, settings = store.folder, store.settings()
    kept = len(tokens.ids(settings.fingerprint)) if settings else 0
    return {
        **_indexed(store, snapshots), "format": FORMAT,
        "journal_mode": store.database.journal_mode(), "sqlite": sqlite3.sqlite_version,
        "database_bytes": _size(folder / DATABASE),
        "journal_bytes": sum(_size(folder / f"{DATABASE}-{kind}") for kind in ("journal", "wal")),
        "cache_bytes": _size(folder / CACHE) + _size(folder / POSTINGS),
        "token_vectors": kept, "token_bytes": _size(folder / TOKENS),
    }  # fmt: skip


def _indexed(store: Store, snapshots: Snapshots) -> dict[str, Any]:
    """The FAISS index: its type and why, the one wanted, what its tuning found."""
    wanted = store.indexing()
    with store.reading():
        snapshot = snapshots.current()
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
