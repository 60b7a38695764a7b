"""What does it cost to keep documents by id, with vectors of somebody else, and to ask for many at once?

    SEARCHER_DATA=… python benchmarks/documents.py [--count 5000] [--rounds 3]

`put` of texts with given vectors against `add_texts` of the same texts with the encoder's work taken out (a model that
gives vectors of the same length at once); then 10,000 documents deleted by one filter; then 500 questions to an
`AsyncSearcher` at once against the same one by one. Medians over rounds in turn.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from common import in_turn, ratios, report, uneven_texts

from searcher import AsyncSearcher, Embedder, Searcher

WORDS = ["vector", "pooling", "window", "boiler", "river", "income", "heart", "cell", "protein", "index"]


def instant(self: Embedder, sequences: Any, kind: str = "passage", progress: Any = None) -> np.ndarray:
    """Vectors that cost nothing."""
    vectors = np.random.default_rng(0).standard_normal((len(sequences), self.dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def put(folder: str, texts: list[str], vectors: np.ndarray) -> None:
    """Texts with vectors, in a new index."""
    with tempfile.TemporaryDirectory(dir=folder) as own, Searcher(own, vectors="theirs") as index:
        index.put(texts, [f"{number}" for number in range(len(texts))], [{"n": 1}] * len(texts), vectors=vectors)


def add(folder: str, texts: list[str], embedder: Embedder) -> None:
    """The same texts, cut and tokenised but not encoded, in a new index."""
    with (
        tempfile.TemporaryDirectory(dir=folder) as own,
        Searcher(own) as index,
        patch.object(Embedder, "embed_sequences", instant),
    ):
        index._embedder, index._made_with = embedder, index._wanted.settings(embedder).fingerprint  # loaded already
        index.add_texts(texts, [f"{number}" for number in range(len(texts))], [{"n": 1}] * len(texts))


def deleted(folder: str, count: int) -> tuple[int, float]:
    """How many documents one filter removed, and the seconds."""
    with Searcher(Path(folder) / "deleted", vectors="theirs") as index:
        ids = [f"{number}" for number in range(count)]
        vectors = np.random.default_rng(1).standard_normal((count, 384), dtype=np.float32)
        index.put([f"text {key}" for key in ids], ids, [{"old": True}] * count, vectors=vectors)
        begun = time.perf_counter()
        return index.delete(where="old = true"), time.perf_counter() - begun


async def together(folder: str, questions: list[str]) -> None:
    """All questions at once."""
    async with AsyncSearcher(folder) as index:
        await asyncio.gather(*(index.search(text) for text in questions))


def one_by_one(folder: str, questions: list[str]) -> None:
    """One question after the other."""
    with Searcher(folder) as index:
        for text in questions:
            index.search(text)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    texts = [text[:400] for text in uneven_texts(arguments.count)]
    vectors = np.random.default_rng(0).standard_normal((len(texts), 384), dtype=np.float32)
    embedder = Embedder(normalize=True)
    questions = [f"{WORDS[n % 10]} {WORDS[n // 10 % 10]} {n}" for n in range(500)]
    with tempfile.TemporaryDirectory() as folder:
        writing = in_turn(
            {"put": lambda: put(folder, texts, vectors), "add_texts": lambda: add(folder, texts, embedder)},
            arguments.rounds,
        )
        removed, seconds = deleted(folder, 10_000)
        asked = str(Path(folder) / "asked")
        with Searcher(asked) as index:
            index.add_texts(texts[:1000])
        asking = in_turn(
            {"async": lambda: asyncio.run(together(asked, questions)), "in turn": lambda: one_by_one(asked, questions)},
            arguments.rounds,
        )
    report(
        "documents",
        {
            "texts": len(texts),
            "put_seconds": round(statistics.median(writing["put"]), 3),
            "add_texts_without_encoder_seconds": round(statistics.median(writing["add_texts"]), 3),
            "put_times_as_fast": [round(value, 2) for value in ratios(writing, "put", "add_texts")],
            "deleted": removed,
            "delete_seconds": round(seconds, 3),
            "async_500_seconds": round(statistics.median(asking["async"]), 3),
            "in_turn_500_seconds": round(statistics.median(asking["in turn"]), 3),
            "async_times_as_fast": [round(value, 2) for value in ratios(asking, "async", "in turn")],
        },
    )


if __name__ == "__main__":
    main()
