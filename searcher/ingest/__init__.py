"""Documents → what is stored: adding, embedding again, carrying an index elsewhere.

Imports: errors, system, plain, records, readers, text, embedding, engines.
"""

from searcher.ingest.progress import Progress, no_progress
from searcher.ingest.putting import EXISTS, Putting
from searcher.ingest.upkeep import Upkeep

__all__ = ["EXISTS", "Progress", "Putting", "Upkeep", "no_progress"]
