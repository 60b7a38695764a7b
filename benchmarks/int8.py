"""What do vectors made in bytes lose?

    SEARCHER_DATA=data python benchmarks/int8.py [--passages 1000] [--questions 400] [--dtypes bf16,int8] [SET …]

Each set drawn down to so many questions and passages, all that are judged for them among these; passages and questions
are embedded in float32 and in each dtype, all in bulk, cut at 256 tokens. Printed: nDCG@10 by exact cosine, less that of
float32; the least and the median cosine of a text's vector with that in float32. The form of int8 was chosen on the sets of
CHOSEN_ON; their mean stands apart. The last line is JSON. `ONEDNN_MAX_CPU_ISA=AVX2` shows CPUs without VNNI.
"""

import argparse
import statistics
import time
import warnings
from typing import Any, NamedTuple

import numpy as np
from common import report
from quality import read_set

from searcher import Embedder
from searcher.embedding.encoder.int8 import most_of_pairs
from searcher.evaluation import Dataset
from searcher.evaluation.measures import query_values

CHOSEN_ON = ("scifact", "xquad-en", "stackfaq")
REPORTED = ("covidq", "cosqa", "medquad-liveqa")


class Drawn(NamedTuple):
    """Part of a set. queries, passages: texts by their id; qrels: of those queries."""

    queries: dict[str, str]
    passages: dict[str, str]
    qrels: dict[str, dict[str, float]]


def drawn(dataset: Dataset, questions: int, passages: int) -> Drawn:
    """A set drawn down."""
    generator = np.random.default_rng(0)
    asked = [name for name, grades in dataset.qrels.items() if max(grades.values()) > 0]
    asked = generator.permutation(asked)[:questions].tolist()
    judged = {name for query in asked for name in dataset.qrels[query]}
    others = generator.permutation([d.id for d in dataset.documents if d.id not in judged]).tolist()
    kept = judged | set(others[: max(0, passages - len(judged))])
    texts = {d.id: f"{d.title or ''}\n{d.text}".strip() for d in dataset.documents if d.id in kept}
    return Drawn({query: dataset.queries[query] for query in asked}, texts, {q: dataset.qrels[q] for q in asked})


def mean_ndcg(part: Drawn, queries: np.ndarray, passages: np.ndarray) -> float:
    """nDCG@10 x 100 by cosine."""
    run = {
        query: dict(zip(part.passages, scores.tolist(), strict=True))
        for query, scores in zip(part.queries, queries @ passages.T, strict=True)
    }
    return 100 * statistics.mean(query_values(part.qrels, run)["nDCG@10"])


def measure(name: str, embedders: dict[str, Embedder], options: argparse.Namespace) -> dict[str, Any]:
    """A set's row: of each dtype its loss and cosines."""
    part = drawn(read_set(name), options.questions, options.passages)
    begun, vectors = time.perf_counter(), {}
    for dtype, embedder in embedders.items():
        vectors[dtype] = embedder.embed(part.queries.values(), "query"), embedder.embed(part.passages.values())
    exact = mean_ndcg(part, *vectors["fp32"])
    row: dict[str, Any] = {"set": name, "questions": len(part.queries), "passages": len(part.passages)}
    row["fp32"] = round(exact, 2)
    for dtype in options.dtypes.split(","):
        cosines = np.concatenate([(a * b).sum(1) for a, b in zip(vectors[dtype], vectors["fp32"], strict=True)])
        row[dtype] = {
            "gain": round(mean_ndcg(part, *vectors[dtype]) - exact, 2),
            "least_cosine": round(float(cosines.min()), 4), "median_cosine": round(float(np.median(cosines)), 5),
        }  # fmt: skip
    print(f"{row}  {time.perf_counter() - begun:.0f} s", flush=True)
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", metavar="SET", default=[*CHOSEN_ON, *REPORTED])
    parser.add_argument("--passages", type=int, default=1000)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--dtypes", default="bf16,int8")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # that long texts are cut
    embedders = {name: Embedder(max_seq_length=256, dtype=name) for name in ("fp32", *options.dtypes.split(","))}
    for embedder in embedders.values():
        embedder.embed(
            ["a river and its banks " * 200] * 8
        )  # loads the forward pass for bulk, which questions take too
    rows = [measure(name, embedders, options) for name in options.sets]
    means = {
        f"{dtype}, {title}": round(statistics.mean(gains), 3)
        for dtype in options.dtypes.split(",")
        for title, names in (("chosen on", CHOSEN_ON), ("reported", REPORTED), ("all", options.sets))
        if (gains := [row[dtype]["gain"] for row in rows if row["set"] in names])
    }
    print(means)
    report("int8", {"greatest_pair": most_of_pairs(), "rows": rows, "mean_gains": means})


if __name__ == "__main__":
    main()
