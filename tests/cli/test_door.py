"""The first things that people type: help alone, slips of the finger, a question of several words."""

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from running import Run

from searcher.cli.command import Command
from searcher.cli.program import cli


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


@pytest.mark.parametrize("group", [(), ("faq",)])
def test_a_group_alone_prints_its_help_and_is_no_error(run: Run, group: tuple[str, ...]) -> None:
    alone, asked = run(*group), run(*group, "--help")
    assert (alone.code, alone.err) == (0, "")
    assert alone.out == asked.out
    assert "Commands:" in alone.out


@pytest.mark.parametrize(
    "typed, near",
    [
        (("serach", "x"), "search"),
        (("faq", "calibrat"), "calibrate"),
        (("search", "x", "--mode", "hybird"), "hybrid"),
        (("search", "x", "--format", "josn"), "json"),
        (("search", "x", "--explian"), "--explain"),
        (("list", "--sort", "pasages"), "passages"),
        (("show", "texts/bnak.txt"), "bank.txt"),
        (("search", "x", "--pooling", "maen"), ""),
    ],
)
def test_what_is_mistyped_is_told_with_what_is_most_like_it(
    run: Run, index: Path, typed: tuple[str, ...], near: str
) -> None:
    result = run(*typed)
    assert result.code in (1, 2) and result.out == ""
    assert near in result.err.splitlines()[-1].replace(typed[-1], "", 1)
    assert "Traceback" not in result.err


def test_the_words_of_a_question_need_no_quotes(run: Run, index: Path) -> None:
    apart, quoted = (
        run("search", "money", "in", "the", "bank", "-k", 1, "--json"),
        run("search", "money in the bank", "-k", 1, "--json"),
    )
    assert json.loads(apart.out) == json.loads(quoted.out)
    assert run("search", "-k", 1, "--json", "money", "in", "the", "bank").out == apart.out


def test_a_word_with_a_minus_is_a_word_wherever_it_stands_and_options_stay_options(run: Run, index: Path) -> None:
    def sources(*typed: object) -> list[str]:
        return [
            Path(hit["source"]).name for hit in json.loads(run("search", "--mode", "keyword", "--json", *typed).out)
        ]

    assert sources("bank") == ["bank.txt", "river.txt"]
    for typed in (
        ["bank", "-river"],
        ["-river", "bank"],
        ["bank -river"],
        ["bank", '-"river bank"'],
        ["-k5", "bank", "-riv*"],
    ):
        assert sources(*typed) == ["bank.txt"] or typed[-1] == "-riv*", typed
    assert sources("bank", '"river bank"') == ["river.txt"]
    assert sources("-k1", "bank") == ["bank.txt"]
    assert sources("bank", "-k", "1", "-boat") == ["bank.txt"]


@pytest.mark.parametrize(
    "question", ['"', '""', "-", "--", "*", "a AND", "NEAR(", 'x" OR "', '-"', "pre**", "(", "text:x", "-* -", "\x00"]
)
@pytest.mark.parametrize("mode", ["dense", "keyword", "hybrid"])
def test_no_question_is_an_error_of_syntax(run: Run, index: Path, question: str, mode: str) -> None:
    result = run("search", "--mode", mode, "--json", "--", question)
    assert (result.code, result.err) == (0, "")
    assert isinstance(json.loads(result.out), list)


CONTEXT = click.Context(cli)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Command]:
    found: dict[tuple[str, ...], Command] = {}
    for name in group.list_commands(CONTEXT):
        command = group.get_command(CONTEXT, name)
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
        else:
            assert isinstance(command, Command)
            found[(*path, name)] = command
    return found


ALL = commands(cli)


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_help_of_each_command_has_examples_that_its_own_options_take(run: Run, path: tuple[str, ...]) -> None:
    command, out = ALL[path], run(*path, "--help").out
    assert "Examples:" in out
    options = re.findall(r"^  (\S+)", out.partition("Options:")[2].partition("Examples:")[0], re.MULTILINE)
    assert [option for option in options if not option.startswith("-") and option != "Model"] == []
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for line, does in command.examples:
        assert f"  # {does}\n  {line if ' | searcher ' in line else f'searcher {line}'}\n" in out
        words = line.partition(" | ")[0].split()
        if tuple(words[: len(path)]) == path:  # else it is another command beside it, or a pipe out of another program
            assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, line


def test_it_works_as_a_module_from_any_folder(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "searcher"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0
    assert result.stdout.startswith("Usage: ")
