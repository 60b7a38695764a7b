"""What an index must hold and answer: documents in a dict, vectors in numpy, brute force; it knows nothing of storage."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from searcher import Embedder
from searcher.records import Passage

WORDS_IN_PASSAGE = 8  # every word below is one token; 8 and two special tokens are the CHUNK_TOKENS
CHUNK_TOKENS = 10
POOLINGS = ["mean", "cls"]
NEAR = 2e-5  # how far two forward passes of one model may be apart in a cosine
# From none to four passages; the first eight words of some are the same, so that passages of equal text come and go.
TEXTS = [
    " ",
    "the bank of the river",
    "money in the bank",
    "hello world",
    "a boat is tied to the bank near water",
    "a boat is tied to the bank near water and the river flows",
    "a boat is tied to the bank near water and money we keep in our account",
    "北 京 是 中 国",
    "we keep our account open",
    "question answer passage vector token search index model layer pooling sentence document text window test",
    "one two three year test window text document sentence pooling layer model index search token vector passage answer",
    " ".join(["the river of money flows near a window"] * 4),
    "layer",
    "year one year two year three",
]
QUESTIONS = ["river bank", "money", "vector search model", "hello water", "中 国", "test year two"]
METADATA: list[dict[str, Any]] = [
    {},
    {"lang": "en", "n": 1},
    {"lang": "de", "n": 2.5},
    {"lang": "en", "n": None},
    {"n": 3, "author": {"name": "Ada"}, "tags": ["x", "y"]},
    {"lang": "en", "n": 4, "ok": True},
]


@dataclass(frozen=True)
class Held:
    """A document as it was given."""

    key: str
    text: str
    metadata: Mapping[str, Any]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# A filter, the key that must be known for it, and what it means: document and the start of a passage → allowed.
FILTERS: list[tuple[Any, str, Callable[[Held, int], bool]]] = [
    ("lang = 'en'", "lang", lambda held, _: held.metadata.get("lang") == "en"),
    ({"lang": "de"}, "lang", lambda held, _: held.metadata.get("lang") == "de"),
    ("lang != 'en'", "lang", lambda held, _: held.metadata.get("lang") not in ("en", None)),
    ("not lang = 'en'", "lang", lambda held, _: held.metadata.get("lang") != "en"),
    ("n >= 2", "n", lambda held, _: _is_number(held.metadata.get("n")) and held.metadata["n"] >= 2),
    ("n is null", "n", lambda held, _: held.metadata.get("n") is None),
    ("id = 'b' or id in ('c', 'd')", "id", lambda held, _: held.key in ("b", "c", "d")),
    ("id like 'E%'", "id", lambda held, _: held.key == "e"),
    ("kind = 'text' and line = 1", "kind", lambda held, start: True),
    ("section is not null", "section", lambda held, start: False),
    ("author.name = 'Ada'", "author", lambda held, _: held.metadata.get("author") == {"name": "Ada"}),
]
COLUMNS = {"id", "kind", "section"}


def spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each passage of a text of single words: eight words each."""
    words, found, at = text.split(), [], 0
    for first in range(0, len(words), WORDS_IN_PASSAGE):
        own = " ".join(words[first : first + WORDS_IN_PASSAGE])
        start = text.index(own, at)
        at = start + len(own)
        found.append((start, at))
    return found


def _table(embedder: Embedder, texts: Iterable[str], kind: Any) -> dict[str, np.ndarray]:
    unique = sorted(set(texts))
    return dict(zip(unique, embedder.embed(unique, kind).astype(np.float64), strict=True))


@dataclass
class Vectors:
    """Text → unit vector (d,) float64 of all passages and questions that there can be, for each pooling."""

    model: Path
    passages: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    questions: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pieces = [text[start:end] for text in TEXTS for start, end in spans(text)]
        for pooling in POOLINGS:
            embedder = Embedder(self.model, pooling=pooling, normalize=True, dtype="fp32")
            self.passages[pooling] = _table(embedder, pieces, "passage")
            self.questions[pooling] = _table(embedder, QUESTIONS, "query")


class Oracle:
    """The documents that an index must hold, and what it must answer; a copy for what it may hold after a kill."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors, self.pooling = vectors, POOLINGS[0]
        self.documents: dict[str, Held] = {}

    # -- writes

    def changes(self, batch: Sequence[Held]) -> list[Held]:
        """Those of a batch that are not there as they are."""
        return [held for held in batch if self.documents.get(held.key) != held]

    def add(self, batch: Sequence[Held]) -> None:
        self.documents |= {held.key: held for held in batch}

    def remove(self, keys: Iterable[str]) -> None:
        self.documents = {key: held for key, held in self.documents.items() if key not in set(keys)}

    # -- answers

    def question(self, text: str) -> np.ndarray:
        return self.vectors.questions[self.pooling][text]

    def passages(self, allowed: Callable[[Held, int], bool] = lambda *_: True) -> dict[tuple[str, int], np.ndarray]:
        """(Key, start) → vector of every passage, or of those that are allowed."""
        table = self.vectors.passages[self.pooling]
        return {
            (held.key, start): table[held.text[start:end]]
            for held in self.documents.values()
            for start, end in spans(held.text)
            if allowed(held, start)
        }

    def mean(self, key: str) -> np.ndarray | None:
        """The direction of a document: of the mean of its vectors; None without passages."""
        own = [vector for (name, _), vector in self.passages().items() if name == key]
        return np.mean(own, axis=0) / np.linalg.norm(np.mean(own, axis=0)) if own else None

    def verify(
        self,
        hits: Sequence[Passage],
        query: np.ndarray,
        k: int,
        allowed: Callable[[Held, int], bool] = lambda *_: True,
        min_score: float = -2.0,
    ) -> None:
        """AssertionError unless the hits are the k nearest passages, whole and in order; equals may change places."""
        unit = query / np.linalg.norm(query)
        scores = {name: float(vector @ unit) for name, vector in self.passages(allowed).items()}
        best = sorted(scores.values(), reverse=True)[:k]
        least, most = (sum(score >= min_score + side for score in best) for side in (NEAR, -NEAR))
        assert least <= len(hits) <= most, (len(hits), least, most)
        assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
        assert len({(hit.id, hit.start) for hit in hits}) == len({hit.passage_id for hit in hits}) == len(hits)
        for hit, score in zip(hits, best, strict=False):
            held = self.documents[str(hit.id)]
            assert abs(scores[held.key, hit.start] - hit.score) < NEAR, hit
            assert abs(score - hit.score) < NEAR, hit
            assert (hit.start, hit.end) in spans(held.text), hit
            assert hit.text == held.text[hit.start : hit.end], hit
            assert (hit.metadata, hit.source, hit.line, hit.section) == (held.metadata, held.key, 1, None), hit
        assert sorted(hits, key=lambda hit: (-hit.score, hit.passage_id)) == list(hits)
