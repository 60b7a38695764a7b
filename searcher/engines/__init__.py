"""What stands behind the one door to what is stored: nearest by vector, by words, the state of it all.

Imports: errors, system, plain, places, records, text, filters, embedding, vectors, postings, store.
"""

from searcher.engines.engine import Candidate, Effort, Engine, Hit, Near, cosine, cosines
from searcher.engines.library import Library, Where, keys_of
from searcher.engines.local import LocalEngine
from searcher.engines.opening import SCHEME, Opened
from searcher.engines.status import status
from searcher.engines.surroundings import Surrounding, Surroundings
from searcher.engines.tuning import RECALL, make_index
from searcher.engines.upkeep import Repair, check, compact, repair
from searcher.store import Held, Kept, Look, SeenFile

__all__ = [
    "RECALL",
    "SCHEME",
    "Candidate",
    "Effort",
    "Engine",
    "Held",
    "Hit",
    "Kept",
    "Library",
    "LocalEngine",
    "Look",
    "Near",
    "Opened",
    "Repair",
    "SeenFile",
    "Surrounding",
    "Surroundings",
    "Where",
    "check",
    "compact",
    "cosine",
    "cosines",
    "keys_of",
    "make_index",
    "repair",
    "status",
]
