"""What holds of every file that every reader reads: offsets, coverage, places and lines."""

import re
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

import pytest
from models import bert_tokenizer

from searcher.errors import UnreadableFile
from searcher.places import PLACE_PARTS
from searcher.readers import read
from searcher.records import Document
from searcher.text import Chunker, Tokenizer, places_of

FEW = 4  # files of a kind, the smallest, of which the quick test asks
WINDOW = 64  # tokens of a passage
# What each passage of such a file says of its place.
SAYS = {".pdf": "page", ".pptx": "slide", ".xlsx": "sheet", ".epub": "chapter", ".ipynb": "cell", ".mbox": "message",
        ".srt": "time", ".vtt": "time"}  # fmt: skip
AS_IT_STANDS = (".txt", ".rst", ".py", ".rs", ".go", ".c", ".ts", ".java", ".tex", ".md", ".mdx")
WORD = re.compile(r"[^\W_]{3,}")


@pytest.fixture(scope="module")
def chunker() -> Chunker:
    """Cuts with a small vocabulary of whole words and letters, so that there are many passages."""
    return Chunker(Tokenizer(bert_tokenizer(truncate_at=None)), WINDOW)


def files_of(data: Path, most: int | None = None) -> list[Path]:
    """The files of documents/ and formats/, at most so many of a kind."""
    kinds: dict[str, list[Path]] = defaultdict(list)
    for folder in ("documents", "formats"):
        for file in (data / folder).rglob("*.*"):
            if file.is_file() and "bomb" not in file.name:
                kinds[file.suffix.lower()].append(file)
    return [file for own in kinds.values() for file in sorted(own, key=lambda each: each.stat().st_size)[:most]]


def documents_of(file: Path) -> list[Document]:
    """What is read of it; nothing of what cannot be."""
    found = []
    try:
        for item in read(file):
            if isinstance(item, Document):
                found.append(item)
    except UnreadableFile:
        pass
    return found


def check(document: Document, file: Path, chunker: Chunker) -> int:
    """Assert what holds of a document; how many passages it has."""
    text = document.text
    for offsets in (
        [start for start, _ in document.places],
        [start for start, _ in document.sections],
        document.breaks,
    ):
        assert list(offsets) == sorted(offsets) and all(0 <= at <= len(text) for at in offsets)
    for _, place in document.places:
        assert all(type(value) is PLACE_PARTS[name] for name, value in place.items())
    chunks = list(chunker.chunks(text, document.sections, document.breaks))
    at = 0
    for chunk in chunks:
        assert not text[at : chunk.start].strip()  # nothing is lost between two of them
        assert text[chunk.start : chunk.end] == text[chunk.start : chunk.end].strip() != ""
        at = chunk.end
    assert not text[at:].strip()
    starts = [start for start, _ in document.places]
    attached = "#" in document.source and file.suffix != ".mbox"
    if (part := SAYS.get(file.suffix)) and not attached:
        for chunk in chunks:
            where = bisect_right(starts, chunk.start)
            assert where and part in document.places[where - 1][1], (chunk.start, document.places[:3])
    if file.suffix in AS_IT_STANDS and not attached:
        lines = file.read_bytes().decode("utf-8-sig", "replace").splitlines()
        for chunk, (line, _) in zip(chunks, places_of(document, chunks), strict=True):
            first = WORD.search(text[chunk.start : chunk.end].split("\n")[0])
            if first and not chunk.splits_word and (chunk.start == 0 or not text[chunk.start - 1].isalnum()):
                assert first[0] in lines[line - 1] or "](" in lines[line - 1], (line, first[0])  # a link's target goes
    return len(chunks)


def test_offsets_coverage_places_and_lines_hold_for_some_files_of_every_kind(data: Path, chunker: Chunker) -> None:
    files = files_of(data, FEW)
    passages = {file: sum(check(each, file, chunker) for each in documents_of(file)) for file in files}
    read_kinds = {file.suffix for file, count in passages.items() if count}
    assert read_kinds >= {*SAYS, *AS_IT_STANDS, ".docx", ".odt", ".rtf", ".eml", ".msg", ".html", ".csv"}


@pytest.mark.slow
def test_offsets_coverage_places_and_lines_hold_for_every_file(data: Path, chunker: Chunker) -> None:
    total = sum(check(each, file, chunker) for file in files_of(data) for each in documents_of(file))
    assert total > 10_000
