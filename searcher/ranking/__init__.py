"""Questions → hits: by vectors, by words or both, feedback, smoothing, diversity, a closer look; hits → one text.

Imports: errors, system, records, filters, embedding, engines.
"""

from searcher.ranking.citing import Citing
from searcher.ranking.context import Citation, Context
from searcher.ranking.questions import query_texts

__all__ = ["Citation", "Citing", "Context", "query_texts"]
