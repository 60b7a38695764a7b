"""The documents are true: commands run as they are written, help texts are those of the commands."""

import io
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement

from searcher import __version__
from searcher.cli import main
from searcher.cli.program import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS_PAGE = ROOT / "docs" / "commands.md"


def help_page() -> str:
    """docs/commands.md as it should be: `python tests/cli/test_readme.py` writes it."""
    parts = ["# Commands\n\nThe help text of every command, as `searcher COMMAND --help` prints it.\n"]
    top = click.Context(cli, info_name="searcher", terminal_width=100, **cli.context_settings)
    for name in ["", *COMMANDS]:
        command = cli.get_command(top, name) if name else cli
        assert command is not None
        context = click.Context(command, parent=top, info_name=name) if name else top
        parts.append(f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n")
        for inner in command.list_commands(context) if name and isinstance(command, click.Group) else []:
            below = command.get_command(context, inner)
            assert below is not None
            deeper = click.Context(below, parent=context, info_name=inner)
            parts.append(f"## {deeper.command_path}\n\n```text\n{below.get_help(deeper)}\n```\n")
    return "\n".join(parts)


def test_the_page_of_commands_is_what_help_prints() -> None:
    assert COMMANDS_PAGE.read_text(encoding="utf-8") == help_page()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_help_text(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.help
    silent = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert silent == []


def test_the_commands_of_the_readme_run_as_written_one_after_the_other(
    bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "index_data" / "samples", tmp_path / "index_data" / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCHER_INDEX", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lines = re.findall(r"^\$ searcher (.*)$", README, re.MULTILINE)
    assert len(lines) >= 12
    used = set()
    for line in lines:
        arguments = shlex.split(line)
        used.add(arguments[0])
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        captured = capsys.readouterr()
        assert stop.value.code == 0, f"searcher {line}: {captured.err}"
        assert captured.out.strip(), f"searcher {line} printed nothing"
    # One is shown on a page of its own; one needs a set with judgements; two end with Ctrl-C only, one with stdin; one
    # measures for ten seconds.
    assert set(COMMANDS) - used == {"copy", "eval", "mcp", "plan", "serve", "watch"}


def test_the_page_of_questions_runs_as_it_stands(
    bundled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "index_data" / "samples", tmp_path / "index_data" / "samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCHER_INDEX", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    page = (ROOT / "docs" / "how-do-i.md").read_text(encoding="utf-8")
    rows = [row for row in page.splitlines() if row.startswith("| ")][1:]
    assert len(rows) >= 30
    for row in rows:
        commands = re.findall(r"`([^`]*searcher [^`]*)`", row)
        assert commands, row
        for command in commands:
            text, _, line = command.replace("\\|", "|").rpartition(" | ")
            said = shlex.split(text)[-1:] or [""]
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(said[0].encode())))
            with pytest.raises(SystemExit) as stop:
                main(shlex.split(line)[1:])
            captured = capsys.readouterr()
            assert stop.value.code == 0, f"{command}: {captured.err}"
            assert captured.out.strip() not in ("", "nothing found"), command


def test_the_python_of_the_readme_runs(bundled: str, tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shutil.copytree(ROOT / "index_data" / "samples", tmp_path / "index_data" / "samples")
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "The café opens at nine." in result.stdout
    assert "searcher remove" in result.stdout


def test_the_first_command_indexes_the_samples_and_asks_the_question_of_demo() -> None:
    from searcher.cli.upkeep import DEMO_QUESTION

    [command] = re.findall(r"<!-- the first command -->\n```sh\n(.*)\n```", README)
    assert "searcher add index_data/samples" in command
    assert f'searcher search "{DEMO_QUESTION}"' in command


def test_version_stands_in_pyproject_changelog_and_package_alike() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


TESTED = ("client", "mcp", "serve", "dev")


def test_the_oldest_releases_that_are_allowed_are_those_that_were_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "tests" / "lowest.txt").read_text(encoding="utf-8").splitlines()
    tested = {Requirement(line).name: Requirement(line) for line in lines if not line.startswith("#")}
    extras = project["optional-dependencies"]
    allowed = map(Requirement, [*project["dependencies"], *(one for name in TESTED for one in extras[name])])
    least = {own.name: each.version for own in allowed for each in own.specifier if each.operator == ">="}
    assert tested.keys() == least.keys()
    assert [name for name, own in tested.items() if least[name] not in own.specifier] == []


PAGES = [
    ROOT / "README.md",
    *(file for where in ("docs", "benchmarks", "index_data") for file in (ROOT / where).rglob("*.md")),
]


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", *sorted(str(file.relative_to(ROOT)) for file in PAGES)])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    file = ROOT / page
    for target in re.findall(r"\]\((?!http)([^)#]+)", file.read_text(encoding="utf-8")):
        assert (file.parent / target).exists(), f"{page} links to {target}"


if __name__ == "__main__":
    COMMANDS_PAGE.write_text(help_page(), encoding="utf-8")
