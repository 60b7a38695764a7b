"""Search among 624,712 passages: how fast, with what recall, at what cost, against bare FAISS and against peers?

    SEARCHER_DATA=… python benchmarks/scale.py [--count N] [--types flat,hnsw] [--peers] [--keep DIR]
    SEARCHER_DATA=… python benchmarks/scale.py --plot FILE [--types flat,hnsw] [--synthetic FILE]

The vectors are of `scale_corpus.py`, made once and kept. Questions are real ones, not noise; recall@10 is counted against
numpy's exact answer for each. Everything is asked one question at a time unless it says otherwise, from a vector to
passages with text and metadata, all of it read from SQLite and verified. The knob is tuned on the index's own vectors
(`reindex --tune`), never on the questions.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from common import report, run_process
from scale_corpus import COUNT, cached
from scale_corpus import questions as question_texts

from searcher import Searcher
from searcher.embedding.settings import IndexSettings
from searcher.filters import parse
from searcher.records import Chunk, Document, Prepared

K = 10
PER_DOCUMENT = 8  # passages
SHARES = [100, 10, 1, 0.1, 0.001]  # per cent that a filter allows
ASKED = 200  # questions timed one by one
FEW = 64  # questions in a call that is no large batch
RESIDENT = """
import sys, numpy
from searcher import Searcher
with Searcher(sys.argv[1]) as searcher:
    for question in numpy.load(sys.argv[2]):
        searcher.search(question, 10)
    lines = dict(line.split(":", 1) for line in open("/proc/self/status"))
    print(lines["RssAnon"].split()[0], lines["RssFile"].split()[0])
"""
SIZES = [10_000, 30_000, 100_000, 300_000, COUNT]
PLOTTED = {
    "p50_ms": "a question, ms",
    "build_s": "FAISS index made in, s",
    "MB": "peak memory of a cold question, MB",
}


def main() -> None:
    """Measure the types, then the peers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--types", default="flat,sq8,hnsw,ivf")
    parser.add_argument("--recall", type=float, default=0.99, help="that the knob is tuned to, without questions")
    parser.add_argument("--peers", nargs="?", const="all", default="", help="all, or some, such as Chroma,txtai")
    parser.add_argument("--keep", type=Path, help="the index is made or found here")
    parser.add_argument("--plot", type=Path, help="draw cost against size, of the types, and nothing else")
    parser.add_argument("--synthetic", type=Path, help="what scale_synthetic.py printed, to be in the plot too")
    options = parser.parse_args()
    texts, vectors, questions = cached(COUNT)
    if options.plot:
        costs = against_size(texts, vectors, questions, options.types.split(","))
        if options.synthetic:
            row = json.loads(options.synthetic.read_text(encoding="utf-8").splitlines()[-1])
            costs["sq8, synthetic"] = [row | {"build_s": row["made_s"], "MB": row["peak_MB"]}]
        draw(costs, options.plot)
        report("scale, cost against size", {"costs": costs})
        return
    texts, vectors = texts[: options.count], np.ascontiguousarray(vectors[: options.count])
    exact, results = nearest(vectors, questions), {}
    folder = options.keep or Path(tempfile.mkdtemp())
    with Searcher(folder / "index") as searcher:
        if not searcher.exists():
            results["written_s"] = write(searcher, texts, vectors)
    for kind in filter(None, options.types.split(",")):
        results[kind] = measure(folder / "index", kind, vectors, questions, exact, options.recall)
    if options.peers:
        from scale_peers import PEERS

        for name in PEERS if options.peers == "all" else options.peers.split(","):
            place = folder / name.replace(" ", "-")
            shutil.rmtree(place, ignore_errors=True)
            try:
                results[name] = peer_row(PEERS[name](place, texts, vectors), questions, exact)
            except ImportError as fault:
                print(f"{name}: not installed ({fault.name})")
            shutil.rmtree(place, ignore_errors=True)
    report("scale", {"passages": options.count, "questions": len(questions), "results": results})


def measure(
    folder: Path, kind: str, vectors: np.ndarray, questions: np.ndarray, exact: np.ndarray, recall: float
) -> dict[str, Any]:
    """All figures of one type."""
    row: dict[str, Any] = {}
    with Searcher(folder) as searcher:
        begun = time.perf_counter()
        searcher.reindex(index_type=kind)
        row["build_s"] = round(time.perf_counter() - begun, 1)
        try:
            searcher.reindex(tune=True, recall=recall) if searcher.status()["knob"] else None
        except ValueError as fault:
            print(f"{kind}: {fault}")
        status = searcher.status()
    row |= {"knob": status["knob_value"], "cache_MB": status["cache_bytes"] >> 20}
    warm(folder)
    begun = time.perf_counter()
    searcher = Searcher(folder)
    with searcher.engine.database.reading():
        snapshot = searcher.engine.snapshots.current()
    row["open_ms"] = round(1000 * (time.perf_counter() - begun), 1)
    assert snapshot is not None
    row |= timed(lambda question: searcher.search(question, K), questions)
    row["recall@10"] = share([[hit.passage_id - 1 for hit in hits] for hits in searcher.search(questions, K)], exact)
    row["batch_ms"] = each(lambda some: searcher.search(some, K), questions)
    row["few_ms"] = each(lambda some: searcher.search(some, K), questions[:FEW])
    texts = question_texts()
    row["text_batch_ms"] = each(lambda some: searcher.search(some, K), texts)
    row["text_p50_ms"] = timed(lambda text: searcher.search(text, K), texts)["p50_ms"]  # torch is imported by now
    for mode in ("keyword", "hybrid"):
        row[f"{mode}_p50_ms"] = timed(lambda text, mode=mode: searcher.search(text, K, mode=mode), texts)["p50_ms"]
    row["exact_p50_ms"] = timed(lambda question: searcher.search(question, K, exact=True), questions[:20])["p50_ms"]
    row |= bare(snapshot.base, status["knob_value"], questions, vectors if kind == "flat" else None)
    row["ratio_to_bare"] = round(row["p50_ms"] / row["bare_p50_ms"], 2)
    row["filters"] = {str(percent): filtered(searcher, percent, vectors, questions) for percent in SHARES}
    row["cold_s"], row["cold_MB"] = cold(folder)
    row["own_MB"], row["mapped_MB"] = resident(folder, questions)
    row["add_p50_ms"], row["add_worst_ms"] = adding(searcher, vectors)
    row["removed"] = removing(folder, vectors, questions)
    searcher.close()
    print(kind, row, flush=True)
    return row


def warm(folder: Path) -> None:
    """Have the files' pages in memory: it is not the disk that is measured."""
    for file in folder.iterdir():
        with file.open("rb") as stream:
            while stream.read(1 << 24):
                pass


def against_size(
    texts: list[str], vectors: np.ndarray, questions: np.ndarray, kinds: list[str]
) -> dict[str, list[dict[str, float]]]:
    """Of each type, at each of SIZES: seconds to build, milliseconds a question, MB of the process that asked."""
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "index"
            with Searcher(folder) as searcher:
                write(searcher, texts[:size], np.ascontiguousarray(vectors[:size]))
                for kind in kinds:
                    begun = time.perf_counter()
                    searcher.reindex(index_type=kind)
                    row = {"passages": size, "build_s": round(time.perf_counter() - begun, 2)}
                    searcher.close()
                    warm(folder)
                    row |= timed(lambda question: searcher.search(question, K), questions)
                    found[kind].append(row | {"MB": cold(folder)[1]})
                    print(kind, found[kind][-1], flush=True)
    return found


def draw(costs: dict[str, list[dict[str, float]]], file: Path) -> None:
    """Cost against the number of passages."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(13, 4))
    for axis, (name, label) in zip(axes, PLOTTED.items(), strict=True):
        for kind, rows in costs.items():
            axis.plot([row["passages"] for row in rows], [row[name] for row in rows], marker="o", label=kind)
        axis.set(xscale="log", yscale="log", xlabel="passages", title=label)
        axis.grid(alpha=0.3)
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(file, dpi=110)


def write(searcher: Searcher, texts: list[str], vectors: np.ndarray) -> float:
    """Documents of eight passages, as an `add` writes them; passage number n is text n - 1. -> seconds"""
    embedder = searcher.embedder
    searcher._create()
    searcher.engine.settle(IndexSettings.of(embedder))
    share, begun = shares(-(-len(texts) // PER_DOCUMENT)), time.perf_counter()
    for start in range(0, len(texts), 16_000):
        prepared = []
        for first in range(start, min(start + 16_000, len(texts)), PER_DOCUMENT):
            parts = texts[first : first + PER_DOCUMENT]
            chunks, at = [], 0
            for part in parts:
                chunks.append(Chunk(at, at + len(part), (), len(part) // 4))
                at += len(part) + 1
            number = first // PER_DOCUMENT
            metadata = {"number": number, "share": float(share[number]), "lang": "en"}
            document = Document(f"document {number}", "\n".join(parts), metadata=metadata)
            prepared.append(Prepared(document, document.digest(), None, chunks, vectors[first : first + len(parts)]))
        searcher.engine.write(prepared)
        print(f"\r{start + 16_000:,} written", end="", flush=True)
    print()
    return round(time.perf_counter() - begun, 1)


def nearest(vectors: np.ndarray, questions: np.ndarray, allowed: np.ndarray | None = None) -> np.ndarray:
    """Places of the ten nearest, by a matrix product. -> (q, at most 10)"""
    places = np.arange(len(vectors)) if allowed is None else allowed
    found = []
    for start in range(0, len(questions), 100):
        scores = questions[start : start + 100] @ (vectors if allowed is None else vectors[allowed]).T
        k = min(K, scores.shape[1])
        best = (
            np.argpartition(scores, -k, axis=1)[:, -k:]
            if k < scores.shape[1]
            else np.tile(np.arange(k), (len(scores), 1))
        )
        found.append(places[best])
    return np.vstack(found)


def share(found: list[list[int]], exact: np.ndarray) -> float:
    """recall@10"""
    pairs = zip(found, exact.tolist(), strict=True)
    return round(float(np.mean([len(set(own) & set(best)) / max(1, len(best)) for own, best in pairs])), 4)


def timed(ask: Callable[[Any], Any], questions: Sequence[Any] | np.ndarray) -> dict[str, float]:
    """Milliseconds a question, asked one by one."""
    ask(questions[-1])
    spent = []
    for question in questions[:ASKED]:
        begun = time.perf_counter()
        ask(question)
        spent.append(1000 * (time.perf_counter() - begun))
    return {"p50_ms": round(statistics.median(spent), 3), "p95_ms": round(float(np.percentile(spent, 95)), 3)}


def each(ask: Callable[[Any], Any], questions: Sequence[Any] | np.ndarray) -> float:
    """Milliseconds for each of questions that are asked in one call, the least of three."""
    spent = []
    for _ in range(3):
        begun = time.perf_counter()
        ask(questions)
        spent.append(1000 * (time.perf_counter() - begun) / len(questions))
    return round(min(spent), 3)


def bare(base: Any, knob: int | None, questions: np.ndarray, vectors: np.ndarray | None) -> dict[str, float]:
    """FAISS alone, the same index under the same knob; a flat one as FAISS's users make it."""
    index = base._main
    if vectors is not None:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
    made = {
        "ef": lambda: faiss.SearchParametersHNSW(efSearch=knob),
        "nprobe": lambda: faiss.SearchParametersIVF(nprobe=knob),
    }
    parameters = made[base.type.knob]() if base.type.knob else None
    candidates = base.type.candidates(K)

    def ask(some: np.ndarray) -> Any:
        return index.search(some, candidates, params=parameters)

    one = timed(lambda question: ask(question[None]), questions)
    return {"bare_p50_ms": one["p50_ms"], "bare_few_ms": each(ask, questions[:FEW])}


def shares(documents: int) -> np.ndarray:
    """What each document has as its share: random, 0 … 100."""
    return np.round(np.random.default_rng(0).random(documents) * 100, 6)


def filtered(searcher: Searcher, percent: float, vectors: np.ndarray, questions: np.ndarray) -> dict[str, float]:
    """First use of newly opened indexes, repeated use, recall and missing hits under a filter that allows so many."""
    documents = -(-len(vectors) // PER_DOCUMENT)
    most = np.sort(shares(documents))[max(1, round(documents * percent / 100)) - 1]
    where = f"share <= {most:.6f}"
    first = []
    for _ in range(5):
        with Searcher(searcher.folder) as fresh:
            fresh.search(questions[0], K)
            begun = time.perf_counter()
            fresh.search(questions[0], K, where=where)
            first.append(1000 * (time.perf_counter() - begun))
    row = timed(lambda question: searcher.search(question, K, where=where), questions[:50])
    allowed = searcher.engine.allowed(parse(where)) - 1
    found = [[hit.passage_id - 1 for hit in hits] for hits in searcher.search(questions[:100], K, where=where)]
    return {
        "allowed": len(allowed), "p50_ms": row["p50_ms"],
        "first_ms": round(statistics.median(first), 1), "first_worst_ms": round(max(first), 1),
        "recall@10": share(found, nearest(vectors, questions[:100], allowed)) if len(allowed) else 1.0,
        "missing_hits": sum(min(K, len(allowed)) - len(hits) for hits in found),
    }  # fmt: skip


def cold(folder: Path) -> tuple[float, int]:
    """Seconds and MB of `searcher search` from a cold shell, the least of three."""
    command = [sys.executable, "-m", "searcher", "search", "how do vaccines work", "-i", str(folder), "-k", "3"]
    seconds, peak = min(run_process(command) for _ in range(3))
    return round(seconds, 3), round(peak)


def resident(folder: Path, questions: np.ndarray) -> tuple[int, int]:
    """MB of a process that opened the index and asked: its own, and pages of files that it shares with others."""
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, questions[:ASKED])
        file.flush()
        command = [sys.executable, "-c", RESIDENT, str(folder), file.name]
        own, mapped = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return int(own) >> 10, int(mapped) >> 10


def adding(searcher: Searcher, vectors: np.ndarray) -> tuple[float, float]:
    """Milliseconds to add a document of one passage, durable and found by a search, encoding left out."""
    spent = []
    for number in range(40):
        document = Document("a new document", f"text {number}")
        item = Prepared(
            document, document.digest(), None, [Chunk(0, len(document.text), (), 2)], vectors[number : number + 1]
        )
        begun = time.perf_counter()
        searcher.engine.write([item])
        searcher.engine.snapshots.publish()
        spent.append(1000 * (time.perf_counter() - begun))
        assert searcher.search(vectors[number], 3)[0].score > 0.99
    searcher.remove("a new document")
    return round(statistics.median(spent), 1), round(max(spent), 1)


def removing(folder: Path, vectors: np.ndarray, questions: np.ndarray) -> dict[str, float]:
    """Recall after 10,000 passages were removed at random, and hits that were removed, without a reindex: on a copy."""
    copy = folder.parent / "copy"
    subprocess.run(["cp", "-r", "--reflink=auto", str(folder), str(copy)], check=True)
    with Searcher(copy) as searcher:
        documents = np.random.default_rng(1).choice(len(vectors) // PER_DOCUMENT, 10_000 // PER_DOCUMENT, replace=False)
        begun = time.perf_counter()
        searcher.remove([f"document {number}" for number in documents])
        seconds = time.perf_counter() - begun
        gone = (documents[:, None] * PER_DOCUMENT + np.arange(PER_DOCUMENT)).ravel()
        left = np.setdiff1d(np.arange(len(vectors)), gone)
        found = [[hit.passage_id - 1 for hit in hits] for hits in searcher.search(questions[:200], K)]
        row = timed(lambda question: searcher.search(question, K), questions[:50])
    shutil.rmtree(copy)
    returned = sum(len(set(own) & set(gone.tolist())) for own in found)
    recall = share(found, nearest(vectors, questions[:200], left))
    return {"seconds": round(seconds, 2), "returned": returned, "recall@10": recall, "p50_ms": row["p50_ms"]}


def peer_row(peer: Iterator[Any], questions: np.ndarray, exact: np.ndarray) -> dict[str, Any]:
    """Build time, then the knob with the least time at a recall of 0.99, or the best recall; and how it comes."""
    begun = time.perf_counter()
    asks = next(peer)
    build = round(time.perf_counter() - begun, 1)
    rows = []
    for knob, ask in asks:
        recall = share([ask(question) for question in questions[:ASKED]], exact[:ASKED])
        rows.append({"knob": knob, "recall@10": recall, **timed(ask, questions)})
        if recall >= 0.99:
            break
    found = {"build_s": build} | rows[-1] | {"as_it_comes": rows[0]}
    print(found, flush=True)
    return found


if __name__ == "__main__":
    main()
