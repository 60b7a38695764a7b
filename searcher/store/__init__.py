"""SQLite, the truth: documents, passages, vectors, words, settings, all of it with checksums.

Imports: errors, system, plain, places, records, text, filters, embedding, vectors, postings.
"""

from searcher.store.given import as_given, given_rows
from searcher.store.keyword_index import KEYWORD_FAULT, asked
from searcher.store.moving import renamed
from searcher.store.notes import Notes, Unanswered
from searcher.store.passages import READ_ROWS, Kept
from searcher.store.repair import repair_database
from searcher.store.rows import Bare, as_document, as_settings, key_of, settings_rows
from searcher.store.schema import FORMAT
from searcher.store.seen import Look, SeenFile
from searcher.store.state import DATABASE, FORGET
from searcher.store.store import Store
from searcher.store.tables import Held
from searcher.store.token_vectors import TOKENS, TokenVectors
from searcher.store.tokenized import phrase_of, tokens_of, way_of_words, words_of

__all__ = [
    "DATABASE",
    "FORGET",
    "FORMAT",
    "KEYWORD_FAULT",
    "READ_ROWS",
    "TOKENS",
    "Bare",
    "Held",
    "Kept",
    "Look",
    "Notes",
    "SeenFile",
    "Store",
    "TokenVectors",
    "Unanswered",
    "as_document",
    "as_given",
    "as_settings",
    "asked",
    "given_rows",
    "key_of",
    "phrase_of",
    "renamed",
    "repair_database",
    "settings_rows",
    "tokens_of",
    "way_of_words",
    "words_of",
]
