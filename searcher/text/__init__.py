"""Text → tokens with their places, and passages that fit a model's window.

Imports: errors, records.
"""

from searcher.text.chunking import Chunker
from searcher.text.places import line_at, places_of
from searcher.text.tokens import Tokenizer, Tokens, check_text
from searcher.text.words import spelled_once

__all__ = ["Chunker", "Tokenizer", "Tokens", "check_text", "line_at", "places_of", "spelled_once"]
