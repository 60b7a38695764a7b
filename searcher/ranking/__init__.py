"""Questions → hits: by vectors, by words or both, diversity, a closer look; hits → one text.

Imports: errors, system, plain, places, words, records, cited, text, filters, embedding, engines.
"""

from searcher.ranking.citing import Citing
from searcher.ranking.general import GENERAL, TOPICS
from searcher.ranking.options import Mode
from searcher.ranking.presence import WEAK
from searcher.ranking.questions import check_score, query_texts
from searcher.ranking.shown import passage
from searcher.ranking.waiting import Together

__all__ = ["GENERAL", "TOPICS", "WEAK", "Citing", "Mode", "Together", "check_score", "passage", "query_texts"]
