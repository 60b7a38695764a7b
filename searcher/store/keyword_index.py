"""The keyword index: which words of a passage it holds, how passages come and go, how it is made anew and verified.

It is a table of SQLite's FTS5. Words are what stands between spaces and punctuation, spelled once (text/words.py),
without case, diacritics and English endings (Porter 1980). Scripts without spaces are indexed as single characters and
pairs of them; signs that tell names and numbers apart, and pictures, as words behind the text (text/signs.py).
"""

import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from searcher.errors import DamagedIndex
from searcher.store.separators import SEPARATORS
from searcher.text import signs_of, spelled_once

__all__ = [
    "KEYWORD_FAULT", "enter", "holding", "leave", "misspaced", "pairs", "rebuild", "runs_of", "spaced",
    "verify",
]  # fmt: skip

# Thai, Lao, Burmese, Khmer; kana, Han and Hangul, which has spaces but joins words with their endings.
UNSPACED = (  # compiled when first met: that takes longer than all else that is imported here
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
VARIANTS = re.compile("[\ufb00-\ufb06\uff00-\uffef]+")  # ligatures, full and half width: written otherwise, read alike
ROWS = 1000  # passages read in one piece
KEYWORD_FAULT = "the keyword index does not hold the words of the passages; searcher check --repair makes it anew"


def spaced(text: str) -> str:
    """A text as FTS5 is to see it.

    >>> spaced("日本の首都 is Tōkyō")
    ' 日 本 の 首 都 日本 本の の首 首都  is Tōkyō'
    >>> spaced("C++ is no C")
    'C++ is no C Cplusplus'
    """
    whole = _spaced(text, lambda run: [*run, *pairs(run)])
    parted = whole if whole.isascii() else re.sub(SEPARATORS, " ", whole)
    return " ".join([parted, *_said_by_signs(whole)])


def pairs(run: str) -> list[str]:
    """Each two characters that stand together.

    >>> pairs("日本の")
    ['日本', '本の']
    """
    return [run[at : at + 2] for at in range(len(run) - 1)]


def asked(question: str) -> str:
    """A question in the words that are looked for: pairs, and only what stands alone as a single character.

    >>> asked("日本の家 is 大?")
    ' 日本 本の の家  is  大 ?'
    """
    paired = _paired(question)
    return " ".join([paired, *_said_by_signs(paired)])


def _paired(question: str) -> str:
    return _spaced(question, lambda run: pairs(run) or [run])


def _said_by_signs(text: str, numbers: bool = True) -> list[str]:
    return [word for _, word in signs_of(text, numbers)]


def _spaced(text: str, words: Callable[[str], Sequence[str]]) -> str:
    if text.isascii():
        return text
    text = spelled_once(text)
    text = VARIANTS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    return re.sub(UNSPACED, lambda found: f" {' '.join(words(found[0]))} ", text)


def holding(connection: Any, phrase: str) -> np.ndarray:
    """Ids of the passages that hold words one after the other, rising; of a script without spaces, its runs. (n,) int64

    All, for a phrase without a word: what nobody can see is asked of none.
    """
    if not (runs := runs_of(phrase)):
        rows = connection.execute("SELECT id FROM passages ORDER BY id")
    else:
        quoted = " AND ".join(f'"{run}"' for run in runs)
        rows = connection.execute("SELECT rowid FROM keywords WHERE keywords MATCH ? ORDER BY rowid", [quoted])
    return np.fromiter((number for (number,) in rows), np.int64)


def runs_of(phrase: str) -> list[str]:
    """The stretches of a phrase whose words stand one after the other, each as FTS5 is to see it; what signs say.

    Not what numbers say: that their parts stand together is said by the stretch.
    """
    parts = [_paired(part) for part in _parts(spelled_once(phrase))]
    stretches = [_words(run) for run in parts if any(map(str.isalnum, run))]
    return [*stretches, *_said_by_signs(" ".join(parts), numbers=False)]


def _parts(phrase: str) -> list[str]:
    """What is of scripts without spaces, and what lies between.

    >>> _parts("日本の home")
    ['', '日本の', ' home']
    """
    edges = [0, *(edge for found in re.finditer(UNSPACED, phrase) for edge in found.span()), len(phrase)]
    return [phrase[start:end] for start, end in pairwise(edges)]


def _words(text: str) -> str:
    """A text in which every sign that is part of no word is a space, as it is to FTS5."""
    return "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text)


def enter(connection: Any, passages: Iterable[tuple[int, str]]) -> None:
    """Index passages, (id, text), whose rows are there."""
    rows = [(number, text, spaced(text)) for number, text in passages]
    connection.executemany("INSERT INTO keyword_spaced VALUES (?, ?, ?)", _other(rows))
    connection.executemany("INSERT INTO keywords (rowid, text) VALUES (?, ?)", [(row[0], row[2]) for row in rows])


def leave(connection: Any, passages: str, values: Sequence[Any]) -> None:
    """Take passages out, before their rows go; passages: SQL that selects their ids, with its values.

    A trigger could not do it: SQLite 3.40 lets none write to FTS5 while the schema is not trusted.
    """
    connection.execute(
        "INSERT INTO keywords (keywords, rowid, text)"
        f" SELECT 'delete', id, text FROM keyword_texts WHERE id IN ({passages})",
        values,
    )


def rebuild(connection: Any) -> None:
    """Make the index anew of all passages, with no trace of any other."""
    connection.execute("DELETE FROM keyword_spaced")
    last = 0
    query = "SELECT id, text FROM passages WHERE id > ? AND typeof(text) = 'text' ORDER BY id LIMIT ?"
    while rows := connection.execute(query, [last, ROWS]).fetchall():
        last = rows[-1][0]
        connection.executemany(
            "INSERT INTO keyword_spaced VALUES (?, ?, ?)", _other((number, text, spaced(text)) for number, text in rows)
        )
    for command in ("rebuild", "optimize"):
        connection.execute("INSERT INTO keywords (keywords) VALUES (?)", [command])


def _other(rows: Iterable[tuple[int, str, str]]) -> list[tuple[int, bool, str]]:
    """Of passages that are indexed by another text than their own: id, whether that begins with it, and the rest."""
    return [(number, *kept) for number, text, indexed in rows if (kept := _kept(text, indexed))]


def _kept(text: str, indexed: str) -> tuple[bool, str] | None:
    """Of one of them, None of any other."""
    if indexed == text:
        return None
    return (True, indexed[len(text) :]) if indexed.startswith(text) else (False, indexed)


def misspaced(connection: Any) -> bool:
    """Whether a passage would be indexed by another text than it was, or has no entry, or an entry has no passage."""
    rows = connection.execute(
        "SELECT p.text, s.behind, s.text FROM passages p LEFT JOIN keyword_spaced s ON s.id = p.id"
        " WHERE typeof(p.text) = 'text'"
    )
    if any((None if behind is None else (behind, rest)) != _kept(text, spaced(text)) for text, behind, rest in rows):
        return True
    ids = [f"SELECT id FROM {table}" for table in ("passages", "keywords_docsize", "keyword_spaced")]
    unpaired = (f"{ids[0]} EXCEPT {ids[1]}", f"{ids[1]} EXCEPT {ids[0]}", f"{ids[2]} EXCEPT {ids[0]}")
    return any(connection.execute(query).fetchone() for query in unpaired)


def verify(connection: Any) -> None:
    """DamagedIndex unless the index holds the words of the passages. Call inside `rehearsing`: FTS5 writes for it."""
    try:
        connection.execute("INSERT INTO keywords (keywords, rank) VALUES ('integrity-check', 1)")
    except sqlite3.DatabaseError as fault:
        if getattr(fault, "sqlite_errorcode", 0) != sqlite3.SQLITE_CORRUPT_VTAB:
            raise
        raise DamagedIndex(KEYWORD_FAULT) from None
