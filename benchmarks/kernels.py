"""What does each C kernel gain over the library call that would replace it, and what do all of them in the program?

    SEARCHER_DATA=… python benchmarks/kernels.py [--rounds 9] [--vectors 200000]

Each kernel that this CPU can run beside that call, in turn in each round: FAISS's exact search and its scan of bytes,
torch's layers in bfloat16 and its attention and normalisation in float32. Then whole programs with SEARCHER_KERNELS on
and off: texts embedded, questions searched for. Vectors are random, and spread as those of texts.
"""

import argparse
import os
import statistics
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from common import in_turn, report, uneven_texts

from searcher import Embedder
from searcher.embedding.encoder import kernels
from searcher.embedding.encoder.passes import PASSES, compiled_passes
from searcher.system import cores
from searcher.system.kernels import SWITCH
from searcher.vectors import codes, floats
from searcher.vectors.index import VectorIndex
from searcher.vectors.signs import Signs

WIDTH, K = 384, 10
PACKAGE = Path(floats.__file__).parents[1]
SOURCES = {
    "floats": ["vectors/floats.c", "vectors/best.h"], "codes": ["vectors/scan.c", "vectors/scan.h", "vectors/best.h"],
    "signs": ["vectors/sieve.c"],
    "layers in bfloat16": [f"embedding/encoder/{name}" for name in ("amx.c", "dense.c", "layers.c", "tiles.h", "dot.h")],
    "float32 attention, normalisation": ["embedding/encoder/float32.c"],
    "passes between bytes": ["embedding/encoder/passes.c"],
}  # fmt: skip

Pair = tuple[Callable[[], Any], Callable[[], Any]]  # ours, the library's


@contextmanager
def switched_off() -> Iterator[None]:
    """No kernel is loaded inside; what was made before keeps its own."""
    caches = (kernels.built, kernels.float_kernels, compiled_passes, codes.kernels, floats.kernel)
    os.environ[SWITCH] = "off"
    for known in caches:
        known.cache_clear()
    try:
        yield
    finally:
        del os.environ[SWITCH]
        for known in caches:
            known.cache_clear()


def unit(count: int, seed: int) -> np.ndarray:
    """Unit rows (count, WIDTH) float32 that spread as texts do: in some directions much more than in others."""
    turned, _ = np.linalg.qr(np.random.default_rng(9).standard_normal((WIDTH, WIDTH)))
    spread = (np.arange(1, WIDTH + 1) ** -0.5)[:, None] * turned
    rows = np.random.default_rng(seed).standard_normal((count, WIDTH), dtype=np.float32) @ spread.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def scans(vectors: np.ndarray) -> dict[str, Pair]:
    """The scans of vectors, of bytes and of signs, one question or eight."""
    faiss.omp_set_num_threads(1)  # a kernel's call runs on one
    count, pairs = len(vectors), dict[str, Pair]()
    flat, bytes_ = faiss.IndexFlatIP(WIDTH), faiss.IndexScalarQuantizer(WIDTH, faiss.ScalarQuantizer.QT_8bit, 0)
    flat.add(vectors)
    bytes_.train(vectors)
    bytes_.add(vectors)
    for asked in (1, 8):
        queries = unit(asked, 1)
        name = f"{asked} question{'s' * (asked > 1)}"
        if floats.kernel():
            pairs[f"floats, {name}"] = (
                lambda q=queries: floats.scan(vectors, q, K, 0, count, None), lambda q=queries: flat.search(q, K),
            )  # fmt: skip
        if own := codes.Codes.of(bytes_):
            pairs[f"codes, {name}"] = (
                lambda q=queries, own=own: own.scan(q, K, 0, count, None), lambda q=queries: bytes_.search(q, K),
            )  # fmt: skip
            if signs := Signs.of(own, 1):
                pairs[f"signs, {name}"] = (
                    lambda q=queries, signs=signs: signs.scan(q, K, None, 1), lambda q=queries: bytes_.search(q, K),
                )  # fmt: skip
    return pairs


def encoders(texts: list[str]) -> dict[str, Pair]:
    """Whole forward passes with and without the kernels, tokenising included."""
    pairs = {}
    for name, dtype, there in (
        ("layers in bfloat16", "bf16", kernels.tile_kernels()),
        ("float32 attention, normalisation", "fp32", kernels.float_kernels()),
        ("passes between bytes, and the former", "int8", next(filter(None, map(compiled_passes, PASSES)), None)),
    ):
        if there is not None:
            ours, plain = Embedder(dtype=dtype), Embedder(dtype=dtype)
            ours.embed(texts)
            with switched_off():
                plain.embed(texts)
            pairs[name] = (lambda e=ours: e.embed(texts), lambda e=plain: e.embed(texts))
    return pairs


def searches(vectors: np.ndarray) -> dict[str, Pair]:
    """One question to whole indexes, all cores, as a search asks it."""
    ids, query, pairs = np.arange(len(vectors)), unit(1, 2), dict[str, Pair]()
    faiss.omp_set_num_threads(cores())

    def made(kind: str) -> VectorIndex:
        outer = faiss.IndexIDMap(faiss.index_factory(WIDTH, kind, faiss.METRIC_INNER_PRODUCT))
        outer.train(vectors)
        outer.add_with_ids(vectors, ids)
        return VectorIndex(outer, {"Flat": "flat", "SQ8": "sq8"}[kind])

    for kind in ("Flat", "SQ8"):
        ours, plain = made(kind), made(kind)
        for _ in range(20):
            ours.search(query, K)
        with switched_off():
            plain.search(query, K)  # which remembers that there is no kernel for its bytes
        pairs[f"search of {kind}"] = (lambda i=ours: i.search(query, K), lambda i=plain: without_floats(i, query))
    return pairs


def without_floats(index: VectorIndex, query: np.ndarray) -> None:
    """A search without the scan of vectors, which is asked for each time."""
    kernel, floats.kernel = floats.kernel, lambda: None
    try:
        index.search(query, K)
    finally:
        floats.kernel = kernel


def lines(name: str) -> int:
    """Lines of C of a kernel."""
    files = SOURCES.get(name.partition(", ")[0]) or SOURCES.get(name) or []
    return sum((PACKAGE / file).read_text(encoding="utf-8").count("\n") for file in files)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--vectors", type=int, default=200_000)
    parser.add_argument("--texts", type=int, default=300)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that long texts are cut
    vectors, texts = unit(options.vectors, 0), uneven_texts(options.texts)
    rows = []
    for pairs in (scans(vectors), encoders(texts), searches(vectors)):
        for name, (ours, theirs) in pairs.items():
            seconds = in_turn({"ours": ours, "library": theirs}, options.rounds)
            gains = [slow / fast for slow, fast in zip(seconds["library"], seconds["ours"], strict=True)]
            row = {
                "kernel": name, "ours_ms": round(1000 * statistics.median(seconds["ours"]), 3),
                "library_ms": round(1000 * statistics.median(seconds["library"]), 3),
                "gain": round(statistics.median(gains), 2), "least": round(min(gains), 2), "most": round(max(gains), 2),
                "lines": lines(name),
            }  # fmt: skip
            rows.append(row)
            print("{kernel:36} {ours_ms:10.3f} ms {library_ms:10.3f} ms {gain:6.2f} x ({least}-{most})".format(**row))
    report("kernels", {"vectors": len(vectors), "texts": len(texts), "rows": rows})


if __name__ == "__main__":
    main()
