"""A document out of an index, ready to be written to another: its text, its passages, their vectors to the bit."""

from collections.abc import Sequence

import numpy as np

from searcher.embedding import IndexSettings
from searcher.engines import Engine
from searcher.records import Chunk, Prepared

__all__ = ["is_there", "stored"]

Passages = tuple[list[Chunk], np.ndarray, list[np.ndarray | None] | None]


def stored(engine: Engine, number: int, settings: IndexSettings) -> Prepared:
    """A document by its id. settings: of the index. DamagedIndex if it is not what was written. Call in `reading`."""
    document = engine.document(number)
    return Prepared(document, document.digest(), engine.file_of(number), *_passages(engine, number, settings))


def is_there(engine: Engine, number: int, item: Prepared, settings: IndexSettings) -> bool:
    """Whether the document of that id is just that one, passages and vectors too, each to the bit."""
    if engine.known(item.document.source) != item.digest or engine.file_of(number) != item.file:
        return False
    chunks, vectors, given = _passages(engine, number, settings)
    return chunks == item.chunks and vectors.tobytes() == item.vectors.tobytes() and _bits(given) == _bits(item.given)


def _passages(engine: Engine, number: int, settings: IndexSettings) -> Passages:
    """Where the passages of a document stand, their vectors (n, d) float32, and as they were given, if they were."""
    places = engine.places(number)
    chunks = [Chunk(start, end, (), tokens) for start, end, _, _, tokens, _ in places]
    vectors = np.array([vector for *_, vector in places], np.float32).reshape(len(places), settings.dimension)
    if not settings.given:
        return chunks, vectors, None
    ids = engine.passage_ids(number).tolist()
    found = engine.given(ids)
    return chunks, vectors, [found[passage] for passage in ids]


def _bits(vectors: Sequence[np.ndarray | None] | None) -> list[bytes | None]:
    return [None if vector is None else vector.tobytes() for vector in vectors or ()]
