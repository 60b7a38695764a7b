"""What becomes of a folder of real files: documents, sections, list items, and passages that end where they should not.

    SEARCHER_DATA=… python benchmarks/passages.py [FOLDER] [--tokens 256]

Of each kind of file in documents/ (or in FOLDER): how many documents, sections and list items were read, and of their
passages by the default model's tokenizer: how many there are, how full they are, and how many end with a heading whose text
is in the next, or with the header of a Markdown table whose rows are in the next. Run with the package of another commit
first on PYTHONPATH for the figures before.
"""

import argparse
import re
from collections import Counter, defaultdict
from pathlib import Path

from common import data_folder, report

import searcher
from searcher.embedding.models import load_model
from searcher.errors import UnreadableFile
from searcher.readers import find_files, read
from searcher.readers.walking import Found
from searcher.records import Chunk, Document
from searcher.text import Chunker

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
ITEM = re.compile(r"^[ \t]*(?:[-*+•]|\d+[.)])[ \t]+\S", re.MULTILINE)
UNDERLINE = re.compile(r"\s*([^\w\s])\1*\s*")
HEADER = re.compile(r"^[^\n|]*\|[^\n]*\n[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*\Z", re.MULTILINE)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--tokens", type=int, default=256)
    options = parser.parse_args()
    chunker = Chunker(load_model(MODEL).tokenizer, options.tokens)
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    for item in find_files([options.folder or data_folder() / "documents"]):
        if isinstance(item, Found):
            count_file(item.path, chunker, kinds[item.path.suffix.lower()])
    for kind, counts in sorted(kinds.items()):
        counts["mean tokens"] = round(counts.pop("tokens", 0) / max(1, counts["passages"]))
        print(f"{kind:8}", "  ".join(f"{name} {count:,}" for name, count in sorted(counts.items())))
    report(
        "passages",
        {"package": str(Path(searcher.__file__).parent), **{kind: dict(counts) for kind, counts in kinds.items()}},
    )


def count_file(path: Path, chunker: Chunker, counts: Counter[str]) -> None:
    """Add what a file gives."""
    counts["files"] += 1
    try:
        items = list(read(path))
    except UnreadableFile:
        counts["files not read"] += 1
        return
    for document in items:
        if not isinstance(document, Document):
            counts[type(document).__name__.lower() + "s"] += 1
            continue
        counts["documents"] += 1
        counts["titles"] += document.title is not None
        counts["sections"] += len(document.sections)
        counts["list items"] += len(ITEM.findall(document.text))
        chunks = list(chunker.chunks(document.text, document.sections, document.breaks))
        starts = [start for start, _ in document.sections]
        for chunk in chunks:
            counts["passages"] += 1
            counts["tokens"] += len(chunk.ids)
            if document.text[chunk.end :].strip():
                counts["end with a heading"] += ends_with_heading(document.text, starts, chunk)
                counts["end with a header"] += ends_with_header(document.text, chunk)


def ends_with_heading(text: str, starts: list[int], chunk: Chunk) -> bool:
    """Whether a section begins in the passage of which nothing but the heading is there."""
    start = max((start for start in starts if chunk.start <= start < chunk.end), default=None)
    if start is None:
        return False
    first, *rest = text[start : chunk.end].split("\n")
    if not first.lstrip().startswith("#") and rest and UNDERLINE.fullmatch(rest[0]):
        rest = rest[1:]
    return not "".join(rest).strip()


def ends_with_header(text: str, chunk: Chunk) -> bool:
    """Whether the whole header of a Markdown table is the end of the passage."""
    return text[chunk.end : chunk.end + 1] in "\r\n" and HEADER.search(text, chunk.start, chunk.end) is not None


if __name__ == "__main__":
    main()
