"""Words → the passages that hold them, by BM25, out of arrays that a file can be mapped into; it knows no SQLite.

Imports: system.
"""

from searcher.postings.collection import Collection, Part, Word, weight
from searcher.postings.joining import meet
from searcher.postings.segment import Segment, merged

__all__ = ["Collection", "Part", "Segment", "Word", "meet", "merged", "weight"]
