"""The examples run as they stand."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_langchain_answers_with_its_sources(bundled: str) -> None:
    pytest.importorskip("langchain_core", reason="langchain-core is not installed")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "langchain_answers.py", "What happens when [PAD] is pooled?"],
        capture_output=True, text=True, cwd=EXAMPLES.parent,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    *said, source = done.stdout.splitlines()
    assert "The attention mask says which tokens count" in "\n".join(said)
    assert said[-1].endswith("[1]")
    assert source.startswith("[1] index_data/samples/")
