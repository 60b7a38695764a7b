"""docs/rag.md is true: its programs run, one after the other, as they stand."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "rag.md"


def test_every_program_on_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_bert: Path) -> None:
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(programs) == 6
    for number, program in enumerate(programs, 1):
        exec(compile(program, f"{PAGE.name}, program {number}", "exec"), {"model": tiny_bert, "__name__": "page"})
