"""Does the highlighted sentence hold the answer, and how long does it take for ten hits?

    SEARCHER_DATA=… python benchmarks/highlight.py [--language en] [--questions 1190] [--rounds 15]

XQuAD: for every question the sentence that is chosen of the paragraph that holds its answer (a passage of up to 512
tokens), against its first sentence and against the sentence whose own vector is nearest to the question's, with the
paired randomisation test. Then the time that highlighting adds to ten hits of a search, in a process that has
imported torch. The constant of `searcher/highlight.py` was chosen on de and zh: report en.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from common import data_folder, report

from searcher import Embedder, Searcher
from searcher.embedding import highlighted
from searcher.embedding.highlight import best_sentences, sentences
from searcher.evaluation import evaluate, read_dataset
from searcher.evaluation.comparing import paired_test


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--language", default="en")
    parser.add_argument("--questions", type=int, default=1190)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    result = accuracy(options.language, options.questions) | times(options.language, options.rounds)
    report("highlight", {"language": options.language, **result})


def accuracy(language: str, limit: int) -> dict[str, Any]:
    """Share of the questions whose answer lies in the chosen sentence."""
    folder = data_folder() / "xquad"
    dataset = read_dataset(folder, f"{language}-*")
    rows = {row["_id"]: row for row in map(json.loads, (folder / "queries.jsonl").open(encoding="utf-8"))}
    paragraphs = {row["_id"]: row["text"] for row in map(json.loads, (folder / "corpus.jsonl").open(encoding="utf-8"))}
    embedder = Embedder(max_seq_length=512)
    spans = {key: sentences(text) for key, text in paragraphs.items() if key.startswith(language)}
    each = [paragraphs[key][a:b] for key, own in spans.items() for a, b in own]
    alone = dict(zip(each, embedder.embed(each), strict=True))  # imports torch
    asked = dict(zip(dataset.queries, embedder.embed(list(dataset.queries.values()), "query"), strict=True))
    hits: dict[str, list[float]] = {"first sentence": [], "sentence's own vector": [], "highlight": [], "possible": []}
    for query in list(dataset.queries)[:limit]:
        [document] = dataset.qrels[query]
        text, row, own = paragraphs[document], rows[query], spans[document]
        start, end = row["answer_start"], row["answer_start"] + len(row["answer"])
        likeness = [float(alone[text[a:b]] @ asked[query]) for a, b in own]
        chosen = {
            "first sentence": own[:1],
            "sentence's own vector": [own[likeness.index(max(likeness))]],
            "highlight": best_sentences(embedder, row["text"], [text]),
            "possible": own,
        }
        for name, found in chosen.items():
            hits[name].append(float(any(a <= start and end <= b for a, b in found)))
    shares = {name: round(100 * statistics.fmean(values), 1) for name, values in hits.items()}
    tests = {
        f"p against {name}": paired_test(hits["highlight"], hits[name]).p
        for name in ("first sentence", "sentence's own vector")
    }
    print(f"{len(hits['highlight'])} questions of {language}: {shares}, {tests}")
    return {"questions": len(hits["highlight"]), "percent": shares, **tests}


def times(language: str, rounds: int) -> dict[str, Any]:
    """Milliseconds that the highlights of ten hits take, over so many questions."""
    dataset = read_dataset(data_folder() / "xquad", f"{language}-*")
    with tempfile.TemporaryDirectory() as temporary, Searcher(Path(temporary) / "index") as searcher:
        evaluate(dataset, searcher)  # imports torch
        seconds, tokens = [], []
        for number, question in enumerate(list(dataset.queries.values())[: rounds + 2]):
            hits = searcher.search(question)
            begun = time.perf_counter()
            highlighted(searcher.embedder, question, hits)
            if number >= 2:  # warm by then
                seconds.append(1000 * (time.perf_counter() - begun))
            tokens.append(sum(len(own) for own in searcher.embedder.model.tokenizer.encode([hit.text for hit in hits])))
    print(f"ten hits of {statistics.median(tokens):.0f} tokens: {statistics.median(seconds):.1f} ms "
          f"({min(seconds):.1f}-{max(seconds):.1f})")  # fmt: skip
    return {
        "tokens": statistics.median(tokens),
        "ms": {"median": round(statistics.median(seconds), 1), "least": round(min(seconds), 1),
               "greatest": round(max(seconds), 1)},
    }  # fmt: skip


if __name__ == "__main__":
    main()
