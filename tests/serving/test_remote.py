"""The command line asks a running server as it asks an index folder: the same lines, in the same formats."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Server

from searcher.cli import main

NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run a command line in this process, where there is no index."""
    monkeypatch.chdir(tmp_path)
    for name in ("SEARCHER_INDEX", "SEARCHER_SERVER", "SEARCHER_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def call(line: str, *more: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([*shlex.split(line), *more])
        captured = capsys.readouterr()
        return int(stop.value.code or 0), captured.out, captured.err

    return call


@pytest.mark.parametrize("line", [
    "search money in the bank --no-highlight --format csv", "search money --json -k 2 --where 'n >= 1'",
    "search money --mode hybrid --include bank --format md", "search money --documents", "search money --format files",
    "search money --highlight --jsonl -k 1", "similar river --json -k 2", "ask how is the boat tied --min-score 0 --json",
    "ask zebra --min-score 2 --json", "context the bank --tokens 40",
    "context the bank --tokens 40 --json", "list", "list --json --where 'n >= 1'", "list bank --sort passages",
    "show river", "show river --passages", "search x --where 'lang ='", "show no-such", "similar no-such",
])  # fmt: skip
def test_what_is_printed_is_what_the_index_folder_gives(run: Run, server: Server, index: Path, line: str) -> None:
    (code, out, err), (expected_code, expected, expected_err) = (
        run(line, "--server", server.url),
        run(line, "-i", str(index)),
    )
    assert (code, err) == (expected_code, expected_err)
    # Scores to a rounding: a server embeds questions together.
    assert NUMBER.sub("#", out) == NUMBER.sub("#", expected)
    numbers, expected_numbers = (list(map(float, NUMBER.findall(text))) for text in (out, expected))
    assert numbers == pytest.approx(expected_numbers, abs=2e-3)


def test_people_see_hits_answers_and_a_status(run: Run, server: Server, index: Path) -> None:
    code, out, _ = run("search money", "--server", server.url)
    assert code == 0
    assert out.startswith(" 1  0.")
    assert "bank:1" in out
    code, out, _ = run("ask how is the boat tied --min-score 0", "--server", server.url)
    assert run("ask how is the boat tied --min-score 0", "-i", str(index))[1].startswith(out.strip())
    code, out, _ = run("ask zebra --min-score 2 --format csv", "--server", server.url)
    assert out.splitlines()[1].startswith("zebra,,")
    assert "below 2" in out
    code, out, err = run("ask zebra --min-score 2", "--server", server.url)
    assert (code, out) == (0, "no answer\n")
    assert "below 2" in err
    code, out, _ = run("status", "--server", server.url)
    assert [line for line in out.splitlines() if line.startswith("server version ")] and "{" not in out
    assert json.loads(run("show river --json", "--server", server.url)[1])["passages"][0]["line"] == 1


def test_questions_come_from_a_file_too(run: Run, server: Server, tmp_path: Path) -> None:
    (tmp_path / "asked.txt").write_text("money\nriver\n", encoding="utf-8")
    code, out, _ = run("search --queries asked.txt --jsonl -k 1", "--server", server.url)
    assert code == 0
    assert [json.loads(line)["query"] for line in out.splitlines()] == ["money", "river"]


def test_the_environment_names_a_server_and_an_index_on_the_command_line_comes_before(
    run: Run, server: Server, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCHER_SERVER", server.url)
    assert run("list --json") == run("list --json", "-i", str(index))
    monkeypatch.setenv("SEARCHER_SERVER", "http://127.0.0.1:9")
    assert run("list", "-i", str(index))[0] == 0
    code, out, err = run("list")
    assert (code, out) == (1, "")
    assert err.startswith("Error: no server at http://127.0.0.1:9: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("line", "said"), [
    ("search x -i index_data", "Give --index or --server."), ("search x --explain", "--explain needs the index folder"),
    ("search x -C 2", "--context needs"), ("search x -C 0", "--context needs"), ("search x -m model", "The server has its model already: model is not for"),
    ("status --tables", "--tables needs"), ("ask --queries f.csv", "--queries needs"),
])  # fmt: skip
def test_what_only_an_index_folder_knows_is_refused(
    run: Run, server: Server, tmp_path: Path, line: str, said: str
) -> None:
    (tmp_path / "f.csv").write_text("question\nx\n", encoding="utf-8")
    code, out, err = run(line, "--server", server.url)
    assert (code, out) == (2, "")
    assert said in err


def test_a_server_that_only_reads_says_so(run: Run, server: Server) -> None:
    code, _, err = run("remove river", "--server", server.url)
    assert code == 1
    assert err == "Error: this server only reads; searcher serve --allow-writes lets it be written to\n"


def test_asking_a_server_loads_none_of_the_heavy_libraries(server: Server) -> None:
    for line in ("search money", "ask x", "context money", "list", "status", "show river"):
        heavy = "('numpy', 'torch', 'faiss', 'sqlite3', 'tokenizers', 'transformers', 'searcher.search')"
        arguments = [*line.split(), "--server", server.url]
        code = (
            f"import sys; from searcher.cli import main\ntry: main({arguments})\n"
            f"finally: print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
        )
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        assert result.stderr.splitlines()[-1] == "[]", line
