"""Questions to the keyword index: BM25 as FTS5 computes it (Robertson & Zaragoza 2009; k1 1.2, b 0.75)."""

import json
from collections.abc import Sequence
from typing import Any
from unicodedata import category

import numpy as np

from searcher.keyword_index import asked
from searcher.store import Store

__all__ = ["bm25_of", "keyword", "terms"]

MOST = 256  # different words of a question that count: the time grows with their number
MOST_ROWS = 2**31 - 1


def terms(question: str) -> list[str]:
    """The different words of a question, as they are looked for, in their order; pairs where there are no spaces.

    >>> terms('What is "BM25", what NOT? 首都')
    ['What', 'is', 'BM25', 'NOT', '首都']
    """
    # Letters, digits and marks: every other character is a space to FTS5. It folds their case: ß is not ss to it.
    spaces = "".join(c if c.isalnum() or category(c)[0] == "M" else " " for c in asked(question))
    words: dict[str, str] = {}
    for word in spaces.split():
        words.setdefault(word.casefold(), word)
    return list(words.values())[:MOST]


def keyword(store: Store, query: str, k: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The k passages with the highest BM25 for any of a question's words, best first, equals by id.

    -> ids (n,) int64, scores (n,) float32, positive; n < k where fewer hold a word. allowed: (m,) ids out of which the
    answers come; the weights of the words are those of the whole index.
    """
    words = terms(query)
    with store.database.reading() as connection:
        telling = _telling(connection, words)
        rows = _best(connection, telling, k, allowed)
        if len(rows) < k and len(telling) < len(words):
            rows = _best(connection, words, k, allowed)
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float32)


def bm25_of(store: Store, query: str, ids: np.ndarray) -> np.ndarray:
    """The BM25 of those passages for a question, 0 for one without any of its words. (n,) -> (n,) float32."""
    with store.database.reading() as connection:
        found = dict(_best(connection, terms(query), len(ids), ids)) if len(ids) else {}
    return np.array([found.get(number, 0) for number in ids.tolist()], np.float32)


def _telling(connection: Any, words: Sequence[str]) -> list[str]:
    """The words that less than half of the passages hold. To FTS5 the others weigh 1e-6, and most time goes into them.

    All, if there are no such words.
    """
    (passages,) = connection.execute("SELECT count(*) FROM passages").fetchone()
    query = "SELECT count(*) FROM keywords WHERE keywords MATCH ?"
    found = [word for word in words if 2 * connection.execute(query, [_match([word])]).fetchone()[0] < passages]
    return found or list(words)


def _best(connection: Any, words: Sequence[str], k: int, allowed: np.ndarray | None) -> list[tuple[int, float]]:
    """Id and BM25 of the best passages for those words, out of those allowed."""
    if not words:
        return []
    query = "SELECT rowid, -bm25(keywords) AS score FROM keywords WHERE keywords MATCH ?"
    values: list[Any] = [_match(words)]
    if allowed is not None:
        # The plus keeps SQLite from asking FTS5 anew for each id.
        query += " AND +rowid IN (SELECT value FROM json_each(?))"
        values.append(json.dumps(allowed.tolist()))
    query += " ORDER BY score DESC, rowid LIMIT ?"
    return connection.execute(query, [*values, min(k, MOST_ROWS)]).fetchall()


def _match(words: Sequence[str]) -> str:
    """FTS5's query for any of the words; in quotation marks nothing is an operator."""
    return " OR ".join(f'"{word}"' for word in words)
