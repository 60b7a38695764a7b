"""Who holds the words of a question, as SQLite's FTS5 knows it: of every state, in a time that grows with the index."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from searcher.engines.words import Scored
from searcher.postings import weight

__all__ = ["KeywordTable"]

AT_ONCE = 128  # words that FTS5 scores in one query: its time grows with their square
MOST_ROWS = 2**31 - 1
MANY = 24  # of more words nearly every passage holds one that is needed: looking for those costs more than it saves
GREATEST = 2.2  # k1 + 1: the BM25 of a word is less than so many times its weight, however often a passage holds it
LISTED = "+rowid IN (SELECT value FROM json_each(?))"  # the plus keeps SQLite from asking FTS5 anew for each id
ENOUGH = 30  # passages for each hit, with the rarest words, tell how high the best ones score


class KeywordTable:
    """The keyword index of the state that a connection reads, as `Holding`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.passages = int(connection.execute("SELECT count(*) FROM passages").fetchone()[0])

    def held(self, word: str) -> int:
        """As in `Holding`."""
        query = "SELECT count(*) FROM keywords WHERE keywords MATCH ?"
        return int(self._connection.execute(query, [_match([word])]).fetchone()[0])

    def holds(self, word: str, ids: np.ndarray, most: int) -> tuple[int, np.ndarray]:
        """As in `Holding`."""
        query = "SELECT rowid FROM keywords WHERE keywords MATCH ? LIMIT ?"  # of a common word only the first are read
        holding = [row[0] for row in self._connection.execute(query, [_match([word]), most + 1])]
        return len(holding), np.isin(ids, holding)

    def best(self, held: Mapping[str, int], k: int, allowed: np.ndarray | None, others: Sequence[int]) -> Scored:
        """As in `Holding`."""
        k, connection = min(k, MOST_ROWS - len(others)), self._connection
        where, values = ("", []) if allowed is None else (f" AND {LISTED}", [json.dumps(allowed.tolist())])
        words = sorted(held, key=held.__getitem__)
        if len(words) > MANY:
            return _asked(connection, words, where, values, k, others)
        needed = _needed(held, words, self.passages, k, lambda rare: _asked(connection, rare, where, values, k, []))
        if len(needed) == len(words):
            return _asked(connection, words, where, values, k, others)
        # FTS5 finds passages in a moment; what takes time is the BM25 of each.
        fewer = f"{where} AND (+rowid IN (SELECT rowid FROM keywords WHERE keywords MATCH ?) OR {LISTED})"
        return _asked(connection, words, fewer, [*values, _match(needed), json.dumps(others)], k, others)


def _asked(
    connection: Any, words: Sequence[str], where: str, values: Sequence[str], k: int, others: Sequence[int]
) -> Scored:
    """Id and BM25 of the k best passages that hold a word and fit a condition, and of others that do, best first."""
    if len(words) > AT_ONCE:
        return _in_pieces(connection, words, where, values, k, others)
    query = (
        f"SELECT rowid, -bm25(keywords) AS score FROM keywords WHERE keywords MATCH ?{where}"
        f" ORDER BY {LISTED} DESC, score DESC, rowid LIMIT ?"
    )
    rows = connection.execute(query, [_match(words), *values, json.dumps(others), k + len(others)]).fetchall()
    rows.sort(key=lambda row: (-row[1], row[0]))
    wanted = set(others)
    return rows[:k] + [row for row in rows[k:] if row[0] in wanted]


def _in_pieces(
    connection: Any, words: Sequence[str], where: str, values: Sequence[str], k: int, others: Sequence[int]
) -> Scored:
    """As `_asked`, for any number of words: the BM25 of a question is the sum of that of its words."""
    query = f"SELECT rowid, -bm25(keywords) FROM keywords WHERE keywords MATCH ?{where}"
    numbers: np.ndarray = np.empty(0, np.int64)
    scores: np.ndarray = np.empty(0)
    for start in range(0, len(words), AT_ONCE):
        found = connection.execute(query, [_match(words[start : start + AT_ONCE]), *values]).fetchall()
        rows = np.array(found, [("id", np.int64), ("score", np.float64)])
        numbers, owner = np.unique(np.append(numbers, rows["id"]), return_inverse=True)
        scores = np.bincount(owner, np.append(scores, rows["score"]), len(numbers))
    order, wanted = np.lexsort((numbers, -scores)), set(others)
    ranked = list(zip(numbers[order].tolist(), scores[order].tolist(), strict=True))
    return ranked[:k] + [row for row in ranked[k:] if row[0] in wanted]


def _needed(
    held: Mapping[str, int],
    words: Sequence[str],
    passages: int,
    k: int,
    found: Callable[[Sequence[str]], Scored],
) -> Sequence[str]:
    """Those of the words, the rarest first, of which each of the k best passages holds one.

    MaxScore (Turtle & Flood 1995): the rarest words alone give k passages of some score, which one that holds none but
    the commonest cannot have.
    """
    many = np.cumsum([held[word] for word in words])
    rare = int(np.searchsorted(many, ENOUGH * k)) + 1
    if rare >= len(words) or len(best := found(words[:rare])) < k:
        return words
    reached = best[-1][1] * (1 - 1e-9)
    weights = [weight(passages, held[word]) for word in words]
    most = np.cumsum(np.array(weights[::-1]) * GREATEST)  # of those that hold none but the one, two, … commonest
    return words[: len(words) - int(np.searchsorted(most, reached))]


def _match(words: Sequence[str]) -> str:
    """FTS5's query for any of the words; in quotation marks nothing is an operator."""
    return " OR ".join(f'"{word[:-1]}"*' if word.endswith("*") else f'"{word}"' for word in words)
