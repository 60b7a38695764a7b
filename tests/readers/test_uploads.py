"""Files that strangers send: whatever they are, they are parsed in the process that can do nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from searcher.readers import Unsupported, child, read_text, uploadable
from searcher.readers.table import READERS

FILES = {
    ".md": b"# Boats\n\nThe boat is tied.\n", ".txt": b"The boat is tied.", ".csv": b"text,id\nhello,1\nworld,2\n",
    ".html": b"<html><body><h1>Boats</h1><p>The boat is tied to the bank of the river.</p></body></html>",
    ".jsonl": b'{"text": "hello", "id": 1}\n{"text": 3}\n', ".json": b'[{"text": "hello"}]', ".tsv": b"text\thello\n",
    ".ipynb": b'{"cells": [{"cell_type": "markdown", "source": "hello"}], "nbformat": 4}', ".rst": b"Boats\n=====\n\ntied\n",
    ".srt": b"1\n00:00:01,000 --> 00:00:02,000\nhello\n", ".tex": b"\\section{Boats} tied", ".py": b"def tied():\n    pass\n",
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The readers that ran in the other process."""
    names, ask = list[str](), child.ask

    def noted(request: Mapping[str, Any], source: str, data: bytes) -> Iterator[dict[str, Any]]:
        names.append(request["reader"])
        return ask(request, source, data)

    monkeypatch.setattr(child, "ask", noted)
    return names


@pytest.mark.parametrize("suffix", FILES)
def test_every_kind_is_read_apart_as_it_is_read_here(suffix: str, asked: list[str]) -> None:
    apart = list(read_text(FILES[suffix], f"x{suffix}", suffix=suffix, apart=True))
    assert len(asked) == 1
    assert apart == list(read_text(FILES[suffix], f"x{suffix}", suffix=suffix))
    assert apart


@pytest.mark.parametrize("suffix", [".db", ".sqlite3", ".png", ".exe", "", ".doc"])
def test_what_cannot_be_read_so_is_refused(suffix: str, asked: list[str]) -> None:
    with pytest.raises(Unsupported):
        list(read_text(b"SQLite format 3\0", f"x{suffix}", suffix=suffix, apart=True))
    assert asked == []


def test_all_but_databases_and_pictures_can_be_sent() -> None:
    pictures = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
    assert set(READERS) - set(uploadable()) == {".db", ".db3", ".sqlite", ".sqlite3"} | pictures
