"""Documents → what is stored: adding, embedding again, carrying an index elsewhere, bringing others in.

Imports: errors, system, plain, places, records, readers, migration, text, embedding, engines.
"""

from searcher.ingest.inputs import inputs
from searcher.ingest.moving import common_move
from searcher.ingest.pace import Pace
from searcher.ingest.progress import Progress, no_progress
from searcher.ingest.putting import EXISTS, Putting
from searcher.ingest.under_way import UnderWay
from searcher.ingest.upkeep import Upkeep

__all__ = ["EXISTS", "Pace", "Progress", "Putting", "UnderWay", "Upkeep", "common_move", "inputs", "no_progress"]
