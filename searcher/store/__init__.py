"""SQLite, the truth: documents, passages, vectors, words, settings, all of it with checksums.

Imports: errors, system, plain, places, records, text, filters, embedding, vectors, postings.
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
from searcher.store.tokenized import tokens_of, way_of_words

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
    "tokens_of",
    "way_of_words",
]
