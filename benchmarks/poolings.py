"""Which layer, which pooling, and is [CLS] any good? Every layer and pooling of a model, as they are and whitened.

STS Benchmark test (Spearman's rank correlation of cosines with people's scores, × 100) and nDCG@10 × 100 on three sets, of
every pooling of one layer; whitenings are fitted on the texts themselves. Then the same of the model's shape with random
weights. The last line is JSON.

    SEARCHER_DATA=data python benchmarks/poolings.py [--model NAME] [--sets DIR …] [--no-random]
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from common import data_folder, report

from searcher import Searcher
from searcher.embedding import WHITENINGS, Embedder, Whitening
from searcher.evaluation import read_dataset, sweep
from searcher.evaluation.sweep import poolings_of

SETS = ("stackfaq", "cranfield", "sets/fiqa-pool")
Row = tuple[str, int, str]  # pooling, layer, whitening


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """The correlation of ranks, equals by their mean rank; 0 where all are equal."""
    if not np.ptp(first) or not np.ptp(second):
        return 0.0
    ranks = []
    for values in (first, second):
        _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[places])
    return float(np.corrcoef(*ranks)[0, 1])


def likeness(embedder: Embedder) -> dict[Row, float]:
    """What every pooling of one layer makes of the pairs of STS Benchmark."""
    lines = (data_folder() / "stsb-test.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    texts = [pair[side] for side in ("a", "b") for pair in pairs]
    alone = [own for own in poolings_of(embedder) if len(own.layers) == 1 and len(own.parts) == 1 and not own.pooler]
    sequences = [own for own, _ in embedder.sequences(texts, "query")]
    vectors = {own: np.empty((len(texts), embedder.model.width), np.float32) for own in alone}
    for batch, pooled in embedder.pooled(sequences, alone, "query"):
        for own, found in zip(alone, pooled, strict=True):
            vectors[own][batch] = found
    wanted = np.array([float(pair["score"]) for pair in pairs])
    values = {}
    for own, plain in vectors.items():
        forms = {"": plain} | {name: Whitening.fit(plain, power)(plain) for name, power in WHITENINGS.items()}
        for name, form in forms.items():
            unit = form / np.maximum(np.linalg.norm(form, axis=1, keepdims=True), 1e-12)
            cosines = np.einsum("nd,nd->n", unit[: len(pairs)], unit[len(pairs) :])
            values[own.name, own.layers[0], name] = 100 * spearman(cosines, wanted)
    return values


def measured(model: str | Path, sets: list[str]) -> dict[str, dict[Row, float]]:
    """Each set → what every pooling of one layer is worth on it."""
    found = {"STS-B": likeness(Embedder(model))}
    for name in sets:
        with TemporaryDirectory() as temporary, Searcher(Path(temporary) / "index", model) as searcher:
            rows = sweep(read_dataset(data_folder() / name), searcher)
        found[Path(name).name] = {
            (row.pooling.name, row.pooling.layers[0], row.whitening): 100 * row.values["nDCG@10"]
            for row in rows
            if len(row.pooling.layers) == 1
        }
    return found


def show(title: str, found: dict[str, dict[Row, float]]) -> None:
    """A Markdown table for each set: a row for each layer, raw / best whitening in a cell."""
    for name, values in found.items():
        poolings = sorted({pooling for pooling, _, _ in values})
        forms: dict[tuple[str, int], list[str]] = defaultdict(list)
        for (pooling, layer, whitening), value in sorted(values.items()):
            forms[pooling, layer].append(f"{whitening or 'raw'} {value:.1f}")
        print(f"\n{title}, {name}\n\n| layer | " + " | ".join(poolings) + " |\n|" + "---|" * (len(poolings) + 1))
        for layer in sorted({layer for _, layer, _ in values}):
            print(
                f"| {layer} | " + " | ".join(", ".join(forms.get((own, layer), [])) for own in poolings) + " |",
                flush=True,
            )


def untrained(model: str, folder: Path) -> Path:
    """A model of the same shape and tokenizer whose weights are random, as a folder."""
    from transformers import AutoConfig, AutoTokenizer, BertModel, set_seed

    from searcher.embedding import model_folder

    set_seed(0)
    source = model_folder(model)
    BertModel(AutoConfig.from_pretrained(source)).save_pretrained(folder)
    AutoTokenizer.from_pretrained(source).save_pretrained(folder)
    return folder


def main() -> None:
    """Print the tables, and all of it as the last line."""
    parser = argparse.ArgumentParser(description="every layer and pooling of a model")
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--no-random", action="store_true")
    given = parser.parse_args()
    results: dict[str, dict[str, Any]] = {given.model: measured(given.model, given.sets)}
    show(given.model, results[given.model])
    if not given.no_random:
        with TemporaryDirectory() as temporary:
            results["random weights"] = measured(untrained(given.model, Path(temporary) / "model"), given.sets[:1])
        show("random weights", results["random weights"])
    report("poolings", {
        model: {name: [[*row, round(value, 2)] for row, value in own.items()] for name, own in found.items()}
        for model, found in results.items()
    })  # fmt: skip


if __name__ == "__main__":
    main()
