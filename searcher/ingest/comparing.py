"""Whether two indexes hold the same and find the same: counts, documents read again, a sample of scores."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from searcher.engines import Effort, Engine, Hit, LocalEngine
from searcher.ingest.stored import missing
from searcher.system import shown

__all__ = ["Likeness", "likeness"]

DRAWN = 20  # passages whose vectors are searched in both, and whose documents are read again
K = 10
ROUNDING = 1e-4  # of a cosine: every engine computes it from the stored vector, in an order of its own
LEAST = 0.8  # of the nearest, on average, below which more is wrong than that an engine's index is approximate

Key = tuple[str, int, int]  # source, start and end of a passage


class Likeness(NamedTuple):
    """How alike two indexes are. searched: vectors of the one that were looked for in both.

    overlap: the least share of the 10 nearest there that are found here too; difference: the greatest of their cosines,
    None where nothing was searched. wrong: what is not alike, in a line; None where all is.
    """

    searched: int
    overlap: float | None
    difference: float | None
    wrong: str | None

    def __str__(self) -> str:
        if self.overlap is None:
            return "there was no vector to be searched in both"
        return (
            f"{self.searched} vectors searched in both: at least {self.overlap:.0%} of the {K} nearest are the same, "
            f"cosines differ by {self.difference:.1g} at most"
        )


def likeness(source: Engine, target: Engine, documents: int = 0, passages: int = 0) -> Likeness:
    """How alike a copy is to its source. documents, passages: so many more it holds. Call in `reading` of both."""
    there, here = source.counts(), target.counts()
    wanted = {"documents": there["documents"] + documents, "passages": there["passages"] + passages}
    wrong = [f"{here[name]:,} {name} are there, not {count:,}" for name, count in wanted.items() if here[name] != count]
    drawn = _drawn(source)
    rows = source.rows(drawn)
    items = [item for _, item in source.whole({row.document_id for row in rows.values()})]
    if unlike := missing(target, items):
        read = f"of {len(items)} documents read again {len(unlike)} are not as they were"
        wrong.append(f"{read}, such as {shown(unlike[0].document.source)}")
    vectors = np.array([row.vector for row in rows.values() if row.vector.any()], np.float32)
    searched = list(_searched(source, target, vectors)) if len(vectors) else []
    overlap = min((share for share, _ in searched), default=None)
    difference = max((apart for _, apart in searched), default=None)
    if searched and (mean := sum(share for share, _ in searched) / len(searched)) < LEAST:
        wrong.append(f"of the {K} nearest of a vector only {mean:.0%} are found there")
    if difference is not None and difference > ROUNDING:
        wrong.append(f"a cosine is another by {difference:.2g}")
    return Likeness(len(searched), overlap, difference, "; ".join(wrong) or None)


def _drawn(engine: Engine) -> list[int]:
    """Ids of passages drawn from all, the same each time."""
    ids = engine.passage_ids()
    return sorted(np.random.default_rng(0).choice(ids, min(DRAWN, len(ids)), replace=False).tolist())


def _searched(source: Engine, target: Engine, vectors: np.ndarray) -> Iterator[tuple[float, float]]:
    """For each vector: the share of what is nearest to it there that is found here, and how far cosines are apart.

    vectors: (n, d) float32. What is found but for passages that are as near, or nearer and only here, counts as found.
    """
    # A server would have to send every vector for an exact answer: it answers as it does to anybody.
    hits = [
        engine.nearest(vectors, K, effort=Effort(exact=isinstance(engine, LocalEngine))) for engine in (source, target)
    ]
    for before, after in zip(*hits, strict=True):
        found = {_key(hit): hit[0] for hit in after}
        least = after[-1][0] + ROUNDING if len(after) == K else -2.0
        apart = [abs(found[_key(hit)] - hit[0]) for hit in before if _key(hit) in found]
        missing = sum(_key(hit) not in found and hit[0] > least for hit in before)
        yield 1 - missing / len(before), max(apart, default=0.0)


def _key(hit: Hit) -> Key:
    return hit[1].source, hit[1].start, hit[1].end
