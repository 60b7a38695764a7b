"""The texts and vectors of `scale.py`: sentences and short windows of the corpora, and real questions; made once, kept.

Sentences come first, then windows of 12 words, 3 words apart, until there are enough; no text twice. Questions are those
of SciFact, XQuAD in English and stackfaq: nobody's sentence is its own question.
"""

import hashlib
import json
import os
import random
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from common import data_folder

from searcher import Embedder

COUNT = 624_712  # of the founding figure
WINDOW, STEP = 12, 3  # words
QUESTIONS = 1000


def cached(count: int = COUNT, folder: Path | None = None) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Texts (n), their vectors (n, d) float32, mapped, and those of 1,000 questions (q, d)."""
    folder = folder or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "searcher-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    texts = list(islice(unlike(all_texts()), count))
    name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
    made, asked = folder / f"{name}.npy", folder / f"{name}-questions.npy"
    if not made.exists() or not asked.exists():
        embedder = Embedder()
        np.save(asked, embedder.embed(questions(), "query"))
        draft = folder / f"{name}.tmp.npy"
        vectors = np.lib.format.open_memmap(draft, "w+", np.float32, (len(texts), embedder.dimension))
        for start in range(0, len(texts), 20_000):
            vectors[start : start + 20_000] = embedder.embed(texts[start : start + 20_000])
            print(f"\r{start + 20_000:,} of {len(texts):,} embedded", end="", flush=True)
        vectors.flush()
        draft.rename(made)
    return texts, np.load(made, mmap_mode="r"), np.load(asked)


def all_texts() -> Iterator[str]:
    """Every sentence, then every window."""
    bodies = list(documents())
    random.Random(0).shuffle(bodies)
    for body in bodies:
        yield from (part for part in re.split(r"(?<=[.!?])\s+|\n{2,}", body) if 20 <= len(part) <= 400)
    for body in bodies:
        words = body.split()
        for start in range(0, len(words) - WINDOW, STEP):
            yield " ".join(words[start : start + WINDOW])


def documents() -> Iterator[str]:
    """The bodies of all corpora and of the plain files."""
    for name in ("scifact", "cranfield", "xquad"):
        for row in lines(data_folder() / name / "corpus.jsonl"):
            yield f"{row.get('title', '')}. {row['text']}"
    for path in sorted((data_folder() / "documents").rglob("*")):
        if path.suffix in (".md", ".rst", ".txt", ".html"):
            text = path.read_text(encoding="utf-8", errors="ignore")
            yield (
                re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]*>", " ", text, flags=re.DOTALL)
                if path.suffix == ".html"
                else text
            )


def questions() -> list[str]:
    """1,000 real questions, drawn with a seed."""
    found = []
    for name in ("scifact", "xquad", "stackfaq"):
        rows = lines(data_folder() / name / "queries.jsonl")
        found += [row["text"] for row in rows if name != "xquad" or row["_id"].startswith("en")]
    return random.Random(0).sample(found, QUESTIONS)


def lines(path: Path) -> Iterator[dict[str, str]]:
    """The objects of a JSONL file."""
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def unlike(texts: Iterable[str]) -> Iterator[str]:
    """Each text the first time."""
    seen: set[str] = set()
    for text in texts:
        if text not in seen:
            seen.add(text)
            yield text
