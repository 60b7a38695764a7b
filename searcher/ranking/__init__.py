"""Questions → hits: by vectors, by words or both, feedback, smoothing, diversity, a closer look.

Imports: errors, system, records, filters, embedding, engines.
"""

from searcher.ranking.asking import Asking
from searcher.ranking.options import Mode, Where
from searcher.ranking.questions import query_texts

__all__ = ["Asking", "Mode", "Where", "query_texts"]
