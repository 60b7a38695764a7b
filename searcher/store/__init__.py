"""SQLite, the truth: documents, passages, vectors, words, settings, all of it with checksums.

Imports: errors, system, plain, places, records, text, filters, embedding, vectors.
"""

from searcher.store.keyword_index import KEYWORD_FAULT, asked
from searcher.store.notes import Notes, Unanswered
from searcher.store.passages import READ_ROWS
from searcher.store.repair import repair_database
from searcher.store.schema import FORMAT
from searcher.store.seen import Look, SeenFile
from searcher.store.state import DATABASE, FORGET
from searcher.store.store import Store
from searcher.store.tables import Held
from searcher.store.token_vectors import TOKENS, TokenVectors

__all__ = [
    "DATABASE",
    "FORGET",
    "FORMAT",
    "KEYWORD_FAULT",
    "READ_ROWS",
    "TOKENS",
    "Held",
    "Look",
    "Notes",
    "SeenFile",
    "Store",
    "TokenVectors",
    "Unanswered",
    "asked",
    "repair_database",
]
