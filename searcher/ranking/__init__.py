"""Questions → hits: by vectors, by words or both, diversity, a closer look.

Imports: errors, system, plain, records, filters, embedding, engines.
"""

from searcher.ranking.asking import Asking
from searcher.ranking.general import GENERAL, TOPICS
from searcher.ranking.options import Mode, Where
from searcher.ranking.presence import WEAK
from searcher.ranking.questions import query_texts
from searcher.ranking.wording import telling

__all__ = ["GENERAL", "TOPICS", "WEAK", "Asking", "Mode", "Where", "query_texts", "telling"]
