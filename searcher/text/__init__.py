"""Text → tokens with their places, and passages that fit a model's window.

Imports: errors, system, plain, places, records.
"""

from searcher.text.chunking import Chunker
from searcher.text.finding import Stretch, around, section_of, stretch_at
from searcher.text.places import line_at, places_of
from searcher.text.signs import signs_of
from searcher.text.tokens import Tokenizer, Tokens, check_text
from searcher.text.words import spelled_once

__all__ = [
    "Chunker", "Stretch", "Tokenizer", "Tokens", "around", "check_text", "line_at", "places_of",
    "section_of", "signs_of", "spelled_once", "stretch_at",
]  # fmt: skip
