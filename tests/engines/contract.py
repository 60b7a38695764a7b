"""What the contract of engines is tried with: documents and vectors made up here, and what numpy says of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from searcher.embedding import IndexSettings
from searcher.engines import Engine
from searcher.filters import parse
from searcher.filters.passing import lets_through
from searcher.places import place_at
from searcher.records import Chunk, Document, Prepared, Row

DIMENSION = 16
SETTINGS = IndexSettings("made-up", "0" * 64, "1" * 64, {"layers": 1}, "mean", [1], "", True, "", "", False, DIMENSION, 64, 0)  # fmt: skip
RANDOM = np.random.default_rng(7)


def units(count: int, random: np.random.Generator = RANDOM) -> np.ndarray:
    """Vectors (count, DIMENSION) float32 of unit length."""
    vectors = random.standard_normal((count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def prepared(
    source: str, passages: Sequence[str] = ("a text",), vectors: np.ndarray | None = None, file: str | None = None,
    given: Sequence[np.ndarray | None] | None = None, **more: Any,
) -> Prepared:  # fmt: skip
    """A document of those passages, which stand in it one after the other."""
    text, chunks = "\n\n".join(passages), []
    at = 0
    for passage in passages:
        chunks.append(Chunk(at, at + len(passage), (), len(passage.split())))
        at += len(passage) + 2
    document = Document(source, text, **more)
    return Prepared(
        document, document.digest(), file, chunks, units(len(passages)) if vectors is None else vectors, given
    )


@dataclass
class Oracle:
    """What an engine has to hold and answer, out of a dict and numpy alone."""

    items: dict[str, Prepared] = field(default_factory=dict)

    def put(self, *items: Prepared) -> None:
        self.items |= {item.document.source: item for item in items}

    @property
    def passages(self) -> list[tuple[str, int, np.ndarray]]:
        """Source, start and vector of each."""
        return [
            (source, chunk.start, vector)
            for source, item in self.items.items()
            for chunk, vector in zip(item.chunks, item.vectors, strict=True)
        ]

    def allowed(self, where: str) -> set[tuple[str, int]]:
        """Source and start of the passages that a filter on documents and places allows."""
        tree, found = parse(where), set()
        for source, item in self.items.items():
            document = item.document
            columns = {"source": source, "id": document.id, "title": document.title, "kind": document.kind}
            for chunk in item.chunks:
                place = place_at(document.places, chunk.start) or {}
                if lets_through(tree, columns | {"line": None, "section": None} | place, document.metadata):
                    found.add((source, chunk.start))
        return found

    def nearest(self, vector: np.ndarray, k: int, among: set[tuple[str, int]] | None = None) -> list[tuple[float, tuple[str, int]]]:  # fmt: skip
        """Score, and source and start, of the k nearest passages, best first."""
        scored = [
            (float(own @ vector), (source, start))
            for source, start, own in self.passages
            if among is None or (source, start) in among
        ]
        return sorted(scored, key=lambda pair: -pair[0])[:k]

    def check(self, engine: Engine, questions: np.ndarray, k: int = 5, where: str | None = None) -> None:
        """The engine finds what it should, with those scores."""
        among = None if where is None else self.allowed(where)
        found = engine.nearest(questions, k, None if where is None else parse(where))
        for vector, hits in zip(questions, found, strict=True):
            expected = self.nearest(vector, k, among)
            assert [place_of(row) for _, row in hits] == [place for _, place in expected], where
            np.testing.assert_allclose([score for score, _ in hits], [score for score, _ in expected], atol=1e-6)
            for score, row in hits:
                assert row.text == self.items[row.source].document.text[row.start : row.end]
                assert row.metadata == dict(self.items[row.source].document.metadata)
                assert score == max(-1.0, min(1.0, float(np.dot(row.vector, vector))))


def place_of(row: Row) -> tuple[str, int]:
    return row.source, row.start


@dataclass(frozen=True)
class Place:
    """Where a test has its index. open: it, made where there is none. leave: closes it as the end of a process does."""

    name: str
    open: Callable[[], Engine]
    leave: Callable[[Engine], None]


METADATA: list[Mapping[str, Any]] = [
    {},
    {"lang": "en", "n": 1, "tags": ["x", "y"]},
    {"lang": "de", "n": 2.5},
    {"lang": 'e"n\\', "n": None, "author": {"name": "Ada"}},
    {"lang": "en", "n": 2**53 + 1, "ok": True, "day": "2026-01-31"},
    {"n": "3", "ok": 1, "day": "2025-01-31T10:00+02:00"},
]
FILTERS = [
    "lang = 'en'", "lang != 'en'", "not lang = 'en'", "lang is null", "n >= 2", "n > 9007199254740992", "n = '3'", "ok = true",
    "ok = 1", "'x' in tags", "author.name = 'Ada'", "lang = 'e\"n\\'", "lang like 'E%'", "lang contains 'n'", "date(day) > '2025-06-01'",
    "id = 'k3' or id in ('k1', 'k4')", "title = 'Title 2'", "source = 'doc 4'", "page = 2", "kind = 'text' and n is not null",
    "lang in ('de', 'en') and not (n = 1)",
]  # fmt: skip


def filled(engine: Engine) -> Oracle:
    """Twelve documents of none to four passages."""
    oracle = Oracle()
    for number in range(12):
        places = ((0, {"page": 1}), (9, {"page": 2})) if number % 3 == 0 else ()
        texts = [f"passage {place} of document {number}" for place in range(number % 5)]
        oracle.put(
            prepared(f"doc {number}", texts, title=f"Title {number}", id=f"k{number}", metadata=METADATA[number % 6],
                     places=places, file=f"/files/{number % 4}.csv" if number < 8 else None)
        )  # fmt: skip
    engine.write(list(oracle.items.values()), files=[("/files/1.csv", b"digest")])
    return oracle
