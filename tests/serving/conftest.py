"""Servers of a small index, each started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from served import FAQ, TEXTS, Server, serving

from searcher import Searcher


@pytest.fixture(scope="session")
def index(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four documents with metadata, and a FAQ."""
    folder = tmp_path_factory.mktemp("served")
    with Searcher(folder / "index", model=tiny_bert) as searcher:
        metadatas = [{"lang": "en", "n": n, "tags": ["a", "b"][: n % 3]} for n in range(len(TEXTS))]
        searcher.add_texts(TEXTS.values(), ids=list(TEXTS), metadatas=metadatas)
        (folder / "faq.csv").write_text(FAQ, encoding="utf-8")
        searcher.add_faq(folder / "faq.csv")
    return folder / "index"


@pytest.fixture(scope="session")
def server(index: Path) -> Iterator[Server]:
    """A server that only reads, on this machine alone."""
    with serving(index, index.parent / "reading.log") as server:
        yield server


@pytest.fixture(scope="session")
def writable(index: Path, tiny_bert: Path) -> Iterator[Server]:
    """A server of an index of its own, empty at first, that can be written to."""
    with serving(
        index.parent / "other", index.parent / "writing.log", "--allow-writes", "-m", str(tiny_bert)
    ) as server:
        yield server
