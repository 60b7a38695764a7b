"""`search --open N`: the command that opens a hit, at its page or line; no program is started but where that is the test."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from running import Run, one_line

from searcher.cli import opening
from searcher.cli.opening import command_for
from searcher.errors import SearcherError
from searcher.records import Passage


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No editor, no viewer, no settings."""
    for name in ("VISUAL", "EDITOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(opening.shutil, "which", lambda name: None)


def hit(path: Path, inner: str = "", line: int = 7, page: int | None = None) -> Passage:
    """A hit in a file that is there."""
    path.write_text("text")
    return Passage(1, 0.5, None, 1, f"{path}{inner}", None, None, 0, 4, line, page, "text", {})


@pytest.mark.parametrize(("editor", "words"), [
    ("vim", ["vim", "+7", "FILE"]), ("/usr/bin/nvim -R", ["/usr/bin/nvim", "-R", "+7", "FILE"]),
    ("nano", ["nano", "+7", "FILE"]), ("emacsclient -t", ["emacsclient", "-t", "+7", "FILE"]),
    ("code --wait", ["code", "--wait", "-g", "FILE:7"]), ("hx", ["hx", "FILE:7"]), ("subl", ["subl", "FILE:7"]),
    ("idea", ["idea", "--line", "7", "FILE"]), ("kate", ["kate", "-l", "7", "FILE"]), ("other", ["other", "FILE"]),
])  # fmt: skip
def test_an_editor_opens_text_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str, words: list[str]
) -> None:
    monkeypatch.setenv("EDITOR", "unused")
    monkeypatch.setenv("VISUAL", editor)
    file = tmp_path / "-a {line} $(b).md"
    assert command_for(hit(file), platform="linux") == [word.replace("FILE", str(file)) for word in words]


@pytest.mark.parametrize(("viewer", "words"), [
    ("okular", ["-p", "3", "FILE"]), ("evince", ["-i", "3", "FILE"]), ("zathura", ["-P", "3", "FILE"]),
    ("sumatrapdf", ["-page", "3", "FILE"]), ("mupdf", ["FILE", "3"]),
])  # fmt: skip
def test_a_viewer_that_is_there_opens_a_pdf_at_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, viewer: str, words: list[str]
) -> None:
    monkeypatch.setattr(opening.shutil, "which", lambda name: name if name == viewer else None)
    file = tmp_path / "a.PDF"
    wanted = [viewer, *(word.replace("FILE", str(file)) for word in words)]
    assert command_for(hit(file, page=3), platform="linux") == wanted


@pytest.mark.parametrize(("platform", "opener"), [("linux", "xdg-open"), ("darwin", "open"), ("win32", "explorer")])
def test_each_platform_has_its_opener(tmp_path: Path, platform: str, opener: str) -> None:
    assert command_for(hit(tmp_path / "a.docx"), platform=platform) == [opener, str(tmp_path / "a.docx")]


def test_what_is_in_a_file_opens_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a#b.eml"
    assert command_for(hit(file, "#x.pdf#2"), platform="linux") == ["xdg-open", str(file)]
    file.unlink()
    with pytest.raises(SearcherError, match="is no file that can be opened"):
        command_for(Passage(1, 0.5, None, 1, "ticket-17", None, None, 0, 4, 1, None, "text", {}))


def test_the_users_settings_have_the_last_word_and_those_of_an_index_none(
    run: Run, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "vim")
    asked = ["search", "money in the bank account", "--open", 1, "--dry-run"]
    file = str(tmp_path / "texts" / "bank.txt")
    assert shlex.split(run(*asked).out) == ["vim", "+1", file]
    settings = tmp_path / "config" / "searcher" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("open = {TXT = \"my 'own one' {file}:{line}\"}")
    assert shlex.split(run(*asked).out) == ["my", "own one", f"{file}:1"]
    settings.write_text('open = {txt = "less"}')
    one_line(run(*asked), "config.toml", "open is {'txt': 'less'}", "{file}")
    settings.unlink()
    (index / "config.toml").write_text('open = {txt = "evil {file}"}')
    one_line(run(*asked), "unknown setting", "'open'")


def test_what_cannot_be_opened_is_one_line(run: Run, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_line(run("search", "bank", "--open", 9), "no hit 9 to open", "good: 1 to 3")
    one_line(run("search", "bank", "--open", 0, "--dry-run"), "'0' is not a whole number of at least 1", code=2)
    one_line(run("search", "bank", "--dry-run"), "--open N", code=2)
    one_line(run("search", "bank", "--open", 1, "--json"), "no format", code=2)
    monkeypatch.setenv("VISUAL", "no-such-editor-here")
    one_line(run("search", "bank", "--open", 1), "no-such-editor-here cannot be run")
    monkeypatch.setenv("VISUAL", "vim '")
    one_line(run("search", "bank", "--open", 1), '"vim \'" is no command: no closing quotation')


def test_a_blank_editor_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", " ")
    (tmp_path / "a.txt").write_text("bank")
    assert command_for(hit(tmp_path / "a.txt"), platform="linux") == ["xdg-open", str(tmp_path / "a.txt")]


@pytest.mark.parametrize(("editor", "started"), [("vim", "run"), ("my-editor", "run"), ("code", "Popen")])
def test_only_programs_with_windows_are_not_waited_for(
    run: Run, index: Path, monkeypatch: pytest.MonkeyPatch, editor: str, started: str
) -> None:
    calls: list[tuple[str, str]] = []

    def record(name: str) -> Any:
        return lambda command, **how: calls.append((name, command[0])) or None

    for name in ("run", "Popen"):
        monkeypatch.setattr(opening.subprocess, name, record(name))
    monkeypatch.setenv("VISUAL", editor)
    assert run("search", "bank", "--open", 1).code == 0
    assert calls == [(started, editor)]
