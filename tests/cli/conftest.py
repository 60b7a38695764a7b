"""The command line in this process, in a folder of its own, and a small index for it."""

from pathlib import Path

import pytest
from running import TEXTS, Result, Run

from searcher.cli import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command line in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCHER_INDEX", raising=False)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Result(stop.value.code, captured.out, captured.err)

    return call


@pytest.fixture
def index(run: Run, tiny_bert: Path, tmp_path: Path) -> Path:
    """Three files, indexed in ./index_data with the tiny model."""
    (tmp_path / "texts").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / "texts" / name).write_text(text, encoding="utf-8")
    assert run("add", "texts", "-m", tiny_bert).code == 0
    return tmp_path / "index_data"
