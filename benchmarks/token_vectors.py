"""What is gained by keeping token vectors for `--rerank maxsim`: milliseconds of a question, and nDCG@10 with and without.

Run on an otherwise idle machine:

    SEARCHER_DATA=data python benchmarks/token_vectors.py [SET …] [--questions N] [--folder DIR]

Each of N questions (100) of a set is asked both ways, one after the other; --folder keeps the indexes.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from common import data_folder, machine, report

from searcher import Searcher
from searcher.evaluation import Dataset, read_dataset
from searcher.evaluation.measures import query_values
from searcher.evaluation.measuring import DEPTH

SETS = {"xquad": "en-*", "cranfield": "*", "scifact": "*"}
MEASURE = "nDCG@10"


def asked(searcher: Searcher, question: str, mode: Any, rerank: str | None) -> tuple[dict[str, float], float]:
    """Document → score, milliseconds."""
    begun = perf_counter()
    [hits] = searcher.rank([question], DEPTH if rerank is None else 50, rerank=rerank, mode=mode, literal=True)
    milliseconds = 1000 * (perf_counter() - begun)
    best: dict[str, float] = {}
    for score, row in hits:
        best[row.source] = max(score, best.get(row.source, score))
    return best, milliseconds


def measured(searcher: Searcher, dataset: Dataset, count: int, mode: Any) -> dict[str, float]:
    """Means of a mode alone, with MaxSim of kept token vectors, and of computed ones; medians of their times."""
    names = list(dataset.queries)
    chosen = sorted(np.random.default_rng(0).permutation(len(names))[:count].tolist())
    kept = searcher.engine.token_vectors
    nothing: Any = lambda texts: {}  # noqa: E731
    ways = {"alone": (None, kept), "kept": ("maxsim", kept), "computed": ("maxsim", nothing)}
    runs: dict[str, dict[str, dict[str, float]]] = {way: {} for way in ways}
    times: dict[str, list[float]] = {way: [] for way in ways}
    for rerank, source in ways.values():  # to warm up
        searcher.engine.token_vectors = source  # type: ignore[method-assign]
        asked(searcher, dataset.queries[names[0]], mode, rerank)
    for place in chosen:
        for way, (rerank, source) in ways.items():
            searcher.engine.token_vectors = source  # type: ignore[method-assign]
            runs[way][names[place]], milliseconds = asked(searcher, dataset.queries[names[place]], mode, rerank)
            times[way].append(milliseconds)
    searcher.engine.token_vectors = kept  # type: ignore[method-assign]
    qrels = {names[place]: dataset.qrels[names[place]] for place in chosen}
    quality = {way: 100 * float(np.mean(query_values(qrels, run)[MEASURE])) for way, run in runs.items()}
    return (
        {f"{MEASURE} {way}": round(value, 2) for way, value in quality.items()}
        | {f"ms {way}": round(median(own), 1) for way, own in times.items()}
        | {"times as fast": round(median(np.array(times["computed"]) / np.array(times["kept"])), 2)}
    )


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    print(machine())
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.sets:
            dataset = read_dataset(data_folder() / name, SETS.get(name, "*"))
            with Searcher((given.folder or Path(temporary)) / name) as searcher:
                searcher.add_documents(dataset.documents, file=str(dataset.corpus.absolute()))
                searcher.keep_token_vectors()
                status = searcher.status()
                for mode in ("dense", "hybrid"):
                    row = measured(searcher, dataset, given.questions, mode)
                    kilobytes = round(status["token_bytes"] / status["passages"] / 1000)
                    rows.append({"set": name, "mode": mode, "kB a passage": kilobytes, **row})
                    print(rows[-1], flush=True)
    report("token vectors", {"rows": rows})


if __name__ == "__main__":
    main()
