"""Search by words among 624,712 passages: how fast, and is it the ranking of FTS5, against FTS5, tantivy and bm25s?

    SEARCHER_DATA=… python benchmarks/scale_words.py [--count N] [--keep DIR] [--rounds N]

One question at a time, one thread, ten hits, ids and scores alone. `same` is the share of questions whose ids and
scores are FTS5's to the last place; `of_fts5` the share of FTS5's hits that another finds. The vectors are random, so
that a search by them alone, timed beside the hybrid one, takes longer than among real ones (`scale.py`). tantivy stems
with its own Porter 2; bm25s is given the words as FTS5 has them.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from common import in_turn, ratios, report
from scale import shares, timed, write
from scale_corpus import COUNT, all_texts, questions, unlike

from searcher import Searcher
from searcher.engines.keyword_table import KeywordTable
from searcher.engines.words import best_by_words, terms
from searcher.filters import parse
from searcher.records import Chunk, Document, Prepared
from searcher.store import tokens_of

K, DEPTH = 10, 100  # hits, and candidates by words of a hybrid search
DIMENSION = 384
ASKED = 40  # questions of a round
FILTERS = [10, 1, 0.1]  # per cent that a filter allows

Ask = Callable[[str, int], tuple[list[int], list[float]]]


def main() -> None:
    """Measure ours and the others in turn, then what ours costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--keep", type=Path, help="the index is made or found here")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    texts = list(islice(unlike(all_texts()), options.count))
    with Searcher((options.keep or Path(tempfile.mkdtemp())) / "index") as searcher:
        if not searcher.exists():
            vectors = np.random.default_rng(0).standard_normal((len(texts), DIMENSION), dtype=np.float32)
            write(searcher, texts, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
            searcher.engine.snapshots.publish()
        results: dict[str, Any] = {"postings": file(searcher)}
        contenders = {"searcher": ours(searcher), "fts5": fts5(searcher)}
        for name, make in {"tantivy": tantivy, "bm25s": bm25s}.items():
            try:
                begun = time.perf_counter()
                contenders[name] = make(texts)
                results[name] = {"build_s": round(time.perf_counter() - begun, 1)}
            except ImportError as fault:
                print(f"{name}: not installed ({fault.name})")
        asked = questions()
        for k in (K, DEPTH):
            results[f"of {k}"] = compared(contenders, asked, k, options.rounds)
        results["filters"] = {str(percent): filtered(searcher, percent, asked) for percent in FILTERS}
        results["modes"] = {mode: whole(searcher, mode, asked) for mode in ("dense", "keyword", "hybrid")}
        results["adding"] = adding(searcher, asked)
    report("scale, words", {"passages": len(texts), "results": results})


def file(searcher: Searcher) -> dict[str, float]:
    """Seconds to make the file of all passages, its size, and how long the first question of a new process takes."""
    inverted, begun = searcher.engine.inverted, time.perf_counter()
    inverted.rebuild()
    built = time.perf_counter() - begun
    first = []
    for question in questions()[:5]:
        with Searcher(searcher.folder) as fresh, fresh.engine.reading():
            begun = time.perf_counter()
            fresh.engine.by_words(question, K)
            first.append(1000 * (time.perf_counter() - begun))
    size = inverted.path.stat().st_size / 1e6
    return {"build_s": round(built, 1), "MB": round(size, 1), "first_ms": round(statistics.median(first), 1)}


def ours(searcher: Searcher) -> Ask:
    """As a search asks."""

    def ask(question: str, k: int) -> tuple[list[int], list[float]]:
        with searcher.engine.reading():
            ids, scores = searcher.engine.by_words(question, k)
        return ids.tolist(), scores.tolist()

    return ask


def fts5(searcher: Searcher) -> Ask:
    """As a search asks where there is no file of postings."""

    def ask(question: str, k: int) -> tuple[list[int], list[float]]:
        words = terms(question)
        with searcher.engine.database.reading() as connection:
            ids, scores = best_by_words(KeywordTable(connection), words, k)
        return ids.tolist(), scores.tolist()

    return ask


def tantivy(texts: list[str]) -> Ask:
    """In memory, its own English stemmer, BM25 with lengths rounded to a byte."""
    import tantivy as library

    schema = library.SchemaBuilder()
    schema.add_text_field("text", stored=False, tokenizer_name="en_stem")
    schema.add_integer_field("number", stored=True)
    index = library.Index(schema.build())
    writer = index.writer(heap_size=500_000_000, num_threads=1)
    for number, text in enumerate(texts, 1):
        writer.add_document(library.Document(text=text, number=number))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(question: str, k: int) -> tuple[list[int], list[float]]:
        hits = searcher.search(index.parse_query(" ".join(terms(question)), ["text"]), k).hits
        return [searcher.doc(address)["number"][0] for _, address in hits], [score for score, _ in hits]

    return ask


def bm25s(texts: list[str]) -> Ask:
    """All scores of all words, made at indexing; nothing can be added or removed."""
    import bm25s as library

    index = library.BM25(method="robertson", k1=1.2, b=0.75)
    words: list[list[str]] = []
    for start in range(0, len(texts), 10_000):
        words += [[word.decode() for word in own] for own in tokens_of(texts[start : start + 10_000])]
    index.index(words, show_progress=False)

    def ask(question: str, k: int) -> tuple[list[int], list[float]]:
        asked = [word.decode() for own in tokens_of(terms(question)) for word in own]
        found, scores = index.retrieve([asked], k=k, show_progress=False)
        return (found[0] + 1).tolist(), scores[0].tolist()

    return ask


def compared(contenders: dict[str, Ask], asked: list[str], k: int, rounds: int) -> dict[str, Any]:
    """Of each: p50 and p95 of a question, how many times as fast as FTS5 (least and most), and what it finds."""
    right = [contenders["fts5"](question, k) for question in asked[:ASKED]]
    spent: dict[str, list[float]] = {name: [] for name in contenders}

    def run(name: str) -> None:
        for question in asked[:ASKED]:
            begun = time.perf_counter()
            contenders[name](question, k)
            spent[name].append(1000 * (time.perf_counter() - begun))

    seconds = in_turn({name: (lambda name=name: run(name)) for name in contenders}, rounds)
    rows = {}
    for name, ask in contenders.items():
        found = [ask(question, k) for question in asked[:ASKED]]
        shared = [len({*own[0]} & {*best[0]}) / max(1, len(best[0])) for own, best in zip(found, right, strict=True)]
        rows[name] = {
            "p50_ms": round(statistics.median(spent[name]), 2), "p95_ms": round(float(np.percentile(spent[name], 95)), 2),
            "times_fts5": [round(value, 1) for value in ratios(seconds, name, "fts5")],
            "same": sum(own == best for own, best in zip(found, right, strict=True)) / len(right),
            "of_fts5": round(statistics.mean(shared), 3),
        }  # fmt: skip
        print(k, name, rows[name], flush=True)
    return rows


def filtered(searcher: Searcher, percent: float, asked: list[str]) -> dict[str, float]:
    """Milliseconds of a question under a filter that allows so many, known by then; and FTS5's, and whether alike."""
    documents = len(shares(searcher.status()["documents"]))
    where = parse(f"share <= {np.sort(shares(documents))[max(1, round(documents * percent / 100)) - 1]:.6f}")
    engine, same = searcher.engine, 0
    with engine.database.reading() as connection:
        allowed = engine.allowed(where)
        row = timed(lambda question: engine.by_words(question, K, where), asked)
        slow = timed(
            lambda question: best_by_words(KeywordTable(connection), terms(question), K, allowed), asked[:ASKED]
        )
        for question in asked[:ASKED]:
            ids, scores = engine.by_words(question, K, where)
            others = best_by_words(KeywordTable(connection), terms(question), K, allowed)
            same += ids.tolist() == others[0].tolist() and scores.tolist() == others[1].tolist()
    return {"allowed": len(allowed), **row, "fts5_p50_ms": slow["p50_ms"], "same": same / ASKED}


def whole(searcher: Searcher, mode: Any, asked: list[str]) -> dict[str, float]:
    """Milliseconds from a question's text to passages; and with FTS5 in the place of the postings."""
    row = timed(lambda question: searcher.search(question, K, mode=mode), asked)
    inverted = searcher.engine.inverted
    known, inverted.asked = inverted.asked, lambda words: None  # type: ignore[method-assign, assignment]
    slow = timed(lambda question: searcher.search(question, K, mode=mode), asked[:ASKED])
    inverted.asked = known  # type: ignore[method-assign]
    return row | {"fts5_p50_ms": slow["p50_ms"]}


def adding(searcher: Searcher, asked: list[str]) -> dict[str, float]:
    """Milliseconds from a document of one passage, written, to the first question by words that finds it."""
    spent, vector = [], np.eye(1, DIMENSION, dtype=np.float32)
    for number in range(20):
        document = Document("a new document", f"an unheard text {number}")
        item = Prepared(document, document.digest(), None, [Chunk(0, len(document.text), (), 4)], vector)
        searcher.engine.write([item])
        begun = time.perf_counter()
        with searcher.engine.reading():
            searcher.engine.by_words(f"unheard {number} {asked[number]}", K)
        spent.append(1000 * (time.perf_counter() - begun))
    searcher.remove("a new document")
    return {"first_ms": round(statistics.median(spent), 1), "worst_ms": round(max(spent), 1)}


if __name__ == "__main__":
    sys.exit(main())
