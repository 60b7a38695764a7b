"""Whether "probably not here" is right: on sets with judgements, leaving each out of what the formula is fitted to.

Asked of each set's index: its own questions that have a relevant passage among the first ten hits, and as many questions
of the other sets, which it does not answer. Run with SEARCHER_DATA set:

    python benchmarks/presence.py --indexes FOLDER [SET …]

FOLDER keeps an index for each set, so that a second run embeds nothing.
"""

import argparse
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from common import report
from scipy.optimize import minimize

from searcher import Searcher
from searcher.engines import cosine
from searcher.ranking.presence import LONGEST, WEAK, measured
from searcher.words import telling

SETS = (
    "scifact", "cranfield", "stackfaq", "xquad-en", "medquad-liveqa", "covidq", "fiqa-pool", "cacm", "cosqa", "locomo",
    "obliqa", "time", "nq-oracle", "msmarco-dl1920", "cysticfibrosis", "keypoints",
)  # fmt: skip
MOST = 120  # questions of a set
STRENGTH = 0.01  # of the ridge


def folder_of(name: str) -> tuple[Path, str]:
    """The folder of a set, and how the ids of its part begin."""
    data = Path(os.environ["SEARCHER_DATA"])
    if name == "xquad-en":
        return data / "xquad", "en"
    return next(place for place in (data / "sets" / name, data / name) if place.is_dir()), ""


def questions(name: str) -> list[tuple[str, set[str]]]:
    """Some questions of a set, each with the ids of its relevant documents."""
    folder, begins = folder_of(name)
    relevant: dict[str, set[str]] = {}
    for file in (folder / "qrels").glob("*.tsv"):
        for line in file.read_text(encoding="utf-8").splitlines()[1:]:
            query, document, grade = line.split("\t")[:3]
            if float(grade) > 0:
                relevant.setdefault(query, set()).add(document)
    rows = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    found = [(row["text"], relevant[row["_id"]]) for row in rows if row["_id"] in relevant and len(row["text"]) < 400]
    found = [pair for pair, row in zip(found, rows, strict=False) if str(row["_id"]).startswith(begins)]
    random.Random(5).shuffle(found)
    return found[:MOST]


def index_of(name: str, place: Path) -> Searcher:
    """The index of a set, made where there is none."""
    searcher = Searcher(place / name)
    if not searcher.exists():
        folder, begins = folder_of(name)
        file = next(file for file in (folder / "corpus.jsonl", folder / "faq.jsonl") if file.exists())
        rows = [json.loads(line) for line in file.open(encoding="utf-8")]
        rows = [row for row in rows if str(row["_id"]).startswith(begins)]
        texts = [row.get("text") or row.get("question") or "" for row in rows]
        searcher.add_texts(texts, ids=[row["_id"] for row in rows])
    return searcher


def features(searcher: Searcher, asked: list[tuple[str, set[str]]], own: bool) -> Iterator[list[float]]:
    """What the formula looks at, of each question; of the set's own only those that are answered."""
    embedder, fingerprint = searcher._fitting()
    nothing = measured(searcher.engine, embedder, fingerprint)
    assert nothing is not None
    vectors = embedder.embed([text for text, _ in asked], "query")
    for (text, relevant), vector, hits in zip(
        asked, vectors, searcher.rank([text for text, _ in asked], 10), strict=True
    ):
        if own and not any(row.id in relevant for _, row in hits):
            continue
        row = hits[0][1]
        score, words = cosine(row, vector), telling(text, LONGEST)
        held = len(words & telling(row.text, LONGEST)) / len(words) if words else 0.5
        yield [(score - nothing.median) / nothing.deviation, (score - nothing.median) / (1 - nothing.median), held]


def fitted(sets: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(4,) float64: the bias and a weight for each feature, each set counting the same."""
    x, y = (np.concatenate([part[n] for part in sets]) for n in (0, 1))
    weight = np.concatenate([np.full(len(part[1]), 1 / len(part[1])) for part in sets])
    mean, spread = x.mean(0), x.std(0)

    def loss(theta: np.ndarray) -> float:
        sums = (x - mean) / spread @ theta[1:] + theta[0]
        return float(
            (weight * (np.logaddexp(0, sums) - y * sums)).sum() / weight.sum() + STRENGTH * (theta[1:] ** 2).sum()
        )

    theta = minimize(loss, np.zeros(4)).x
    return np.array([theta[0] - (theta[1:] * mean / spread).sum(), *(theta[1:] / spread)])


def main() -> None:
    """Print a line for each set that was left out, and the figures of all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--indexes", type=Path, required=True)
    given = parser.parse_args()
    pools = {name: questions(name) for name in given.sets}
    data: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, pool in pools.items():
        others = [pair for other in given.sets if other != name for pair in pools[other][:12]]
        random.Random(7).shuffle(others)
        with index_of(name, given.indexes) as searcher:
            own = list(features(searcher, pool, True))
            strange = list(features(searcher, others[:MOST], False))
        data[name] = np.array(own + strange), np.array([1.0] * len(own) + [0.0] * len(strange))
    rows = {}
    for name, (x, y) in data.items():
        weights = fitted([part for other, part in data.items() if other != name])
        p = 1 / (1 + np.exp(-(weights[0] + x @ weights[1:])))
        rows[name] = {"answered, called weak": float((p[y == 1] < WEAK).mean()),
                      "of elsewhere, not called weak": float((p[y == 0] >= WEAK).mean()),
                      "log loss": float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))}  # fmt: skip
        print(f"{name:<16}" + "  ".join(f"{key} {value:.3f}" for key, value in rows[name].items()))
    mean = {key: float(np.mean([row[key] for row in rows.values()])) for key in rows[next(iter(rows))]}
    print("mean            " + "  ".join(f"{key} {value:.3f}" for key, value in mean.items()))
    everything = fitted(list(data.values())).round(3).tolist()
    report("presence", {"sets": rows, "mean": mean, "fitted to all": everything})


if __name__ == "__main__":
    main()
