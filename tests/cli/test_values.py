"""Every option that takes more than text says of a wrong value which one it is, and which are good, in one line."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from running import Run, one_line

from searcher.cli import cli

TEXT = (type(click.STRING), type(click.BOOL))  # of any kind; what is wrong with it, the library says


def options(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    """Every parameter of a command and of those below it, with the names that lead there."""
    yield from ((path, parameter) for parameter in command.params)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from options(below, *path, name)


TYPED = [
    (path, each) for path, each in options(cli) if isinstance(each, click.Option) and not isinstance(each.type, TEXT)
]
GOOD = {
    "search -k": "a whole number of at least 1", "search --per-document": "a whole number of at least 1",
    "search --open": "a whole number of at least 1", "search --ef": "a whole number of at least 1",
    "search --nprobe": "a whole number of at least 1", "search -C": "a whole number of at least 0",
    "search --mmr": "a number from 0 to 1", "search --min-score": "a number",
    "search --mode": "one of dense, keyword, hybrid", "search --format": "one of table, json, jsonl, csv, md, files",
    "similar -k": "a whole number of at least 1", "similar --format": "one of table, json, jsonl, csv, md, files",
    "show -C": "a whole number of at least 0", "list --sort": "one of source, title, kind, passages, characters",
    "context -k": "a whole number of at least 1", "context --tokens": "a whole number of at least 1",
    "context --min-score": "a number", "context --mode": "one of dense, keyword, hybrid",
    "ask --min-score": "a number", "ask --min-probability": "a number from 0 to 1",
    "ask --format": "one of table, json, jsonl, csv",
    "faq lint --alike": "a number above 0, at most 1", "faq log --near": "a number above 0, at most 1",
    "faq calibrate --unanswerable": "a number from 0 to 1", "faq eval --min-score": "a number",
    "faq eval --min-probability": "a number from 0 to 1", "eval --relevant": "a number",
    "eval --mode": "one of dense, keyword, hybrid", "reindex --recall": "a number above 0, at most 1",
    "embed --max-tokens": "a whole number of at least 1", "inspect --max-tokens": "a whole number of at least 1",
    "serve --port": "a whole number from 0 to 65,535", "serve --max-body": "a whole number from 1 to 1,024",
    "copy --others": "one of keep, remove", "export --vectors": "one of numbers, base64",
    "plan --documents": "a whole number from 1 to 1,000,000,000,000,000",
    "plan --tokens": "a whole number from 1 to 1,000,000,000,000,000", "plan --replicas": "a whole number of at least 1",
    "plan --seconds": "a number from 0 to 3,600", "plan --memory": "a number above 0", "plan --disk": "a number above 0",
    "plan --node-memory": "a number above 0",
} | {
    f"{command} {name}": f"a whole number of at least {least}"
    for command in ("add", "watch", "faq add", "import", "eval", "reindex", "plan")
    for name, least in (("--chunk-tokens", 1), ("--overlap", 0))
}  # fmt: skip


def test_the_table_holds_every_option_that_takes_more_than_text_or_a_path() -> None:
    assert {" ".join([*path, each.opts[0]]) for path, each in TYPED if not isinstance(each.type, click.Path)} == set(
        GOOD
    )


@pytest.mark.parametrize("option", GOOD)
def test_a_wrong_value_is_told_with_the_good_ones(run: Run, option: str) -> None:
    for wrong in ("many", "nan", "-1e400", "") if "number" in GOOD[option] else ("many", "", "DENSE"):
        one_line(run(*option.split(), wrong), f"{wrong!r} is not {GOOD[option]}.", option.split()[-1], code=2)


@pytest.mark.parametrize(("option", "wrong"), [
    ("search -k", "0"), ("search -k", "2.5"), ("search -k", "9" * 5000), ("search --mmr", "1.01"), ("show -C", "-1"),
    ("serve --port", "65536"), ("faq lint --alike", "0"), ("plan --memory", "0"), ("plan --memory", "inf"),
])  # fmt: skip
def test_a_number_out_of_range_is_told_with_the_range(run: Run, option: str, wrong: str) -> None:
    one_line(run(*option.split(), wrong), f"{wrong!r} is not {GOOD[option]}.", code=2)


PATHS = [(path, each) for path, each in options(cli) if isinstance(each.type, click.Path) and each.type.exists]


@pytest.mark.parametrize(("path", "parameter"), PATHS, ids=lambda each: getattr(each, "name", None))
def test_a_path_that_must_be_there_is_named_where_it_is_not(
    run: Run, path: tuple[str, ...], parameter: click.Parameter
) -> None:
    name = [parameter.opts[0]] if isinstance(parameter, click.Option) else []
    one_line(run(*path, *name, "no such\nthing"), "no such\\nthing' does not exist.", code=2)


# -- numbers out of the environment

SECONDS = "a number of seconds from 0 to 86400"
VARIABLES = {
    "SEARCHER_K": "a whole number of at least 1", "SEARCHER_BUSY_SECONDS": SECONDS,
    "SEARCHER_DELTA": "a whole number from 0 to 999,999,999",
    "SEARCHER_POSTINGS": "a whole number from 0 to 999,999,999",
}  # fmt: skip


@pytest.mark.parametrize("wrong", ["many", "-1", "nan", pytest.param("9" * 5000, id="5,000 digits")])
@pytest.mark.parametrize("variable", VARIABLES)
def test_a_wrong_number_out_of_the_environment_is_told_with_the_good_ones(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch, variable: str, wrong: str
) -> None:
    monkeypatch.setenv(variable, wrong)
    one_line(
        run("search", "hello", "--mode", "hybrid"), f"{variable}", f"is '{wrong[:60]}", f"; good: {VARIABLES[variable]}"
    )


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("TIMEOUT", "a number of seconds from 0.001 to 86400"), ("SHARDS", "a whole number from 1 to 999,999,999"),
        ("REPLICAS", "a whole number from 1 to 999,999,999"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wrong", ["many", "0", pytest.param("9" * 5000, id="5,000 digits")])
def test_a_wrong_number_for_a_server_is_told_with_the_good_ones(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, good: str, wrong: str
) -> None:
    pytest.importorskip("pymilvus")
    monkeypatch.setenv(f"SEARCHER_MILVUS_{name}", wrong)
    result = run("search", "hello", "--engine", "milvus:http://127.0.0.1:9")
    one_line(result, f"SEARCHER_MILVUS_{name} is '{wrong[:60]}", f"; good: {good}")
