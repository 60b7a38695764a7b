"""Evaluation: measures against hand-worked values, and published figures on the real sets."""

import json
import math
from pathlib import Path

import pytest

from searcher import Searcher, SearcherError
from searcher.cli import main
from searcher.evaluation import evaluate, read_dataset
from searcher.evaluation.measuring import rank_documents


def write_set(
    folder: Path, corpus: list[dict[str, str]], queries: dict[str, str], qrels: list[tuple[str, str, int]]
) -> Path:
    """A set in BEIR layout."""
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus), "utf-8")
    rows = [{"_id": key, "text": text} for key, text in queries.items()]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    lines = ["query-id\tcorpus-id\tscore", *(f"{query}\t{document}\t{grade}" for query, document, grade in qrels)]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


CORPUS = [
    {"_id": "d1", "title": "Bank", "text": "money in the bank"},
    {"_id": "d2", "title": "", "text": "the boat is tied to the river bank"},
    {"_id": "d3", "title": "Hello", "text": "hello world"},
]


def test_the_measures_are_those_worked_by_hand(tiny_bert: Path, tmp_path: Path) -> None:
    # Each question is a document's own text: that document comes first, with cosine 1.
    queries = {"q1": "Bank money in the bank", "q2": "Hello hello world", "q3": "never judged"}
    # q1: its own document is not relevant, both others are, with grades 1 and 2; q2: its own is the only relevant one.
    dataset = read_dataset(
        write_set(tmp_path / "set", CORPUS, queries, [("q1", "d2", 1), ("q1", "d3", 2), ("q2", "d3", 1)])
    )
    searcher = Searcher(tmp_path / "index", tiny_bert)
    result = evaluate(dataset, searcher)
    order = list(rank_documents(searcher, dataset.queries)["q1"])
    assert order[0] == "d1"
    gains = [{"d1": 0, "d2": 1, "d3": 2}[document] for document in order]
    dcg = sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    assert result["nDCG@10"] == pytest.approx((dcg / ideal + 1) / 2)
    assert result["P@1"] == pytest.approx((0 + 1) / 2)
    assert result["MRR@10"] == pytest.approx((1 / 2 + 1) / 2)
    assert result["recall@10"] == result["recall@100"] == 1
    assert result["MAP@100"] == pytest.approx(((1 / 2 + 2 / 3) / 2 + 1) / 2)
    assert (result["dataset"], result["documents"], result["passages"], result["queries"]) == ("set", 3, 3, 2)
    assert result["pooling"] == "mean"


def test_a_document_ranks_by_its_best_passage(tiny_bert: Path, tmp_path: Path) -> None:
    long = " ".join(["river water flows near the boat."] * 30) + "\n\nhello world\n\n" + "money account. " * 60
    corpus = [{"_id": "long", "text": long}, {"_id": "short", "text": "the bank of the river is near it"}]
    dataset = read_dataset(write_set(tmp_path / "set", corpus, {"q": "hello world"}, [("q", "long", 1)]))
    searcher = Searcher(tmp_path / "index", tiny_bert, chunk_tokens=16)
    evaluate(dataset, searcher)
    best = max(hit.score for hit in searcher.search("hello world", k=1000) if hit.source == "long")
    assert rank_documents(searcher, {"q": "hello world"})["q"]["long"] == pytest.approx(best)


def test_one_document_with_many_passages_does_not_crowd_out_the_others(tiny_bert: Path, tmp_path: Path) -> None:
    corpus = [
        {"_id": "many", "text": "hello world. " * 4000},
        *({"_id": f"d{i}", "text": f"river {i}"} for i in range(99)),
    ]
    dataset = read_dataset(write_set(tmp_path / "set", corpus, {"q": "hello world"}, [("q", "d5", 1)]))
    searcher = Searcher(tmp_path / "index", tiny_bert, chunk_tokens=16)
    assert evaluate(dataset, searcher)["recall@100"] == 1
    assert len(rank_documents(searcher, {"q": "hello world"})["q"]) == 100


def test_a_second_run_on_a_kept_index_embeds_no_document(tiny_bert: Path, tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    first = evaluate(read_dataset(folder), Searcher(tmp_path / "index", tiny_bert))
    searcher = Searcher(tmp_path / "index")
    generation = searcher.status()["generation"]
    second = evaluate(read_dataset(folder), searcher)
    assert searcher.engine.counts()["passages"] == 3
    assert {**first, "seconds": 0} == {**second, "seconds": 0}
    assert searcher.status()["generation"] - generation <= 1


def test_ids_keep_documents_and_queries_that_match(tiny_bert: Path, tmp_path: Path) -> None:
    corpus = [{"_id": "en-1", "text": "hello"}, {"_id": "de-1", "text": "world"}]
    folder = write_set(
        tmp_path / "set", corpus, {"en-q": "hello", "de-q": "world"}, [("en-q", "en-1", 1), ("de-q", "de-1", 1)]
    )
    dataset = read_dataset(folder, "de-*")
    assert [document.source for document in dataset.documents] == ["de-1"]
    assert list(dataset.queries) == ["de-q"]


def test_truncate_indexes_one_passage_a_document(tiny_bert: Path, tmp_path: Path) -> None:
    corpus = [{"_id": "d", "text": "one two three four hello world " * 40}]
    dataset = read_dataset(write_set(tmp_path / "set", corpus, {"q": "hello"}, [("q", "d", 1)]))
    searcher = Searcher(tmp_path / "index", tiny_bert, chunk_tokens=32, truncate=True)
    assert evaluate(dataset, searcher)["passages"] == 1
    [hit] = searcher.search("hello")
    assert len(hit.text.split()) >= 20  # filled to the limit, not to a sentence


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("corpus.jsonl", '{"_id": "1", "text": "x"}\n{broken\n', "line 2"),
        ("corpus.jsonl", '{"text": "no id"}\n', "line 1: no _id"),
        ("queries.jsonl", '{"_id": "q"}\n', "line 1"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq\td1\thigh\n", "line 2"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n", "no judged queries"),
    ],
)
def test_a_broken_set_is_named_with_its_line(tmp_path: Path, file: str, content: str, problem: str) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    (folder / file).write_text(content, "utf-8")
    with pytest.raises(SearcherError, match=problem):
        read_dataset(folder)


def test_eval_json_is_one_object_with_the_promised_keys(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_set(tmp_path / "set", CORPUS, {"q": "hello"}, [("q", "d3", 1)])
    with pytest.raises(SystemExit) as stop:
        main(["eval", str(folder), "-m", str(tiny_bert), "--json"])
    assert stop.value.code == 0
    result = json.loads(capsys.readouterr().out)
    measures = ["nDCG@10", "P@1", "MRR@10", "recall@10", "recall@100", "MAP@100"]
    assert list(result)[:6] == measures
    assert {"dataset", "documents", "passages", "queries", "model", "pooling", "seconds"} <= result.keys()


def test_stackfaq_questions_reach_the_measured_figures(bundled: str, data: Path, tmp_path: Path) -> None:
    result = evaluate(read_dataset(data / "stackfaq"), Searcher(tmp_path / "index"))
    assert 100 * result["nDCG@10"] == pytest.approx(97.68, abs=0.1)
    assert 100 * result["P@1"] == pytest.approx(94.5, abs=0.1)


@pytest.mark.slow
def test_scifact_cut_at_256_tokens_reaches_the_published_ndcg(bundled: str, data: Path, tmp_path: Path) -> None:
    searcher = Searcher(tmp_path / "index", chunk_tokens=256, truncate=True, context=False)
    assert evaluate(read_dataset(data / "scifact"), searcher)["nDCG@10"] == pytest.approx(0.6451, abs=0.003)
