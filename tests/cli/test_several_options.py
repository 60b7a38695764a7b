"""What options together give: one format that a program can read whole, or one line that says which to leave out."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from running import TEXTS, Run, one_line


def rows_of(out: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out, newline="")))


@pytest.fixture
def asked(index: Path) -> None:
    (index.parent / "q.txt").write_text("hello\nriver, bank\n", encoding="utf-8")


def test_the_hits_of_many_questions_are_one_table_of_csv(run: Run, asked: None) -> None:
    out = run("search", "--queries", "q.txt", "-k", 2, "--format", "csv").out
    objects = [json.loads(line) for line in run("search", "--queries", "q.txt", "-k", 2, "--jsonl").out.splitlines()]
    rows = rows_of(out)
    assert [row["query"] for row in rows] == ["hello", "hello", "river, bank", "river, bank"]
    assert [(row["query"], row["source"], row["text"]) for row in rows] == [
        (row["query"], row["source"], row["text"]) for row in objects
    ]
    assert out.count("rank,score,id") == 1
    assert run("search", "--queries", "q.txt", "--where", "no = 1", "--format", "csv").out == ""


def test_the_files_of_many_questions_are_named_once_and_nothing_else(run: Run, asked: None) -> None:
    out = run("search", "--queries", "q.txt", "--format", "files").out
    assert sorted(out.splitlines()) == sorted(str(Path("texts", name)) for name in TEXTS)


def test_documents_of_many_questions_come_in_the_format_asked_for(run: Run, asked: None) -> None:
    rows = rows_of(run("search", "--queries", "q.txt", "--documents", "--format", "csv").out)
    assert len(rows) == 2 * len(TEXTS)
    marked = run("search", "--queries", "q.txt", "--documents", "-k", 1, "--format", "md").out
    assert "── hello\n1. **texts/hello.txt**, line 1\n\n   > hello\n" in marked


def test_a_lone_carriage_return_ends_no_row_of_csv(run: Run, index: Path) -> None:
    text = 'hello\rold Mac, "quoted"\r\nand\nmore'
    (index.parent / "old.txt").write_bytes(text.encode())
    run("add", "old.txt")
    [row] = rows_of(run("search", "old Mac", "--include", "old.txt", "--format", "csv").out)
    assert row["text"] == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--json", "--jsonl"], "One format, not json and jsonl. Try: searcher list --help"),
        (["faq", "list", "--json", "--jsonl"], "One format, not json and jsonl. Try: searcher faq list --help"),
        (["add", "texts", "--label", "x"], "--label names what comes from stdin (-); files have names."),
        (["add", "-", "--prune"], "--prune is for files; - (stdin) is read here."),
        (["add", "-", "--work", "x"], "--work is for files; - (stdin) is read here."),
        (["add", "-", "--ray", "local"], "--ray is for files; - (stdin) is read here."),
        (["search", "x", "-k"], "Option '-k' requires an argument. Try: searcher search --help"),
        (["search", "x", "-mode"], "No such option '-mode'. Did you mean '--mode'? Try: searcher search --help"),
        (["faq", "lint", "--json=3"], "Option '--json' does not take a value. Try: searcher faq lint --help"),
    ],
)
def test_options_that_exclude_each_other_or_lack_a_value_are_one_line(
    run: Run, index: Path, arguments: Sequence[str], said: str
) -> None:
    one_line(run(*arguments), said, code=2)
