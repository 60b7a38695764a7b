"""Questions to the keyword index: BM25 as FTS5 computes it (Robertson & Zaragoza 2009; k1 1.2, b 0.75)."""

import json
from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import Any
from unicodedata import category

import numpy as np

from searcher.store import Store, asked

__all__ = ["by_words", "rarest", "terms"]

AT_ONCE = 128  # words that FTS5 scores in one query: its time grows with their square
MOST_ROWS = 2**31 - 1
MANY = 24  # of more words nearly every passage holds one that is needed: looking for those costs more than it saves
GREATEST = 2.2  # k1 + 1: the BM25 of a word is less than so many times its weight, however often a passage holds it
LISTED = "+rowid IN (SELECT value FROM json_each(?))"  # the plus keeps SQLite from asking FTS5 anew for each id
COMMON = 150  # a word that more than one in so many passages holds is not rare
ENOUGH = 30  # passages for each hit, with the rarest words, tell how high the best ones score


def terms(question: str) -> list[str]:
    """The different words of a question, as they are looked for, in their order; pairs where there are no spaces.

    A word with a star is every word that begins so.

    >>> terms('What is "BM25", what NOT* or 2 * 3? 首都')
    ['What', 'is', 'BM25', 'NOT*', 'or', '2', '3', '首都']
    """
    # Letters, digits and marks: every other character is a space to FTS5. It folds their case: ß is not ss to it.
    spaces = "".join(c if c.isalnum() or c == "*" or category(c)[0] == "M" else " " for c in asked(question))
    words: dict[str, str] = {}
    for run in spaces.split():
        for word in run.replace("*", "* ").split():
            if word != "*":
                words.setdefault(word.casefold(), word)
    return list(words.values())


def by_words(
    store: Store, question: str, k: int, allowed: np.ndarray | None = None, others: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """The k passages with the highest BM25 for any of a question's words; and those of others that hold one.

    -> ids (n,) int64, scores (n,) float32, positive, best first, equals by id: the first k, if so many hold a word, are
    the k best of all. allowed: (m,) ids out of which the answers come; the weights of the words are those of the whole
    index.
    """
    words = terms(question)
    with store.database.reading() as connection:
        (passages,) = connection.execute("SELECT count(*) FROM passages").fetchone()
        holding = "SELECT count(*) FROM keywords WHERE keywords MATCH ?"
        held = {word: connection.execute(holding, [_match([word])]).fetchone()[0] for word in words}
        # To FTS5 the words that half of the passages hold weigh 1e-6, and most time would go into them.
        telling = {word: count for word, count in held.items() if 2 * count < passages} or held
        rows = _best(connection, telling, passages, k, allowed, others)
        if len(rows) < k and len(telling) < len(held):
            rows = _best(connection, held, passages, k, allowed, others)
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float32)


def rarest(store: Store, question: str, ids: np.ndarray) -> np.ndarray:
    """The weight, in nats, of the rarest word of a question that each of some passages holds; 0 for common words alone.

    ids: (n,) int64, rising -> (n,) float32.
    """
    weights = np.zeros(len(ids), np.float32)
    with store.database.reading() as connection:
        (passages,) = connection.execute("SELECT count(*) FROM passages").fetchone()
        most = passages // COMMON
        for word in terms(question) if most else []:
            some = (
                "SELECT rowid FROM keywords WHERE keywords MATCH ? LIMIT ?"  # of a common word only the first are read
            )
            holding = [row[0] for row in connection.execute(some, [_match([word]), most + 1])]
            if 0 < len(holding) <= most:
                held = np.isin(ids, holding)
                weights[held] = np.maximum(weights[held], _weight(passages, len(holding)))
    return weights


def _weight(passages: int, holding: int) -> float:
    """What BM25 has for the weight of a word that so many of the passages hold, as FTS5 bounds it."""
    return max(log((max(passages - holding, 0) + 0.5) / (holding + 0.5)), 1e-6)


def _best(
    connection: Any, held: Mapping[str, int], passages: int, k: int, allowed: np.ndarray | None, others: Sequence[int]
) -> list[tuple[int, float]]:
    """Id and BM25 of the best passages for words, out of those allowed, and of others, best first.

    held: word → in how many passages it is.
    """
    if not held:
        return []
    k = min(k, MOST_ROWS - len(others))
    where, values = ("", []) if allowed is None else (f" AND {LISTED}", [json.dumps(allowed.tolist())])
    words = sorted(held, key=held.__getitem__)
    if len(words) > MANY:
        return _asked(connection, words, where, values, k, others)
    needed = _needed(held, words, passages, k, lambda rare: _asked(connection, rare, where, values, k, []))
    if len(needed) == len(words):
        return _asked(connection, words, where, values, k, others)
    # FTS5 finds passages in a moment; what takes time is the BM25 of each.
    fewer = f"{where} AND (+rowid IN (SELECT rowid FROM keywords WHERE keywords MATCH ?) OR {LISTED})"
    return _asked(connection, words, fewer, [*values, _match(needed), json.dumps(others)], k, others)


def _asked(
    connection: Any, words: Sequence[str], where: str, values: Sequence[str], k: int, others: Sequence[int]
) -> list[tuple[int, float]]:
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
) -> list[tuple[int, float]]:
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
    found: Callable[[Sequence[str]], list[tuple[int, float]]],
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
    weights = [_weight(passages, held[word]) for word in words]
    most = np.cumsum(np.array(weights[::-1]) * GREATEST)  # of those that hold none but the one, two, … commonest
    return words[: len(words) - int(np.searchsorted(most, reached))]


def _match(words: Sequence[str]) -> str:
    """FTS5's query for any of the words; in quotation marks nothing is an operator."""
    return " OR ".join(f'"{word[:-1]}"*' if word.endswith("*") else f'"{word}"' for word in words)
