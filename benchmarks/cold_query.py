"""How long does the first answer take from a cold shell, against a sentence-transformers + FAISS script?

    SEARCHER_DATA=… python benchmarks/cold_query.py [--rounds 7]

Indexes SciFact once; then each round starts a new process of each contender, which embeds one question and prints the
nearest passages; ours for people, which marks the sentence of each that answers, and for programs. Wall seconds, peak
memory, and that of `searcher --help`.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
from common import data_folder, report, run_process

from searcher import Searcher
from searcher.embedding.models import load_model
from searcher.evaluation import evaluate, read_dataset

QUESTION = "aspirin prevents stroke"
PEER = "sentence-transformers + faiss"
SCRIPT = """
import sys, faiss, json
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
index = faiss.read_index(sys.argv[2])
scores, rows = index.search(model.encode([sys.argv[3]]), 10)
texts = json.load(open(sys.argv[2] + ".json"))
for score, row in zip(scores[0], rows[0]):
    print(score, texts[row][:200])
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        searcher = Searcher(folder / "index")
        evaluate(read_dataset(data_folder() / "scifact"), searcher)
        prepare_script(folder, searcher)
        program = [sys.executable, "-m", "searcher"]
        contenders = {
            "searcher search": [*program, "search", QUESTION, "-i", str(folder / "index")],
            "searcher search --json": [*program, "search", QUESTION, "-i", str(folder / "index"), "--json"],
            PEER: [
                sys.executable, str(folder / "script.py"), str(load_model().folder), str(folder / "flat"), QUESTION,
            ],
            "searcher --help": [*program, "--help"],
        }  # fmt: skip
        for command in contenders.values():
            run_process(command)
        seen: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for _ in range(rounds):
            for name, command in contenders.items():
                seen[name].append(run_process(command))
    ours, theirs = ([seconds for seconds, _ in seen[name]] for name in ("searcher search", PEER))
    ratios = [slow / fast for slow, fast in zip(theirs, ours, strict=True)]
    result = {}
    for name, values in seen.items():
        seconds = [value for value, _ in values]
        result[name] = {"seconds": round(statistics.median(seconds), 3), "MB": round(max(mb for _, mb in values))}
        print(
            f"{name:32} {statistics.median(seconds):.3f} s ({min(seconds):.3f}-{max(seconds):.3f}), {result[name]['MB']} MB"
        )
    print(f"faster by {statistics.median(ratios):.1f} x ({min(ratios):.1f}-{max(ratios):.1f})")
    report("cold_query", {"results": result, "ratio": round(statistics.median(ratios), 2)})


def prepare_script(folder: Path, searcher: Searcher) -> None:
    """The peer's script, its FAISS file and texts: the same passages."""
    import json

    import faiss

    ids, vectors = searcher.engine.vectors()
    rows = searcher.engine.rows(ids.tolist())
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    faiss.write_index(index, str(folder / "flat"))
    (folder / "flat.json").write_text(json.dumps([rows[number].text for number in ids.tolist()]), encoding="utf-8")
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")


if __name__ == "__main__":
    main()
