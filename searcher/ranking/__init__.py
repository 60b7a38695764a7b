"""Questions → hits: by vectors, by words or both, diversity, a closer look; hits → one text.

Imports: errors, system, plain, places, records, filters, embedding, engines.
"""

from searcher.ranking.citing import Citing
from searcher.ranking.context import Citation, Context
from searcher.ranking.general import GENERAL, TOPICS
from searcher.ranking.options import Mode
from searcher.ranking.presence import WEAK
from searcher.ranking.questions import check_score, query_texts
from searcher.ranking.waiting import Together
from searcher.ranking.wording import telling

__all__ = [
    "GENERAL", "TOPICS", "WEAK", "Citation", "Citing", "Context", "Mode", "Together", "check_score", "query_texts",
    "telling",
]  # fmt: skip
