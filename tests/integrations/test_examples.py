"""The examples run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NEEDED = {"plain": "searcher", "langchain": "langchain_core", "llama_index": "llama_index.core", "haystack": "haystack"}


@pytest.mark.parametrize("name", NEEDED)
def test_an_example_answers_with_its_source(name: str, bundled: str) -> None:
    pytest.importorskip(NEEDED[name], reason=f"{NEEDED[name]} is not installed")
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}_answers.py", "What happens when [PAD] is pooled?"],
        capture_output=True, text=True, cwd=EXAMPLES.parent, env=os.environ | {"HAYSTACK_TELEMETRY_ENABLED": "False"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *said, source = done.stdout.splitlines()
    assert "The attention mask says which tokens count" in "\n".join(said)
    assert said[-1].endswith("[1]")
    assert source.startswith("[1] ") and "index_data/samples/" in source


def test_every_example_is_run() -> None:
    assert {each.stem for each in EXAMPLES.glob("*.py")} == {f"{name}_answers" for name in NEEDED}
