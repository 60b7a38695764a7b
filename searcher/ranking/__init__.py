"""Questions → hits: by vectors, by words or both, feedback, smoothing, diversity, a closer look.

Imports: errors, records, filters, embedding, engines.
"""

from searcher.ranking.asking import Asking
from searcher.ranking.general import GENERAL, TOPICS
from searcher.ranking.questions import query_texts

__all__ = ["GENERAL", "TOPICS", "Asking", "query_texts"]
