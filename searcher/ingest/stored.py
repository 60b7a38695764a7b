"""Which documents an index has already just so, passages and vectors to the bit: asked of many at once."""

from collections.abc import Sequence
from itertools import chain

import numpy as np

from searcher.engines import Engine, Kept
from searcher.records import Prepared

__all__ = ["missing"]


def missing(engine: Engine, items: Sequence[Prepared]) -> list[Prepared]:
    """Those of some documents, no two of one source, that are not there, or not just so. Call in `reading`."""
    there = engine.named("source", [item.document.source for item in items])
    kept = dict(engine.kept(chain.from_iterable(there.values())))

    def is_there(item: Prepared) -> bool:
        return any(number in kept and _alike(kept[number], item) for number in there.get(item.document.source, ()))

    return [item for item in items if not is_there(item)]


def _alike(kept: Kept, item: Prepared) -> bool:
    return (
        (kept.digest, kept.file, kept.chunks) == (item.digest, item.file, list(item.chunks))
        and kept.vectors.tobytes() == item.vectors.tobytes()
        and _bits(kept.given) == _bits(item.given)
    )


def _bits(vectors: Sequence[np.ndarray | None] | None) -> list[bytes | None]:
    return [None if vector is None else vector.tobytes() for vector in vectors or ()]
