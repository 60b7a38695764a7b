"""How good are the answers, by vectors, by words, by both, and looked at more closely?

Ranks every set's documents in each of WAYS and prints nDCG@10 and P@1, with the difference from the better of dense and
keyword search and the p of a two-sided paired randomisation test (10,000 sign flips; Smucker, Allan & Carterette 2007).
The last line is JSON.

No figure is of constants chosen on its own set: each is of the HELD_OUT ones, which the other sets chose (the German and
Chinese xquad among them, of which an English model reads little), by the mean gain on the better of dense and keyword
search, a loss counted three times, among a few values each. What searcher ships was chosen on all sets: --shipped.

    SEARCHER_DATA=data python benchmarks/quality.py [SET …] [--folder DIR] [--shipped]

--folder keeps the indexes for the next time. About ten minutes on two cores without them.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from common import data_folder, machine

from searcher import Searcher
from searcher.evaluation import Dataset, read_dataset
from searcher.ranking import feedback, fusion, rerank, smoothing
from searcher.records import Document

WAYS: dict[str, dict[str, Any]] = {
    "dense": {},
    "keyword": {"mode": "keyword"},
    "dense, maxsim": {"rerank": "maxsim"},
    "hybrid, no feedback": {"mode": "hybrid", "feedback": False},
    "hybrid": {"mode": "hybrid"},
    "hybrid, maxsim": {"mode": "hybrid", "rerank": "maxsim"},
}
SINGLE = ("dense", "keyword")  # the ways that the others are compared with
GROUPS = {  # set → (folder, ids); sets of one letter were left out together
    "scifact": ("scifact", "*", "a"),
    "cranfield": ("cranfield", "*", "b"),
    "xquad-en": ("xquad", "en-*", "c"),
    "xquad-de": ("xquad", "de-*", "c"),
    "xquad-zh": ("xquad", "zh-*", "c"),
    "stackfaq": ("stackfaq", "*", "d"),
    "curekart": ("hint3-curekart", "", "e"),
    "sofmattress": ("hint3-sofmattress", "", "e"),
}
SHOWN = ("scifact", "cranfield", "xquad-en", "stackfaq", "curekart", "sofmattress")
CHOSEN = {name: [other for other in GROUPS if GROUPS[other][2] != GROUPS[name][2]] for name in GROUPS}
# Letter of the sets left out → the constants that the others chose: those of fusion; of feedback and smoothing together;
# MAXSIM's weights.
HELD_OUT = {
    "a": (0.9, 8.0, 0.45, 5, 6, 2.0, 4.0, 2.0),
    "b": (0.9, 8.0, 0.3, 10, 4, 1.0, 4.0, 2.0),
    "c": (0.9, 8.0, 0.45, 5, 6, 2.0, 2.5, 2.0),
    "d": (1.1, 16.0, 0.8, 5, 6, 2.0, 4.0, 2.0),
    "e": (0.9, 8.0, 0.3, 10, 4, 1.0, 4.0, 2.0),
}
FLIPS = 10_000
DISCOUNTS = 1 / np.log2(np.arange(2, 12))


def read_set(name: str) -> Dataset:
    """A set of GROUPS; of HINT3 each phrasing is a document, and those of the right answer are relevant."""
    folder, ids, _ = GROUPS[name]
    if ids:
        return read_dataset(data_folder() / folder, ids)
    rows, asked = (_lines(data_folder() / folder / file) for file in ("phrasings.jsonl", "queries.jsonl"))
    documents = [Document(str(i), row["question"], id=str(i)) for i, row in enumerate(rows)]
    qrels = {
        row["_id"]: {str(i): 1 for i, phrasing in enumerate(rows) if phrasing["answer"] == row["answer"]}
        for row in asked
        if row["answer"] is not None
    }
    qrels = {query: right for query, right in qrels.items() if right}
    texts = {row["_id"]: row["text"] for row in asked if row["_id"] in qrels}
    return Dataset(name, data_folder() / folder / "phrasings.jsonl", documents, texts, qrels)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def values(dataset: Dataset, searcher: Searcher, how: dict[str, Any]) -> np.ndarray:
    """nDCG@10 and P@1 of each query, a document ranked by its best passage. (2, q)."""
    ranked = searcher.rank(list(dataset.queries.values()), 10, per_document=1, literal=True, **how)
    rows = []
    for hits, right in zip(ranked, dataset.qrels.values(), strict=True):
        gains = np.array([right.get(row.source, 0) for _, row in hits] or [0], dtype=float)
        best = np.array(sorted(right.values(), reverse=True)[:10], dtype=float)
        ideal = float((best * DISCOUNTS[: len(best)]).sum())
        rows.append((float((gains * DISCOUNTS[: len(gains)]).sum()) / ideal, float(gains[0] > 0)))
    return np.array(rows).T


def p_value(differences: np.ndarray, flips: int = FLIPS, seed: int = 0) -> float:
    """How probable a mean difference of at least that size is, were the two rankings alike. (q,)."""
    random, observed, seen = np.random.default_rng(seed), abs(differences.sum()), 0
    for _ in range(0, flips, 1_000):
        signs = random.integers(0, 2, (1_000, len(differences)), dtype=np.int8) * 2 - 1
        seen += int((np.abs(signs @ differences) >= observed - 1e-9).sum())
    return (seen + 1) / (flips + 1)


def use(constants: tuple[float, ...]) -> None:
    """Search with other constants than those that are shipped."""
    fusion.KEYWORD, fusion.FULL, feedback.WEIGHT, *neighbours, dense, hybrid = constants
    smoothing.NEIGHBOURS, smoothing.POWER, smoothing.WEIGHT = neighbours
    for mode, weight in (("dense", dense), ("hybrid", hybrid)):
        rerank.MAXSIM[mode] = rerank.MAXSIM[mode]._replace(weight=weight)


def measure(name: str, open_index: Callable[[str], Searcher], shipped: bool) -> list[dict[str, Any]]:
    """A row for each way on one set, printed as it comes."""
    if not shipped:
        use(HELD_OUT[GROUPS[name][2]])
    dataset = read_set(name)
    rows: list[dict[str, Any]] = []
    found: dict[str, np.ndarray] = {}
    with open_index(name) as searcher:
        searcher.add_documents(dataset.documents)
        for way, how in WAYS.items():
            found[way] = values(dataset, searcher, how)
            row: dict[str, Any] = {"set": name, "way": way, "queries": found[way].shape[1]}
            row |= dict(zip(("nDCG@10", "P@1"), (100 * found[way].mean(axis=1)).round(2).tolist(), strict=True))
            if way not in SINGLE:
                better = max(SINGLE, key=lambda single: found[single][0].mean())
                difference = found[way][0] - found[better][0]
                row |= {"against": better, "difference": round(100 * float(difference.mean()), 2)}
                row["p"] = round(p_value(difference), 4)
            rows.append(row)
            show(row)
    return rows


def show(row: dict[str, Any]) -> None:
    """A line of the table."""
    against = f"{row['difference']:+6.2f} on {row['against']}, p {row['p']:.4f}" if "p" in row else ""
    print(f"{row['set']:12} {row['way']:20} {row['nDCG@10']:6.2f} {row['P@1']:6.2f}  {against}", flush=True)


def main() -> None:
    """Print the table, and all of it as the last line."""
    parser = argparse.ArgumentParser(description="nDCG@10 and P@1 of every way to search")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--shipped", action="store_true", help="with the constants chosen on all sets")
    given = parser.parse_args()
    if unknown := set(given.sets) - set(GROUPS):
        parser.error(f"unknown set {min(unknown)!r}; known: {', '.join(GROUPS)}")
    print(f"{'set':12} {'way':20} nDCG@10   P@1")
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        sets = given.sets or SHOWN
        rows = [row for name in sets for row in measure(name, lambda name: Searcher(folder / name), given.shipped)]
    hybrid = [row["difference"] for row in rows if row["way"] == "hybrid"]
    print(f"hybrid against the better of dense and keyword: mean {np.mean(hybrid):+.2f}, least {min(hybrid):+.2f}")
    on = {name: list(GROUPS) if given.shipped else CHOSEN[name] for name in sets}
    print(json.dumps({"machine": machine(), "chosen_on": on, "rows": rows}))


if __name__ == "__main__":
    main()
