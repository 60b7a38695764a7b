"""docs/coming-from.md says the truth of frameworks' stores: their snippet and ours are run and find the same."""

import importlib
import os
import re
from pathlib import Path
from typing import Any

import pytest

from searcher import Embedder

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # read when it is imported

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from.md").read_text(encoding="utf-8")
PART = PAGE.partition("\n## Stores of frameworks\n")[2].partition("\n## ")[0]
SECTIONS = {
    section.partition("\n")[0]: re.findall(r"^```(\w+ \w+)\n(.*?)\n```$", section, re.M | re.S)
    for section in PART.split("\n### ")[1:]
}
# By the first word of a heading: the package that has to be there, and ours that gives its embeddings.
NEEDED = {
    "LangChain's": ("langchain_core", "searcher.integrations.langchain", "SearcherEmbeddings"),
    "LlamaIndex's": ("llama_index.core", "searcher.integrations.llama_index", "SearcherEmbedding"),
    "Haystack's": ("haystack", "searcher", "Embedder"),
}


def test_every_block_of_the_page_is_run() -> None:
    assert {heading.split()[0] for heading in SECTIONS} == set(NEEDED)
    for blocks in SECTIONS.values():
        assert [kind for kind, _ in blocks] == ["python theirs", "python ours"]
    assert PART.count("```") == 4 * len(SECTIONS)


@pytest.mark.parametrize("heading", SECTIONS)
def test_ours_finds_what_theirs_found(
    heading: str, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package, module, name = NEEDED[heading.split()[0]]
    pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    setup: dict[str, Any] = {}
    exec(re.findall(r"^```python names\n(.*?)\n```$", PAGE, re.M | re.S)[0], setup)
    embedder = Embedder(tiny_bert)
    setup["embeddings"] = getattr(importlib.import_module(module), name)(model=tiny_bert)
    setup["vectors"] = embedder.embed(setup["texts"]).tolist()
    setup["vector"] = embedder.embed([setup["question"]], "query")[0].tolist()
    found = {}
    for kind, code in SECTIONS[heading]:
        names = dict(setup)
        exec(compile(code, heading, "exec"), names)
        found[kind] = names["found"]
    assert len(found["python theirs"]) == 2
    assert found["python ours"] == found["python theirs"]
