"""docs/coming-from.md says the truth of other tools' stores: each command and snippet of ours is run on stores that the
tools made, and finds what their own snippets found when they were run with the tools (tests/foreign/make.py).
"""

import json
import os
import re
import shlex
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runner import runner

from searcher import Searcher
from searcher.cli.program import cli

FOREIGN = Path(os.environ.get("SEARCHER_FOREIGN") or Path(__file__).parents[1] / "foreign")
PAGE = (Path(__file__).parents[2] / "docs" / "coming-from.md").read_text(encoding="utf-8")
PART = PAGE.partition("\n## Stores of other tools\n")[2].partition("\n## ")[0]
SECTIONS = {
    section.partition("\n")[0]: re.findall(r"^```(\w+ \w+)\n(.*?)\n```$", section, re.M | re.S)
    for section in PART.split("\n### ")[1:]
}
ANSWERS = {each["heading"]: each for each in json.loads((FOREIGN / "page.json").read_text(encoding="utf-8"))}
BEIR = "BEIR"
QUESTION = "Where is our money?"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stores under the names that the page has for them."""
    with zipfile.ZipFile(FOREIGN / "page.zip") as archive:
        archive.extractall(tmp_path)
    (tmp_path / "scifact").mkdir()
    texts = [json.loads(line) for line in (tmp_path / "vectors.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [json.dumps({"_id": text["id"], "title": "", "text": text["text"]}) + "\n" for text in texts]
    (tmp_path / "scifact" / "corpus.jsonl").write_text("".join(lines))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_block_of_the_page_is_run() -> None:
    names = {heading: [kind for kind, _ in blocks] for heading, blocks in SECTIONS.items()}
    assert names.pop(BEIR) == ["sh ours"]
    assert set(names) == set(ANSWERS) and len(names) == 6
    assert all(kinds == ["python theirs", "sh ours", "python ours"] for kinds in names.values())
    assert f'question = "{QUESTION}"' in PAGE
    assert PART.count("```") == 2 * (3 * len(names) + 1)


@pytest.mark.parametrize("heading", ANSWERS)
def test_what_theirs_gave_was_given_by_the_snippet_that_stands_there(heading: str) -> None:
    assert dict(SECTIONS[heading])["python theirs"] == ANSWERS[heading]["theirs"]
    assert len(ANSWERS[heading]["found"]) == 2


@pytest.mark.parametrize("heading", ANSWERS)
def test_our_snippet_finds_what_theirs_found(heading: str, bundled: str, folder: Path) -> None:
    names: dict[str, Any] = {"Searcher": Searcher, "question": QUESTION}
    exec(compile(dict(SECTIONS[heading])["python ours"], heading, "exec"), names)
    assert names["found"] == ANSWERS[heading]["found"]
    assert names["index"].counts()["documents"] == 8


@pytest.mark.parametrize("heading", SECTIONS)
def test_our_command_keeps_the_vectors(heading: str, bundled: str, folder: Path) -> None:
    command = shlex.split(dict(SECTIONS[heading])["sh ours"])
    assert command[0] == "searcher"
    done = runner().invoke(cli, command[1:])
    assert done.exit_code == 0, done.output
    assert ("8 vectors were kept" in done.stderr) == (heading != BEIR)
    with Searcher("my_index") as index:
        assert sorted(each["id"] for each in index.listing()) in (
            [f"t{n}" for n in range(8)],
            [str(n) for n in range(8)],
        )
        own = [index.passages(each["source"])[0].vector for each in index.listing()]
        np.testing.assert_allclose(own, np.load("vectors.npy"), atol=2e-2 if heading == BEIR else 1e-6)
