"""How good are the answers, by vectors, by words and by both, on sets that nothing was chosen on?

The weights of the hybrid score are fitted to judged passages (`fitting.py`). Every figure of "hybrid" is of weights that
all sets but those of its family chose. Beside it stand the better of dense and keyword search, what others do (reciprocal
rank fusion with k 60, half and half of both standardised), and the p of a two-sided paired randomisation test against the
better one. Then the same with all sets of a kind left out together, and with each column of evidence left out: the mean of the
sets, the worst, and how many lose.
The last line is JSON.

    SEARCHER_DATA=data python benchmarks/quality.py [SET …] [--folder DIR] [--questions N] [--maxsim N]

--folder keeps indexes and evidence for the next time, which then takes seconds; without, half an hour on two cores. Of a
set with more than --questions (400) so many are drawn. --maxsim also measures `--rerank maxsim`, by N questions of each set at
most, as it reads passages anew: dense and hybrid search with and without, the mean of the sets, the least, and how many lose.
SET: only these, of which each is reported by weights that no more than the others of them chose: a few say nothing.
"""

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np
from common import data_folder, report
from fitting import DEPTH, Judged, drawn, fit, gather, ndcg, precision

from searcher import Searcher
from searcher.evaluation import Dataset, compare_values, read_dataset
from searcher.evaluation.measures import query_values
from searcher.ranking.evidence import COLUMNS
from searcher.ranking.fusion import WEIGHTS, weighed
from searcher.ranking.rerank import MAXSIM
from searcher.records import Document

# Set → (folder, ids, family): the sets of a family are left out together. Those of OTHERS, of which an English model
# reads little, help to choose and are not reported in the mean.
SETS = {
    "scifact": ("scifact", "*", "scifact"),
    "cranfield": ("cranfield", "*", "cranfield"),
    "xquad-en": ("xquad", "en-*", "xquad"),
    "xquad-de": ("xquad", "de-*", "xquad"),
    "xquad-zh": ("xquad", "zh-*", "xquad"),
    "stackfaq": ("stackfaq", "*", "stackfaq"),
    "curekart": ("hint3-curekart", "", "hint3"),
    "sofmattress": ("hint3-sofmattress", "", "hint3"),
} | {
    name: (f"sets/{name}", "*", name)
    for name in (
        "arguana-birco", "cacm", "cosqa", "covidq", "cysticfibrosis", "fiqa-pool", "keypoints", "limit-small",
        "locomo", "medquad-liveqa", "msmarco-dl1920", "nq-oracle", "obliqa", "time", "whatsthatbook",
    )
}  # fmt: skip
OTHERS = ("xquad-de", "xquad-zh")
FAMILIES = {name: family for name, (_, _, family) in SETS.items()}
KINDS = FAMILIES | {
    name: kind
    for kind, names in {
        "abstracts": ("scifact", "cranfield", "cacm", "cysticfibrosis"),
        "paraphrases": ("stackfaq", "curekart", "sofmattress", "covidq"),
        "passages": ("xquad-en", *OTHERS, "nq-oracle", "msmarco-dl1920", "fiqa-pool", "medquad-liveqa"),
        "arguments": ("arguana-birco", "keypoints"),
    }.items()
    for name in names
}  # families of sets that are alike, though of different makers
PARTS = {name: (name,) for name in COLUMNS if name != "cosine"} | {
    "both gates": ("words brief", "words led"),
    "rare and rare led": ("rare", "rare led"),
    "near cosine and crowd": ("near cosine", "crowd"),
    "all but both scores": tuple(COLUMNS[2:]),
}


def read_set(name: str) -> Dataset:
    """One of SETS; of HINT3 each phrasing is a document, and those of the right answer are relevant."""
    folder, ids, _ = SETS[name]
    if ids:
        return read_dataset(data_folder() / folder, ids)
    rows, asked = (_lines(data_folder() / folder / file) for file in ("phrasings.jsonl", "queries.jsonl"))
    documents = [Document(str(i), row["question"], id=str(i)) for i, row in enumerate(rows)]
    qrels: dict[str, dict[str, float]] = {
        row["_id"]: {str(i): 1.0 for i, phrasing in enumerate(rows) if phrasing["answer"] == row["answer"]}
        for row in asked
        if row["answer"] is not None
    }
    qrels = {query: right for query, right in qrels.items() if right}
    texts = {row["_id"]: row["text"] for row in asked if row["_id"] in qrels}
    return Dataset(name, data_folder() / folder / "phrasings.jsonl", documents, texts, qrels)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def simple(judged: Judged) -> dict[str, list[np.ndarray]]:
    """What needs no choice: the scores of each way to search, of every question."""

    def ranks(scores: np.ndarray) -> np.ndarray:
        return np.argsort(np.argsort(-scores, kind="stable"), kind="stable")

    ways: dict[str, list[np.ndarray]] = {"dense": [], "keyword": [], "rank fusion": [], "half and half": []}
    for cosines, bm25 in zip(judged.cosines, judged.bm25, strict=True):
        held = bm25 > 0
        ways["dense"].append(cosines)
        ways["keyword"].append(np.where(held, bm25, -1.0))
        ways["rank fusion"].append(1 / (61 + ranks(cosines)) + held / (61 + ranks(bm25)))
        both = [(each - each.mean()) / (each.std() or 1) for each in (cosines, bm25)]
        ways["half and half"].append(both[0] + both[1])
    return ways


def left_out(
    sets: dict[str, Judged], columns: list[int], families: dict[str, str] = FAMILIES
) -> dict[str, list[np.ndarray]]:
    """The scores on each set by weights that the sets of other families chose."""
    scores = {}
    start = fit(list(sets.values()), columns)
    for family in dict.fromkeys(families[name] for name in sets):
        others = [judged for name, judged in sets.items() if families[name] != family]
        weights = fit(others, columns, start) if others else start
        for name, judged in sets.items():
            if families[name] == family:
                every = np.zeros(len(COLUMNS))
                every[columns] = weights
                scores[name] = [weighed(own, every) for own in judged.columns]
    return scores


def against(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """The difference in points, and its p."""
    test = compare_values([_named(ours)], [_named(theirs)])["nDCG@10"]
    return 100 * test.difference, test.p


def _named(values: np.ndarray) -> dict[str, list[float]]:
    from searcher.evaluation import MEASURES

    return dict.fromkeys(MEASURES, values.tolist())


def table(sets: dict[str, Judged]) -> list[dict[str, Any]]:
    """A row for each set, printed as it comes."""
    chosen = left_out(sets, list(range(len(COLUMNS))))
    shipped = np.array(list(WEIGHTS.values()))
    names = ("dense", "keyword", "rank fusion", "half and half", "shipped", "hybrid")
    print(f"{'set':15} n    " + " ".join(f"{name:>13}" for name in names) + "   less the better      p    P@1")
    rows = []
    for name, judged in sets.items():
        found = {way: ndcg(judged, scores) for way, scores in simple(judged).items()}
        found["shipped"] = ndcg(judged, [weighed(own, shipped) for own in judged.columns], safely=True)
        found["hybrid"] = ndcg(judged, chosen[name], safely=True)
        better = max(("dense", "keyword"), key=lambda way: found[way].mean())
        difference, p = against(found["hybrid"], found[better])
        row = {"set": name, "questions": len(judged.columns), "against": better, "difference": difference, "p": p}
        row |= {way: 100 * float(values.mean()) for way, values in found.items()}
        row["oracle"] = 100 * float(np.maximum(found["dense"], found["keyword"]).mean())
        row["P@1"] = 100 * float(precision(judged, chosen[name]).mean())
        rows.append(row)
        print(f"{name:15} {row['questions']:4} " + " ".join(f"{row[way]:13.2f}" for way in names)
              + f"   {difference:+6.2f} {better:8} {p:.4f}  {row['P@1']:.1f}", flush=True)  # fmt: skip
    return rows


def verdict(differences: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """Mean and least difference, and how many sets are below by more than half a point, and significantly."""
    counted = {name: value for name, value in differences.items() if name not in OTHERS}
    values = np.array([value for value, _ in counted.values()])
    lost = sorted(name for name, (value, p) in counted.items() if value < 0 and p < 0.05)
    least = min(counted, key=lambda name: counted[name][0])
    return {"mean": float(values.mean()), "least": float(values.min()), "on": least,
            "below .5": int((values < -0.5).sum()), "significantly": lost}  # fmt: skip


def shown(name: str, found: dict[str, Any]) -> None:
    """A line of a verdict."""
    print(f"{name:32} mean {found['mean']:+5.2f}, least {found['least']:+6.2f} on {found['on']}, below by over .5: "
          f"{found['below .5']}, significantly: {', '.join(found['significantly']) or 'none'}", flush=True)  # fmt: skip


def judge(sets: dict[str, Judged], scores: dict[str, list[np.ndarray]], safely: bool) -> dict[str, Any]:
    """The verdict on some scores against the better of dense and keyword search on each set."""
    differences = {}
    for name, judged in sets.items():
        single = [ndcg(judged, simple(judged)[way]) for way in ("dense", "keyword")]
        better = max(single, key=lambda values: values.mean())
        differences[name] = against(ndcg(judged, scores[name], safely), better)
    return verdict(differences)


def ablation(sets: dict[str, Judged]) -> dict[str, Any]:
    """The verdict on what others do, on ours, and on ours without each part."""
    ways = {
        way: {name: simple(judged)[way] for name, judged in sets.items()} for way in ("rank fusion", "half and half")
    }
    found = {way: judge(sets, scores, safely=False) for way, scores in ways.items()}
    columns = list(range(len(COLUMNS)))
    every = left_out(sets, columns)
    found |= {"hybrid": judge(sets, every, True), "… not made safe": judge(sets, every, False)}
    found["… all sets of its kind left out"] = judge(sets, left_out(sets, columns, KINDS), True)
    for part, names in PARTS.items():
        kept = [place for place, name in enumerate(COLUMNS) if name not in names]
        found[f"… without {part}"] = judge(sets, left_out(sets, kept), True)
    for name, verdict_ in found.items():
        shown(name, verdict_)
    return found


def looked(name: str, folder: Path, most: int) -> list[dict[str, Any]]:
    """What a closer look by MaxSim adds to dense and to hybrid search on a set, and the milliseconds of a question."""
    dataset = read_set(name)
    asked = drawn(dataset, most)
    texts, rows = [dataset.queries[query] for query in asked], []
    qrels = {query: dataset.qrels[query] for query in asked}
    with Searcher(folder / "index" / name) as searcher:
        searcher.add_documents(dataset.documents)
        for mode in MAXSIM:
            found, each = [], []
            for rerank in (None, "maxsim"):
                begun = process_time()
                hits = searcher.rank(texts, DEPTH, per_document=1, literal=True, mode=mode, rerank=rerank)
                each.append(1000 * (process_time() - begun) / len(asked))
                run = {query: {row.source: -float(rank) for rank, (_, row) in enumerate(own)}
                       for query, own in zip(asked, hits, strict=True)}  # fmt: skip
                found.append(100 * np.array(query_values(qrels, run)["nDCG@10"]))
            difference, p = against(found[1] / 100, found[0] / 100)
            rows.append({"set": name, "questions": len(asked), "mode": mode, "alone": found[0].mean(),
                         "maxsim": found[1].mean(), "difference": difference, "p": p, "ms": each})  # fmt: skip
            print(f"{name:15} {mode:7} {rows[-1]['alone']:6.2f} → {rows[-1]['maxsim']:6.2f} ({difference:+.2f}, "
                  f"p {p:.4f}), {each[0]:.0f} → {each[1]:.0f} ms of a CPU a question", flush=True)  # fmt: skip
    return rows


def main() -> None:
    """Print the tables, and all of it as the last line."""
    parser = argparse.ArgumentParser(description="nDCG@10 of dense, keyword and hybrid search, each set left out")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--maxsim", type=int, metavar="N", default=0)
    given = parser.parse_args()
    if unknown := set(given.sets) - set(SETS):
        parser.error(f"unknown set {min(unknown)!r}; known: {', '.join(SETS)}")
    with TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        names = [name for name in SETS if not given.sets or name in given.sets]
        sets = {name: gather(name, read_set, folder, given.questions) for name in names}
        rows = table(sets)
        weights = dict(zip(COLUMNS, fit(list(sets.values()), list(range(len(COLUMNS)))).round(2).tolist(), strict=True))
        print("weights that all of these sets choose:", weights)
        parts = ablation(sets)
        closer = [row for name in names if given.maxsim for row in looked(name, folder, given.maxsim)]
    for mode in dict.fromkeys(row["mode"] for row in closer):
        own = {row["set"]: (row["difference"], row["p"]) for row in closer if row["mode"] == mode}
        parts[f"maxsim after {mode}"] = verdict(own)
        shown(f"maxsim after {mode}", verdict(own))
    report("quality", {"rows": rows, "weights": weights, "ablation": parts, "maxsim": closer})


if __name__ == "__main__":
    main()
