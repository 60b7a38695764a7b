"""Ten million passages on one machine: how long is an index of a byte a number made, how large is it, how fast is it asked?

    python benchmarks/scale_synthetic.py [--count 10000000] [--keep DIR]

Synthetic vectors of 384 numbers: clusters whose members differ in 64 directions, the first of them most, as texts do. The index
is written a piece at a time and mapped as searcher does it, without SQLite beside it, which would hold another 20 GB.
recall@10 counts what is found against a numpy product with every vector. The last line is JSON.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import report

from searcher.embedding import normalize
from searcher.vectors import Stamp, VectorIndex, cachefile, content, fitted, index_type, trained

WIDTH, CLUSTERS, DIRECTIONS, PIECE, QUESTIONS, K = 384, 20_000, 64, 50_000, 200, 10


class Clusters:
    """Vectors that are the same at every pass."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.centres = normalize(random.standard_normal((CLUSTERS, WIDTH)).astype(np.float32))
        directions = normalize(random.standard_normal((DIRECTIONS, WIDTH)).astype(np.float32))
        self.directions = directions / np.sqrt(1 + np.arange(DIRECTIONS, dtype=np.float32))[:, None]

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Unit rows (count, WIDTH) float32."""
        random = np.random.default_rng(seed)
        within = 0.5 * random.standard_normal((count, DIRECTIONS), dtype=np.float32) @ self.directions
        noise = 0.01 * random.standard_normal((count, WIDTH), dtype=np.float32)
        return normalize(self.centres[random.integers(0, CLUSTERS, count)] + within + noise)

    def pieces(self, count: int) -> Iterator[np.ndarray]:
        """So many vectors, in pieces."""
        for number, start in enumerate(range(0, count, PIECE)):
            yield self.draw(min(PIECE, count - start), number)


def main() -> None:
    """Build, ask, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp())
    folder.mkdir(exist_ok=True)
    clusters, file, count = Clusters(), folder / "vectors.faiss", options.count
    questions = clusters.draw(QUESTIONS, 1 << 30)
    stamp = Stamp(1, "synthetic", "", WIDTH, count, count, "sq8")
    begun = time.perf_counter()
    index = trained(index_type("sq8"), count, WIDTH, lambda most: clusters.draw(most, 1 << 31))
    index = fitted(index, clusters.pieces(count))
    stamp = cachefile.save(file, content(index, clusters.pieces(count), np.arange(1, count + 1)), stamp)
    row: dict[str, object] = {"passages": count, "made_s": round(time.perf_counter() - begun, 1)}
    row |= {"made_peak_MB": peak(), "file_MB": file.stat().st_size >> 20}
    print(row, flush=True)
    exact = nearest(clusters, count, questions)
    begun = time.perf_counter()
    body = cachefile.load(file, stamp)
    assert body is not None
    made = VectorIndex.read(body, "sq8")
    row["open_s"] = round(time.perf_counter() - begun, 2)  # verifies the whole file, which is done once
    row["first_ms"], _, _ = asked(made, questions[:3], exact[:3])
    begun = time.perf_counter()
    made.search(questions[:10], K)
    row["signs_s"] = round(time.perf_counter() - begun, 1)
    row["p50_ms"], row["p95_ms"], row["recall@10"] = asked(made, questions, exact)
    row["peak_MB"] = peak()  # pages of the file that are in memory included
    report("scale, synthetic", row)


def asked(index: VectorIndex, questions: np.ndarray, exact: np.ndarray) -> tuple[float, float, float]:
    """Milliseconds a question (median, 95th of 100) for the candidates that are scored again, recall@10 among them."""
    spent, held = [], []
    for question, best in zip(questions, exact, strict=True):
        begun = time.perf_counter()
        found = index.search(question[None], index.type.candidates(K))
        spent.append(1000 * (time.perf_counter() - begun))
        held.append(np.isin(best, found.ids[0]).mean())
    return round(statistics.median(spent), 2), round(float(np.percentile(spent, 95)), 2), round(float(np.mean(held)), 4)


def nearest(clusters: Clusters, count: int, questions: np.ndarray) -> np.ndarray:
    """Ids of the K nearest, by a matrix product with all. -> (q, K)"""
    scores = np.full((len(questions), K), -np.inf, np.float32)
    ids = np.zeros((len(questions), K), np.int64)
    at = 1
    for piece in clusters.pieces(count):
        own = questions @ piece.T
        part = np.argpartition(own, -K, axis=1)[:, -K:]
        scores, ids = np.hstack([scores, np.take_along_axis(own, part, 1)]), np.hstack([ids, part + at])
        order = np.argsort(-scores, axis=1)[:, :K]
        scores, ids = np.take_along_axis(scores, order, 1), np.take_along_axis(ids, order, 1)
        at += len(piece)
    return ids


def peak() -> int:
    """MB of this process at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
