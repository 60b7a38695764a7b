"""An index on Milvus: how fast is it filled and asked, how many of the nearest are found, beside an index folder?

    tests/server.sh FOLDER benchmarks/milvus.py   # of the server in the milvus wheel; see there
    python benchmarks/milvus.py --uri http://HOST:19530 [--count 100000]
    python benchmarks/milvus.py --uri FILE.db     # Milvus Lite
    … --index FOLDER                              # copies that index, which `write` of scale.py made, and asks both

Passages with synthetic vectors of 384 numbers, ten to a document, written in batches of 500 documents, then asked one question
at a time: of all, and under filters that allow a fifth, a hundredth and a thousandth. With --index it is real sentences and
questions (scale_corpus.py) in documents of eight, and whatever of the folder's caches is newer is written there. The vectors differ in 32 directions, the first of
them most, and a little in all; with --clusters they are those of scale_synthetic.py, twenty thousand tight clusters, among
which no graph finds its way well. recall@10 counts against a numpy product with every vector that is allowed. The last line
is JSON.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import numpy as np
from common import report
from scale import PER_DOCUMENT, shares
from scale_corpus import cached
from scale_synthetic import WIDTH, Clusters

from searcher.embedding import IndexSettings, normalize
from searcher.engines import Engine, LocalEngine
from searcher.engines.milvus import Address
from searcher.engines.milvus.address import Access
from searcher.engines.milvus.engine import MilvusEngine
from searcher.filters import parse
from searcher.ingest.copying import Copying
from searcher.records import Chunk, Document, Prepared

K, TO_A_DOCUMENT, BATCH, DIRECTIONS = 10, 10, 500, 32
ALLOWED = {"all": 1, "a fifth": 5, "a hundredth": 100, "a thousandth": 1000}  # one passage in so many
SETTINGS = IndexSettings(
    "made-up", "0" * 64, "1" * 64, {"layers": 1}, "mean", [1], "", True, "", "", False, WIDTH, 64, 0
)


def main() -> None:
    """Fill both, ask both, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uri", default="http://127.0.0.1:19530")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--clusters", action="store_true")
    parser.add_argument("--copy", action="store_true", help="fill Milvus by searcher copy, out of the folder")
    parser.add_argument("--index", type=Path, metavar="FOLDER", help="copy that index")
    given = parser.parse_args()
    draw = Clusters().draw if given.clusters else spread
    case = real(given.questions) if given.index else made_up(draw(given.count, 1), draw(given.questions, 2))
    result: dict[str, dict[str, float]] = {"folder": {}}
    with tempfile.TemporaryDirectory() as place:
        folder = LocalEngine(given.index or Path(place) / "index", create=not given.index)
        milvus = MilvusEngine(Address.of(f"milvus:{given.uri}#bench_{uuid4().hex}"), create=True)
        if not given.index:
            result["folder"] = filled(folder, case.vectors)
        result["milvus"] = copied(folder, milvus) if given.copy or given.index else filled(milvus, case.vectors)
        print(result, flush=True)
        for name, engine in {"folder": folder, "milvus": milvus}.items():
            result[name] |= asked(engine, case)
            engine.close()
    level = Access.of_environment().level
    report(
        "milvus",
        {
            "count": len(case.vectors),
            "uri": given.uri,
            "consistency": level,
            "clusters": given.clusters,
            "copied": given.copy or given.index is not None,
            "real": given.index is not None,
            **result,
        },
    )


class Case(NamedTuple):
    """What is asked. vectors: of all passages, (n, d); filters: name → it, None for all, and which passages it allows."""

    vectors: np.ndarray
    questions: np.ndarray
    filters: Mapping[str, tuple[str | None, np.ndarray]]


def made_up(vectors: np.ndarray, questions: np.ndarray) -> Case:
    """Of passages that are written here."""
    numbers = np.arange(len(vectors)) // TO_A_DOCUMENT
    filters = {
        name: (f"of_{many} = 0" if many > 1 else None, np.flatnonzero(numbers % many == 0))
        for name, many in ALLOWED.items()
    }
    return Case(vectors, questions, filters)


def real(count: int) -> Case:
    """Of an index of scale.py, and so many questions."""
    _, vectors, questions = cached()
    own = shares(-(-len(vectors) // PER_DOCUMENT))[np.arange(len(vectors)) // PER_DOCUMENT]
    filters = {
        name: (f"share < {100 / many}" if many > 1 else None, np.flatnonzero(own < 100 / many))
        for name, many in ALLOWED.items()
    }
    return Case(vectors, questions[:: len(questions) // count][:count], filters)


def spread(count: int, seed: int) -> np.ndarray:
    """Unit rows (count, WIDTH) float32 that differ in few directions."""
    directions = np.random.default_rng(0).standard_normal((DIRECTIONS, WIDTH), dtype=np.float32)
    random = np.random.default_rng(seed)
    weights = random.standard_normal((count, DIRECTIONS), dtype=np.float32) / np.sqrt(
        1 + np.arange(DIRECTIONS, dtype=np.float32)
    )
    return normalize(weights @ directions + 0.1 * random.standard_normal((count, WIDTH), dtype=np.float32))


def filled(engine: Engine, vectors: np.ndarray) -> dict[str, float]:
    """Written in batches: rows a second, and when all that makes searches quick was made."""
    engine.settle(SETTINGS)
    begun = time.perf_counter()
    documents = len(vectors) // TO_A_DOCUMENT
    for first in range(0, documents, BATCH):
        engine.write([document(number, vectors) for number in range(first, min(first + BATCH, documents))])
    result: dict[str, float] = {"rows_per_second": round(len(vectors) / (time.perf_counter() - begun))}
    engine.publish()
    result["published_after_s"] = round(time.perf_counter() - begun, 1)
    return result


def copied(source: Engine, target: Engine) -> dict[str, float]:
    """The same of a copy, whose comparison at the end is in the second time."""
    begun, last = time.perf_counter(), 0.0

    def progress(what: str, amount: int) -> None:
        nonlocal last
        last = time.perf_counter() if what == "stored" else last

    done = Copying(source, target, source.settings() or SETTINGS, progress).run()
    print(done, flush=True)
    result: dict[str, float] = {
        "rows_per_second": round(done.passages / (last - begun)),
        "published_after_s": round(done.seconds, 1),
    }
    if done.likeness and done.likeness.wrong:
        print("not alike:", done.likeness.wrong, flush=True)
    return result


def asked(engine: Engine, case: Case) -> dict[str, float]:
    """Milliseconds a question (median), hits and recall@10 of each filter."""
    result: dict[str, float] = {}
    for name, (where, allowed) in case.filters.items():
        tree = None if where is None else parse(where)
        of_these = np.ascontiguousarray(case.vectors if where is None else case.vectors[allowed])
        engine.nearest(case.questions[:1], K, tree)
        seconds, found, returned = [], 0, 0
        for question in case.questions:
            begun = time.perf_counter()
            with engine.reading():
                [hits] = engine.nearest(question[None], K, tree)
            seconds.append(time.perf_counter() - begun)
            returned += len(hits)
            least = np.partition(of_these @ question, -K)[-K]
            found += sum(score >= least - 1e-6 for score, _ in hits)
        result[f"{name}: ms"] = round(1000 * statistics.median(seconds), 1)
        result[f"{name}: hits"] = returned / len(case.questions)
        result[f"{name}: recall@10"] = round(float(found) / len(case.questions) / K, 4)
        print(type(engine).__name__, result, flush=True)
    return result


def document(number: int, vectors: np.ndarray) -> Prepared:
    """One of ten passages, with what filters ask."""
    text = "\n".join(f"passage {number} {place}" for place in range(TO_A_DOCUMENT))
    ends = np.cumsum([len(line) + 1 for line in text.split("\n")]) - 1
    starts = [0, *(ends[:-1] + 1).tolist()]
    chunks = [Chunk(start, int(end), (), 3) for start, end in zip(starts, ends, strict=True)]
    own = Document(f"doc {number}", text, metadata={f"of_{many}": number % many for many in ALLOWED.values()})
    return Prepared(own, own.digest(), None, chunks, vectors[number * TO_A_DOCUMENT : (number + 1) * TO_A_DOCUMENT])


if __name__ == "__main__":
    main()
