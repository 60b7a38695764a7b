"""Questions → hits: by vectors, by words or both, diversity, a closer look.

Imports: errors, records, filters, embedding, engines.
"""

from searcher.ranking.asking import Asking
from searcher.ranking.questions import query_texts

__all__ = ["Asking", "query_texts"]
