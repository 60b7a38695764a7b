"""Texts and questions → the words that FTS5 makes of them, by its own tokenizer; the postings of stored passages."""

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from searcher.postings import Segment
from searcher.store.keyword_index import runs_of, spaced
from searcher.store.rows import PASSAGE_PART, TEXT, check_part
from searcher.store.schema import FORMAT, TOKENIZER
from searcher.store.state import State

__all__ = ["Tokenized", "phrase_of", "segment_of", "tokens_of", "way_of_words", "words_of"]

PIECE = 16_384  # passages that are tokenised together
# What becomes of this tells tokenizers apart: case, accents, marks, endings, scripts, digits, signs, what is invisible.
PROBE = "The Naïve CAFÉS e\u0301cole running Straße 北京市 한국어 ภาษาไทย नमस्ते x_y ½ ﬁne Ⅳ ǅ soft\u00adhyphen 1,999€"

_local = threading.local()


def tokens_of(words: Sequence[str]) -> list[list[bytes]]:
    """What FTS5 makes of each: one token, UTF-8; several of what is no one word to it; none of what is no word."""
    found: list[list[tuple[int, bytes]]] = [[] for _ in words]
    for token, place, offset in _occurrences(words, "doc, offset"):
        found[place].append((offset, token))
    return [[token for _, token in sorted(own)] for own in found]


def words_of(texts: Sequence[str]) -> list[list[bytes]]:
    """The words of each text in their order, as the keyword index has them, UTF-8."""
    return tokens_of([spaced(text) for text in texts])


def phrase_of(phrase: str) -> list[list[bytes]]:
    """The words of a phrase, as `holding` asks for it: each list stands in a passage one after the other."""
    return [words for words in tokens_of(runs_of(phrase)) if words]


@cache
def way_of_words() -> str:
    """Tells apart the ways in which texts become words: of this SQLite, of how they are stored."""
    told = [sqlite3.sqlite_version, FORMAT, TOKENIZER, tokens_of([spaced(PROBE)])]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


class Tokenized(State):
    """The words of stored passages."""

    def segments(self, after: int = 0, last: int | None = None) -> Iterator[Segment]:
        """The postings of passages with ids above the one and up to the other, in pieces, each read by itself.

        DamagedIndex for a passage that is not what was stored.
        """
        query = f"SELECT {PASSAGE_PART}, crc FROM passages p WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        most = np.iinfo(np.int64).max if last is None else last
        while True:
            with self.database.reading() as connection:
                rows = connection.execute(query, [after, int(most), PIECE]).fetchall()
            if not rows:
                return
            for row in rows:
                check_part(row, f"passage {row[0]}")
            after = rows[-1][0]
            yield segment_of(np.array([row[0] for row in rows], np.int64), [spaced(row[TEXT]) for row in rows])


def segment_of(ids: np.ndarray, texts: Sequence[str]) -> Segment:
    """The postings of texts as FTS5 is to see them."""
    pairs = _occurrences(texts, "doc")
    numbers: dict[bytes, int] = {}
    words = np.fromiter((numbers.setdefault(word, len(numbers)) for word, _ in pairs), np.int64, len(pairs))
    places = np.fromiter((place for _, place in pairs), np.int64, len(pairs))
    return Segment.of(ids, list(numbers), words, places)


def _occurrences(texts: Sequence[str], columns: str) -> list[tuple[Any, ...]]:
    """Each word of each text: the word, and in which text it is (doc), after how many others (offset).

    An accent that stands alone is an empty word, which the table of words has as NULL.
    """
    connection = _tokenizing()
    try:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", enumerate(texts))
        return connection.execute(f"SELECT CAST(coalesce(term, '') AS BLOB), {columns} FROM words").fetchall()
    finally:
        connection.rollback()


def _tokenizing() -> sqlite3.Connection:
    """A table of FTS5 in memory, this thread's, and a view of the words in it; empty between two uses."""
    known: tuple[int, sqlite3.Connection] | None = getattr(_local, "connection", None)
    if known is None or known[0] != os.getpid():
        connection = sqlite3.connect(":memory:", isolation_level=None)
        connection.execute(f'CREATE VIRTUAL TABLE texts USING fts5(text, content="", tokenize="{TOKENIZER}")')
        connection.execute("CREATE VIRTUAL TABLE words USING fts5vocab(texts, instance)")
        known = _local.connection = os.getpid(), connection
    return known[1]
