"""Documents as nobody would write them, and indexes of them with vectors that no model made."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from searcher import Document
from searcher.embedding import IndexSettings
from searcher.engines import LocalEngine
from searcher.records import Chunk, Prepared

__all__ = ["documents", "made", "names", "of_documents", "settings_of", "with_passages"]

DIMENSION = 8

names = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=9)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
documents = st.builds(
    Document, source=names.filter(bool), text=st.text(st.characters(blacklist_categories=["Cs"]), max_size=40),
    title=st.none() | names, id=st.none() | names, metadata=st.dictionaries(names, values, max_size=3),
    sections=st.lists(st.tuples(st.integers(0, 40), names), max_size=3).map(lambda found: tuple(sorted(found))),
    breaks=st.lists(st.integers(0, 40), max_size=3).map(tuple), first_line=st.integers(1, 9),
    kind=st.sampled_from(["text", "faq"]), payload=values,
)  # fmt: skip


def settings_of(given: bool = False, dimension: int = DIMENSION, **others: object) -> IndexSettings:
    """Settings of an index whose vectors are given, or made by a model that is nowhere."""
    own = IndexSettings.of_given("theirs", dimension)
    values = vars(own) | ({} if given else {"weights": "digest", "pooling": "mean", "layers": [-1], "chunk_tokens": 9})
    return IndexSettings(**values | others)


def with_passages(
    document: Document, settings: IndexSettings, cuts: Sequence[int], file: str | None = None, seed: int = 0
) -> Prepared:
    """A document with a passage from each cut to its end; of given vectors every third is none, every fourth zeros."""
    size, random = len(document.text), np.random.default_rng([size_of(document), seed])
    chunks = [Chunk(at, size, (), 1) for at in sorted(cuts) if at < size]
    vectors = random.normal(size=(len(chunks), settings.dimension)).astype(np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    given: list[np.ndarray | None] | None = None
    if settings.given:
        given = [None if at % 3 == 2 else np.zeros_like(own) if at % 4 == 3 else own for at, own in enumerate(vectors)]
        units[[own is None or not own.any() for own in given]] = 0
    return Prepared(document, document.digest(), file, chunks, units, given)


def size_of(document: Document) -> int:
    """A number that is the same for the same document."""
    return int.from_bytes(document.digest()[:4], "little")


def made(
    folder: Path, items: Sequence[Prepared], settings: IndexSettings, files: Sequence[tuple[str, bytes]] = ()
) -> LocalEngine:
    """An index of them in a folder."""
    engine = LocalEngine(folder, create=True)
    engine.settle(settings)
    engine.write(items, files=files)
    return engine


def of_documents(count: int, settings: IndexSettings, passages: int = 3) -> list[Prepared]:
    """So many documents, two from each file, each with metadata and so many passages."""
    return [
        with_passages(
            Document(f"s{number}", f"text number {number} " * passages, f"T{number}", f"k{number}", {"n": number}),
            settings, [15 * at for at in range(passages)], f"/files/{number // 2}.md",
        )
        for number in range(count)
    ]  # fmt: skip
