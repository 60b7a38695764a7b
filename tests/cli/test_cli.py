"""The command line: what a user types, what is printed where, and one clear line for whatever is wrong."""

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from models import save_bert
from running import TEXTS, Result, Run, one_line

# -- what the commands print


def test_add_prints_one_json_object_with_the_promised_keys(run: Run, tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello world", encoding="utf-8")
    result = run("add", "a.txt", "-m", tiny_bert, "--json")
    report = json.loads(result.out)
    assert {"documents", "passages", "tokens", "unchanged", "removed", "failed", "seconds"} <= report.keys()
    assert (report["documents"], report["passages"], report["tokens"], report["failed"]) == (1, 1, 2, [])


def test_a_second_add_embeds_nothing_and_says_so(run: Run, index: Path) -> None:
    report = json.loads(run("add", "texts", "--json").out)
    assert (report["documents"], report["embedded"], report["unchanged"]) == (0, 0, 3)
    assert "3 unchanged" in run("add", "texts").out


def test_search_jsonl_prints_a_hit_a_line_with_the_promised_keys(run: Run, index: Path) -> None:
    lines = run("search", "money in the bank account", "-k", 2, "--jsonl").out.splitlines()
    hits = [json.loads(line) for line in lines]
    assert list(hits[0]) == [
        "rank", "score", "id", "passage_id", "source", "title", "section", "start", "end", "line", "page", "text",
        "metadata",
    ]  # fmt: skip
    assert [hit["rank"] for hit in hits] == [1, 2]
    assert hits[0]["source"] == str(index.parent / "texts" / "bank.txt")
    assert hits[0]["score"] == pytest.approx(1, abs=1e-6)
    assert hits[0]["page"] is None


def test_search_json_is_one_list_and_its_table_names_rank_score_source_line_and_passage(run: Run, index: Path) -> None:
    hits = json.loads(run("search", "hello", "--json").out)
    assert len(hits) == 3
    table = run("search", "hello", "-k", 1).out
    assert "1.000" in table
    assert "texts/hello.txt:1" in table
    assert "    hello" in table


def test_queries_from_a_file_add_the_query_to_each_line(run: Run, index: Path, tmp_path: Path) -> None:
    (tmp_path / "q").write_text('hello\n\n{"text": "river"}\n', encoding="utf-8")
    rows = [json.loads(line) for line in run("search", "--queries", "q", "-k", 1, "--jsonl").out.splitlines()]
    assert [row["query"] for row in rows] == ["hello", "river"]
    assert "── river" in run("search", "--queries", "q").out


def test_nothing_found_is_no_error(run: Run, index: Path) -> None:
    result = run("search", "hello", "--where", "source = 'nowhere'")
    assert (result.code, result.out) == (0, "nothing found\n")
    assert run("search", "hello", "--where", "source = 'nowhere'", "--json").out == "[]\n"


def test_status_list_show_and_similar_agree(run: Run, index: Path) -> None:
    status = json.loads(run("status", "--json").out)
    assert (status["documents"], status["passages"], status["pooling"], status["dimension"]) == (3, 3, "mean", 32)
    assert status["index_type"] == "flat"
    listed = json.loads(run("list", "--json").out)
    assert [Path(row["source"]).name for row in listed] == ["bank.txt", "hello.txt", "river.txt"]
    assert run("show", "texts/bank.txt").out == TEXTS["bank.txt"] + "\n"
    shown = json.loads(run("show", "texts/bank.txt", "--json").out)
    assert [(part["start"], part["end"]) for part in shown["passages"]] == [(0, len(TEXTS["bank.txt"]))]
    similar = [json.loads(line)["source"] for line in run("similar", "texts/bank.txt", "--jsonl").out.splitlines()]
    assert {Path(source).name for source in similar} == {"hello.txt", "river.txt"}


def test_remove_takes_a_path_relative_to_the_current_folder(run: Run, index: Path) -> None:
    assert run("remove", "texts/bank.txt").out == "removed 1 document\n"
    assert "bank.txt" not in run("list").out


def test_stdin_is_indexed_under_its_label(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    piped = tmp_path / "piped"
    piped.write_bytes(b"# Title\n\nthe water flows")
    with piped.open() as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert run("add", "-", "--label", "https://example.org/a.md").code == 0
    hit = json.loads(run("search", "the water flows", "--where", "title = 'Title'", "--jsonl").out)
    assert (hit["source"], hit["section"]) == ("https://example.org/a.md", "Title")


def test_ask_answers_from_rows_with_question_and_answer(run: Run, index: Path, tmp_path: Path) -> None:
    (tmp_path / "faq.csv").write_text("question,answer\nwhere is the boat,tied up\nwhere is the money,42\n", "utf-8")
    assert run("add", "faq.csv").code == 0
    answer = json.loads(run("ask", "where is the money", "--json").out)
    assert list(answer) == ["answer", "question", "source", "score", "probability", "margin"]
    assert (answer["answer"], answer["question"]) == ("42", "where is the money")
    assert answer["source"].endswith("faq.csv#3")
    assert answer["probability"] is None
    assert run("ask", "where is the boat").out.startswith("tied up\n")
    assert json.loads(run("ask", "hello", "--json", "--min-score", "1.5").out)["answer"] is None


def test_embed_prints_the_vectors_that_the_library_gives(run: Run, tiny_bert: Path, tmp_path: Path) -> None:
    from searcher import Embedder

    expected = Embedder(tiny_bert, pooling="max", layers="-2:", combine="sum").embed(["hello world", "river"])
    options = ("-m", tiny_bert, "--pooling", "max", "--layers", "-2:", "--combine", "sum")
    printed = json.loads(run("embed", "hello world", "river", "--json", *options).out)
    np.testing.assert_allclose(printed, expected, atol=1e-6)
    run("embed", "hello world", "river", "--output", "v.npy", *options)
    np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), expected)
    pair = json.loads(run("embed", "hello", "world", "--pair", "--json", "-m", tiny_bert).out)
    np.testing.assert_allclose(pair, Embedder(tiny_bert).embed([("hello", "world")]), atol=1e-6)


def test_check_is_quiet_on_a_whole_index_and_fails_on_a_damaged_one(run: Run, index: Path) -> None:
    assert run("check").out == "all well: 3 documents, 3 passages\n"
    with sqlite3.connect(index / "searcher.db") as database:
        database.execute("UPDATE vectors SET vector = zeroblob(128) WHERE id = 1")
    database.close()
    result = run("check")
    assert result.code == 1
    assert "the vector of passage 1 is not what was stored" in result.out
    assert json.loads(run("check", "--json").out)["ok"] is False


def test_reindex_with_another_pooling_embeds_again_from_the_stored_text(run: Run, index: Path) -> None:
    shutil.rmtree(index.parent / "texts")
    assert run("reindex", "--pooling", "mean_max").code == 0
    status = json.loads(run("status", "--json").out)
    assert (status["pooling"], status["dimension"], status["passages"]) == ("mean_max", 64, 3)
    assert json.loads(run("search", "hello", "-k", 1, "--json").out)[0]["text"] == "hello"


def test_demo_indexes_the_samples_and_leaves_nothing_behind(run: Run, bundled: str, tmp_path: Path) -> None:
    result = run("demo")
    assert result.code == 0
    assert "mean-pooling.md" in result.out
    assert "faq.jsonl#padding" in result.out and "not calibrated" in result.out
    assert list(tmp_path.iterdir()) == []


# -- what is wrong, in one line


def test_a_missing_path_is_named(run: Run, index: Path) -> None:
    result = run("add", "texts", "nowhere.txt")
    assert result.code == 1
    assert "3 unchanged" in result.out
    assert result.err == "failed: nowhere.txt: no such file or folder\n"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["search", ""], ["query is empty"]),
        (["search", "  \n "], ["query is empty"]),
        (["search", "x", "--pooling", "avg"], ["unknown pooling 'avg'", "cls", "mean", "REDUCE_MEAN"]),
        (["search", "x", "--layers", "9"], ["layer 9 is out of range", "0 (embeddings) to 4"]),
        (["search", "x", "--layers", "two"], ["'two'", "not understood"]),
        (["search", "x", "--pooling", "max"], ["pooling", "'mean'", "'max'"]),
        (["search", "x", "--where", "lang = "], ["position 8"]),
        (["search", "x", "--where", "lang == == 'en'"], ["position 9"]),
        (["search", "x", "--where", "colour = 'red'"], ["unknown filter key 'colour'", "source", "title"]),
        (["search", "x", "-m", "no/where/at/all"], ["no model folder 'no/where/at/all'"]),
        (["search", "\ud800"], ["lone surrogate (U+D800)"]),
        (["similar", "nowhere.txt"], ["'nowhere.txt'"]),
        (["show", "nowhere.txt"], ["'nowhere.txt'"]),
        (["remove", "nowhere.txt"], ["'nowhere.txt'"]),
        (["remove", "--id", "7"], ["'7'"]),
        (["remove", ""], ["a source is empty"]),
        (["remove", "texts/bank.txt", ""], ["a source is empty"]),
        (["show", ""], ["a source is empty"]),
        (["similar", ""], ["a source is empty"]),
        (["add", ""], ["a path is empty"]),
        (["add", "texts", ""], ["a path is empty"]),
        (["faq", "add", ""], ["a path is empty"]),
        (["search", "x", "-i", "texts"], ["no index in texts", "searcher add"]),
        (["search", "x", "-i", "texts/bank.txt"], ["texts/bank.txt is a file; good: an index folder"]),
        (["show", "b\udce4d.txt"], ["'b\\udce4d.txt' is not UTF-8"]),
        (["remove", "b\udce4d.txt"], ["'b\\udce4d.txt' is not UTF-8"]),
        (["import", "chroma/", "--collection", "notes"], ["chroma", "No such file or directory"]),
        (["export", "no/where.jsonl"], ["no/where.jsonl cannot be written", "no is no folder"]),
        (["add", "texts", "-i", "texts/bank.txt/new"], ["no index can be made in", "texts/bank.txt is no folder"]),
        (["status", "-i", "nowhere"], ["no index in nowhere"]),
        (["add", "texts", "--chunk-tokens", "100"], ["chunk tokens", "64", "100"]),
        (["add", "texts", "-i", "new", "--chunk-tokens", "1000"], ["1000", "512"]),
        (["add", "texts", "-i", "new", "--chunk-tokens", "3"], ["3"]),
        (["add", "texts", "-i", "texts/bank.txt"], ["texts/bank.txt"]),
        (["reindex", "--pooling", "none"], ["none"]),
        (["eval", "nowhere"], ["'nowhere'"]),
        (["eval", "texts"], ["texts", "corpus.jsonl"]),
        (["inspect", "hello world", "--token", "bank"], ["'bank'", "hello, world"]),
        (["embed", "x", "--combine", "avg"], ["unknown combine 'avg'", "concat, mean, sum"]),
    ],
)
def test_bad_input_gets_one_line_that_names_the_bad_value_and_the_good_ones(
    run: Run, index: Path, tiny_bert: Path, bundled: str, arguments: list[str], parts: list[str]
) -> None:
    before = (index / "searcher.db").read_bytes()
    one_line(run(*arguments), *parts)
    assert (index / "searcher.db").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["search"], ["QUERY"]),
        (["search", "x", "-k", "many"], ["'many'", "-k"]),
        (["search", "x", "-k", "0"], ["'0' is not a whole number of at least 1"]),
        (["search", "x", "-k", "-3"], ["'-3' is not a whole number of at least 1"]),
        (["serch", "x"], ["serch"]),
        (["search", "x", "--colour", "red"], ["--colour"]),
        (["reindex", "--type", "tree"], ["tree", "flat"]),
        (["remove"], ["SOURCE"]),
        (["add"], ["PATH"]),
    ],
)
def test_wrong_usage_gets_one_line_and_exit_2(run: Run, arguments: list[str], parts: list[str]) -> None:
    one_line(run(*arguments), *parts, code=2)


def test_a_huge_k_is_clamped(run: Run, index: Path) -> None:
    assert len(json.loads(run("search", "hello", "-k", 10**9, "--json").out)) == 3


def test_a_broken_jsonl_line_is_reported_by_number_and_stops_nothing_else(
    run: Run, index: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.jsonl").write_text(
        '{"text": "one"}\n{"text": \n{"text": "three"}\n{"text": "\\ud800"}\n', "utf-8"
    )
    result = run("add", "rows.jsonl")
    assert result.code == 1
    assert "added 2 documents" in result.out
    assert "rows.jsonl: line 2" in result.err
    assert "line 4" in result.err
    assert "surrogate" in result.err


def test_an_index_of_another_model_is_refused_with_both_shown(run: Run, index: Path, tmp_path: Path) -> None:
    other = save_bert(tmp_path / "other-bert", seed=5)
    before = (index / "searcher.db").read_bytes()
    one_line(run("search", "hello", "-m", other), "model", "tiny-bert", "other-bert")
    assert (index / "searcher.db").read_bytes() == before


def test_a_file_over_the_limit_is_named_with_size_and_limit(run: Run, index: Path, tmp_path: Path) -> None:
    with (tmp_path / "huge.md").open("wb") as stream:
        stream.truncate(10**9)  # sparse: it takes no room
    result = run("add", "huge.md")
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "huge.md" in result.err
    assert "953.7 MiB" in result.err
    assert "the limit is 256 MiB" in result.err


def test_a_file_that_is_no_database_is_no_index(run: Run, index: Path) -> None:
    (index / "searcher.db").write_bytes(b"not a database, but long enough to look at " * 50)
    one_line(run("search", "hello"), "searcher.db")


def test_a_read_only_folder_is_named(index: Path, tiny_bert: Path, tmp_path: Path, powerless: list[str]) -> None:
    new = tmp_path / "closed" / "index"
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    command = [*powerless, sys.executable, "-m", "searcher", "add", "texts", "-i", str(new), "-m", str(tiny_bert)]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    one_line(Result(result.returncode, result.stdout, result.stderr), str(new), "ermission denied")
    index.chmod(0o555)
    (index / "searcher.db").chmod(0o444)
    (tmp_path / "texts" / "hello.txt").write_text("changed", encoding="utf-8")
    command = [*powerless, sys.executable, "-m", "searcher", "add", "texts"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    one_line(Result(result.returncode, result.stdout, result.stderr), "searcher.db", "cannot be written")
    command = [*powerless, sys.executable, "-m", "searcher", "search", "hello", "-k", "1"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert "hello.txt" in result.stdout


def test_output_that_nobody_reads_ends_quietly(index: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m searcher list --jsonl | true"
    result = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.stderr == ""


def test_no_escapes_in_what_is_not_a_terminal(run: Run, index: Path) -> None:
    assert "\x1b" not in run("search", "hello").out
    assert "\x1b" not in run("list").out
