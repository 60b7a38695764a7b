"""Hits among their neighbours as points in the plane: the first two principal components of their vectors."""

from typing import Any

import numpy as np

from searcher.search import Searcher
from searcher.serving.replies import where

__all__ = ["mapped", "plane"]

SHOWN = 160  # characters of a passage


def mapped(searcher: Searcher, question: str, neighbours: int, k: int = 10, **how: Any) -> dict[str, Any]:
    """The points of a question's hits and of so many passages behind them; x and y from -1 to 1.

    The question has a point of its own where its vector is of the same kind as those of the passages.
    """
    hits = searcher.search(question, k + neighbours, vectors=True, **how)
    placed = [hit for hit in hits if hit.vector is not None and hit.vector.any()]
    if not placed:
        return {"question": None, "points": [], "spread": 0.0}
    vectors = np.stack([np.asarray(hit.vector, np.float64) for hit in placed])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    own = [] if searcher.settings.given else [searcher.embedder.embed([question], "query")[0].astype(np.float64)]
    points, spread = plane(np.concatenate([vectors, *([vector[None] for vector in own])]))
    told = [
        {
            "x": x, "y": y, "hit": hit.rank <= k, "rank": hit.rank, "score": hit.score, "passage_id": hit.passage_id,
            "source": hit.source, "title": hit.title, "start": hit.start, "end": hit.end, "text": hit.text[:SHOWN],
            **where(hit),
        }
        for hit, (x, y) in zip(placed, points.tolist(), strict=False)
    ]  # fmt: skip
    at = dict(zip("xy", points[-1].tolist(), strict=True)) if own else None
    return {"question": at, "points": told, "spread": spread}


def plane(vectors: np.ndarray) -> tuple[np.ndarray, float]:
    """Vectors (n, d) → their first two principal components (n, 2), the largest 1 in size, and the share of the
    variance that these show. Which way an axis points is told by the vectors alone: its largest coordinate is positive.
    Pearson 1901.
    """
    centred = vectors - vectors.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found = np.zeros((len(vectors), 2))
    count = min(2, len(sizes))
    found[:, :count] = left[:, :count] * sizes[:count]
    largest = np.abs(found).argmax(axis=0)
    found *= np.where(found[largest, [0, 1]] < 0, -1, 1)
    total = float((sizes**2).sum())
    most = np.abs(found).max()
    shares = float((sizes[:count] ** 2).sum()) / total if total > 1e-12 else 0.0
    return (found / most if most > 1e-9 else np.zeros_like(found)), shares
