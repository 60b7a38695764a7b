"""Documents → what is stored: adding, embedding again, carrying an index elsewhere.

Imports: errors, system, plain, records, readers, text, embedding, engines.
"""

from searcher.ingest.adding import Adding
from searcher.ingest.moving import common_move
from searcher.ingest.progress import Progress, no_progress
from searcher.ingest.under_way import UnderWay
from searcher.ingest.upkeep import Upkeep

__all__ = ["Adding", "Progress", "UnderWay", "Upkeep", "common_move", "no_progress"]
