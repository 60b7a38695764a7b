"""Questions → hits: by vectors, by words or both, feedback, smoothing, diversity, a closer look; hits → one text.

Imports: errors, system, records, filters, embedding, engines.
"""

from searcher.ranking.citing import Citing
from searcher.ranking.context import Citation, Context
from searcher.ranking.questions import query_texts
from searcher.ranking.waiting import Together

__all__ = ["Citation", "Citing", "Context", "Together", "query_texts"]
