"""Vectors → the nearest of them: FAISS and our own scans, the cache file; it knows no SQLite.

Imports: errors, system, embedding.
"""

from searcher.vectors import cachefile, planning
from searcher.vectors.building import Content, content, fitted, grown, trained
from searcher.vectors.cachefile import VECTORS, WORDS, Stamp
from searcher.vectors.index import Found, Some, VectorIndex, scans
from searcher.vectors.types import AUTO, FLAT, Indexing, IndexType, check_knob, chosen, index_type

__all__ = [
    "AUTO",
    "FLAT",
    "VECTORS",
    "WORDS",
    "Content",
    "Found",
    "IndexType",
    "Indexing",
    "Some",
    "Stamp",
    "VectorIndex",
    "cachefile",
    "check_knob",
    "chosen",
    "content",
    "fitted",
    "grown",
    "index_type",
    "planning",
    "scans",
    "trained",
]
