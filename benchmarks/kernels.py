"""What does each C kernel gain over the library call that would replace it, and what in the program, it alone switched off?

    SEARCHER_DATA=… python benchmarks/kernels.py [--rounds 9] [--vectors 200000] [--texts 300]

Each kernel that this CPU can run, in turn in each round: beside FAISS's call on the same memory, on one core; then in the
program, which without it takes FAISS or torch: questions to whole indexes on all cores, texts embedded. Vectors are
random, and spread as those of texts. Gains are of wall time and, which other programs disturb less, of processor time.
A kernel that gains under 1.3 of processor time in each of its programs goes, unless another class of CPU needs the same file.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import faiss
import numpy as np
from common import report, uneven_texts
from scale_corpus import all_texts, questions, unlike

import searcher
from searcher import Embedder
from searcher.embedding.encoder import int8, kernels
from searcher.embedding.encoder.passes import PASSES, TorchPasses, compiled_passes
from searcher.engines.inverted import PostingsAsked
from searcher.engines.words import best_by_words, terms
from searcher.postings import Collection, Part, joining, merged
from searcher.ranking.fusion import CANDIDATES
from searcher.store.keyword_index import spaced
from searcher.store.tokenized import PIECE, segment_of
from searcher.system import cores
from searcher.vectors import Some, VectorIndex, codes, floats, index
from searcher.vectors.signs import Signs

WIDTH, K = 384, 10
ENOUGH = 1.3
ENCODER = ["amx.c", "dense.c", "layers.c", "tiles.h", "dot.h"]


class Kernel(NamedTuple):
    """off: where the program asks for it, and what it is told when there is none."""

    sources: list[str]
    needs: str
    off: tuple[Any, str, Callable[..., Any]]


KERNELS = {
    "floats": Kernel(["vectors/floats.c", "vectors/best.h"], "AVX2", (floats, "kernel", lambda: None)),
    "codes": Kernel(
        ["vectors/scan.c", "vectors/scan.h", "vectors/best.h"], "AVX512-VNNI", (codes, "kernels", lambda: None)
    ),
    "signs": Kernel(["vectors/sieve.c"], "AVX512-VNNI", (Signs, "of", lambda *_: None)),
    "words": Kernel(["postings/join.c"], "any x86-64", (joining, "kernels", lambda: None)),
    "layers in bfloat16": Kernel(
        [f"embedding/encoder/{name}" for name in ENCODER], "AMX or AVX512-BF16", (kernels, "tile_kernels", lambda: None)
    ),
    "layers in float32": Kernel(
        [f"embedding/encoder/{name}" for name in ("float32.c", "attention.c", "float32.h", "gelu.h", "norm.h")],
        "AVX-512 or AVX2",
        (kernels, "built_floats", lambda *_: None),
    ),
    "passes of int8": Kernel(
        [f"embedding/encoder/{name}" for name in ("passes.c", "gelu.h", "norm.h")],
        "AVX-512 or AVX2",
        (int8, "passes", TorchPasses),
    ),
}


class Pair(NamedTuple):
    """A kernel's work, by ours and without it; where: "call", or "program"."""

    kernel: str
    where: str
    what: str
    ours: Callable[[], Any]
    without: Callable[[], Any]


@contextmanager
def off(name: str) -> Iterator[None]:
    """That kernel alone is not there, for what is made or asked inside."""
    place, attribute, none = KERNELS[name].off
    kept = place.__dict__[attribute]
    setattr(place, attribute, none)
    try:
        yield
    finally:
        setattr(place, attribute, kept)


def unit(count: int, seed: int) -> np.ndarray:
    """Unit rows (count, WIDTH) float32 that spread as texts do: in some directions much more than in others."""
    turned, _ = np.linalg.qr(np.random.default_rng(9).standard_normal((WIDTH, WIDTH)))
    spread = (np.arange(1, WIDTH + 1) ** -0.5)[:, None] * turned
    rows = np.random.default_rng(seed).standard_normal((count, WIDTH), dtype=np.float32) @ spread.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def calls(vectors: np.ndarray) -> Iterator[Pair]:
    """The scans of vectors, of bytes and of signs, one question or eight, on one core."""
    faiss.omp_set_num_threads(1)
    count, inner = len(vectors), faiss.METRIC_INNER_PRODUCT
    bytes_ = faiss.IndexScalarQuantizer(WIDTH, faiss.ScalarQuantizer.QT_8bit, inner)
    bytes_.train(vectors)
    bytes_.add(vectors)
    own = codes.Codes.of(bytes_)
    signs = own and Signs.of(own, 1)
    for asked in (1, 8):
        q, what = unit(asked, 1), f"{asked} question{'s' * (asked > 1)}"
        bare: Callable[[], Any] = lambda q=q: bytes_.search(q, K)  # noqa: E731
        if floats.kernel():
            yield Pair(
                "floats", "call", what, lambda q=q: floats.scan(vectors, q, K, 0, count, None),
                lambda q=q: faiss.knn(q, vectors, K, inner),
            )  # fmt: skip
        if own:
            yield Pair("codes", "call", what, lambda q=q: own.scan(q, K, 0, count, None), bare)
        if signs:
            yield Pair("signs", "call", what, lambda q=q: signs.scan(q, K, None, 1), bare)


def made(vectors: np.ndarray, kind: str, without: str = "") -> VectorIndex:
    """An index that has been asked often enough to have its signs, unless there are to be none."""
    outer = faiss.IndexIDMap(faiss.index_factory(WIDTH, kind, faiss.METRIC_INNER_PRODUCT))
    outer.train(vectors)
    outer.add_with_ids(vectors, np.arange(len(vectors)))
    own = VectorIndex(outer, kind.lower())
    with off(without) if without else nullcontext():  # it remembers what there is
        for _ in range(index.ASKED + 1):
            own.search(unit(1, 2), K)
    return own


def searches(vectors: np.ndarray) -> Iterator[Pair]:
    """Questions to whole indexes, on all cores, as a search asks them."""
    faiss.omp_set_num_threads(cores())
    half = Some(np.random.default_rng(0).random(len(vectors)) < 0.5)
    flat, bytes_ = made(vectors, "Flat"), made(vectors, "SQ8")
    for asked, some in ((1, None), (1, half), (8, None), (8, half), (64, None)):
        q, what = unit(asked, 2), f"{asked} asked of flat" + (" under a filter of half" if some else "")

        def without(q: np.ndarray = q, some: Some | None = some) -> None:
            with off("floats"):
                flat.search(q, K, some)

        if floats.kernel():
            yield Pair("floats", "program", what, lambda q=q, some=some: flat.search(q, K, some), without)
    for name in ("codes", "signs") if codes.kernels() else ():
        plain = made(vectors, "SQ8", without=name)
        for asked in (1, 8):
            q = unit(asked, 2)
            ours, theirs = (lambda i=i, q=q: i.search(q, K) for i in (bytes_, plain))
            yield Pair(name, "program", f"{asked} asked of sq8", ours, theirs)


def worded(count: int) -> Iterator[Pair]:
    """The best by words, ten and as many as a hybrid search takes, of so many sentences and windows: 60 questions."""
    texts = [spaced(text) for text in islice(unlike(all_texts()), count)]
    starts = range(0, count, PIECE)
    pieces = [segment_of(np.arange(at, min(at + PIECE, count)) + 1, texts[at : at + PIECE]) for at in starts]
    collection = Collection((Part(merged([(piece, None) for piece in pieces]), np.empty(0, np.int32)),))
    asked = [(PostingsAsked.of(collection, words), words) for words in map(terms, questions()[:60])]

    def ask(k: int) -> None:
        for holding, words in asked:
            if holding is not None:
                best_by_words(holding, words, k)

    def without(k: int) -> None:
        with off("words"):
            ask(k)

    for k in (K, CANDIDATES) if joining.kernels() else ():
        yield Pair("words", "program", f"the {k} best by words", partial(ask, k), partial(without, k))


def encoders(texts: list[str]) -> Iterator[Pair]:
    """Texts embedded, tokenising included: uneven ones, and ones as long as a model takes."""
    words = " ".join(texts).split()
    long = [" ".join(words[start : start + 512]) for start in range(0, len(words) // 3, 512)]
    there = {
        "layers in bfloat16": ("bf16", kernels.tile_kernels()),
        "layers in float32": ("fp32", kernels.float_kernels()),
        "passes of int8": ("int8", any(map(compiled_passes, PASSES))),
    }
    for kernel, (dtype, is_there) in there.items():
        for limit, some in ((256, texts), (512, long)) if is_there else ():
            ours, plain = (Embedder(dtype=dtype, max_seq_length=limit) for _ in range(2))
            ours.embed(some)
            with off(kernel):
                plain.embed(some)
            yield Pair(
                kernel, "program", f"texts of at most {limit} tokens embedded",
                lambda ours=ours, some=some: ours.embed(some), lambda plain=plain, some=some: plain.embed(some),
            )  # fmt: skip


def lines(kernel: Kernel) -> int:
    """Lines of C."""
    package = Path(searcher.__file__).parent
    return sum((package / file).read_text(encoding="utf-8").count("\n") for file in kernel.sources)


def spent(run: Callable[[], Any]) -> tuple[float, float]:
    """Seconds, and seconds of the processors."""
    begun, worked = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - begun, time.process_time() - worked


def row(pair: Pair, rounds: int) -> dict[str, Any]:
    """What a pair takes, and the gains with their spread."""
    pair.ours(), pair.without()
    times = np.array(
        [[spent(pair.ours), spent(pair.without)] for _ in range(rounds)]
    )  # (rounds, 2, wall and processor)
    middle = np.median(times, axis=0)
    gains = times[:, 1] / times[:, 0]
    return {
        "kernel": pair.kernel, "where": pair.where, "what": pair.what, "ours_ms": round(1000 * middle[0, 0], 3),
        "without_ms": round(1000 * middle[1, 0], 3), "gain": round(float(np.median(gains[:, 0])), 2),
        "least": round(float(gains[:, 0].min()), 2), "most": round(float(gains[:, 0].max()), 2),
        "processor_gain": round(float(np.median(gains[:, 1])), 2),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--vectors", type=int, default=200_000)
    parser.add_argument("--texts", type=int, default=300)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that long texts are cut
    vectors, rows = unit(options.vectors, 0), []
    for pairs in (calls(vectors), searches(vectors), worded(len(vectors)), encoders(uneven_texts(options.texts))):
        for pair in pairs:
            rows.append(row(pair, options.rounds))
            print("{kernel:18} {where:7} {what:42} {ours_ms:9.3f} ms {without_ms:9.3f} ms {gain:6.2f} x ({least}-{most}), processor {processor_gain} x".format(**rows[-1]))  # fmt: skip
    verdicts = {}
    for name, kernel in KERNELS.items():
        gains = [own["processor_gain"] for own in rows if own["kernel"] == name and own["where"] == "program"]
        if gains:
            verdicts[name] = {
                "lines": lines(kernel), "needs": kernel.needs, "gain": max(gains), "median": statistics.median(gains),
                "stays": max(gains) >= ENOUGH,
            }  # fmt: skip
            print("{:18} {lines} lines, {needs}: at most {gain} x, {}".format(name, "stays" if verdicts[name]["stays"] else "goes", **verdicts[name]))  # fmt: skip
    report("kernels", {"vectors": len(vectors), "texts": options.texts, "rows": rows, "kernels": verdicts})


if __name__ == "__main__":
    main()
