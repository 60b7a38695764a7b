"""Documents → what is stored: adding, embedding again, carrying an index elsewhere.

Imports: errors, system, plain, records, readers, text, embedding, engines.
"""

from searcher.ingest.adding import Adding
from searcher.ingest.progress import Progress, no_progress
from searcher.ingest.upkeep import Upkeep

__all__ = ["Adding", "Progress", "Upkeep", "no_progress"]
