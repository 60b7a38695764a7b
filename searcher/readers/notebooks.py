"""Jupyter notebooks: their cells in order, each a place; text as Markdown has it, code, and what code said in words."""

import json
import re
from collections.abc import Iterator
from typing import Any

from searcher.errors import UnreadableFile
from searcher.places import Place
from searcher.readers.blocks import blocks, laid_out
from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, best_title, sections
from searcher.readers.htmltree import clean, parsed
from searcher.readers.links import without_targets
from searcher.readers.markdown import headed
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

__all__ = ["read_notebook"]

COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")  # and what else a terminal is told
OBJECT = re.compile(r"\[?(?:<[^<>]*>[, \n]*)+\]?")  # a picture, or what it is made of, by its class
LONGEST_PAGE = 200_000
LONGEST_OUTPUT = 2_000  # characters; a longer one is a log or data


def read_notebook(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The notebook, of format 3 or 4, as one document. UnreadableFile for what is none."""
    try:
        book = json.loads(decoded(raw))
    except (ValueError, RecursionError):
        raise UnreadableFile(raw.source, "no notebook: it is not JSON that can be read") from None
    cells = _cells(book)
    if cells is None:
        raise UnreadableFile(raw.source, "no notebook: it has no cells")
    pieces: list[str] = []
    places: list[tuple[int, Place]] = []
    headings: list[Heading] = []
    length = 0
    for number, cell in enumerate(cells, 1):
        text = _text_of(cell)
        if cell.get("cell_type") == "markdown":
            text = without_targets(text)
        if not text.strip():
            continue
        gap = "\n\n" if pieces else ""
        start = length + len(gap)
        places.append((start, {"cell": number}))
        if cell.get("cell_type") == "markdown":
            headings += [heading._replace(start=heading.start + start) for heading, _ in headed(text)]
        elif cell.get("cell_type") == "heading":  # of format 3
            level = cell.get("level")
            headings.append(
                Heading(start, level if type(level) is int and 0 < level < 7 else 1, " ".join(text.split()))
            )
        pieces += [gap, text]
        length = start + len(text)
    metadata = _metadata(book)
    title = metadata.pop("title", None) or best_title(headings)
    yield Document(
        raw.source, "".join(pieces), title, metadata=metadata, sections=sections(headings), places=tuple(places)
    )


def _cells(book: Any) -> list[dict[str, Any]] | None:
    """The cells, those of all worksheets of format 3; None where there are none to be found."""
    if not isinstance(book, dict):
        return None
    sheets = book.get("worksheets")
    lists = (
        [book.get("cells")] if not isinstance(sheets, list) else [s.get("cells") for s in sheets if isinstance(s, dict)]
    )
    found = [cells for cells in lists if isinstance(cells, list)]
    return [cell for cells in found for cell in cells if isinstance(cell, dict)] if found else None


def _text_of(cell: dict[str, Any]) -> str:
    """Source and outputs of a cell."""
    source = _joined(cell.get("source", cell.get("input")))
    outputs = cell.get("outputs")
    said = [_output(each) for each in outputs if isinstance(each, dict)] if isinstance(outputs, list) else []
    return "\n\n".join(part for part in (source.strip("\n"), *said) if part.strip())


def _output(output: dict[str, Any]) -> str:
    """What an output says in words, as it is shown; pictures, data and tracebacks are none."""
    data = output.get("data")
    if not isinstance(data, dict):  # of format 3, where each way to say it stands by itself
        data = {"text/plain": output.get("text"), "text/html": output.get("html"), "text/latex": output.get("latex")}
    is_stream = output.get("output_type") == "stream"
    plain = _joined(data.get("text/markdown")) or _shown(_joined(data.get("text/plain")))
    said = plain if is_stream or not OBJECT.fullmatch(plain) else ""
    said = said or _page(_joined(data.get("text/html"))) or _joined(data.get("text/latex")).strip("\n")
    return said if len(said) <= LONGEST_OUTPUT else ""


def _shown(text: str) -> str:
    """A text as a terminal shows it."""
    return "\n".join(map(_last_shown, COLOUR.sub("", text).split("\n"))).strip("\n")


def _page(html: str) -> str:
    """The text of an output that is HTML alone."""
    try:
        root = parsed(html, "") if html.strip() and len(html) <= LONGEST_PAGE else None
    except UnreadableFile:  # nested too deep
        return ""
    if root is None:
        return ""
    clean(root)
    return laid_out(blocks(root))[0]


def _last_shown(line: str) -> str:
    """What is left of a line that was written over itself, as progress is told."""
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


def _joined(value: Any) -> str:
    """A text, which may be a list of its lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _metadata(book: dict[str, Any]) -> dict[str, Any]:
    given = book.get("metadata")
    given = given if isinstance(given, dict) else {}
    title, kernel = given.get("title", given.get("name")), given.get("kernelspec")
    language = given.get("language_info", kernel)
    found = {"title": title, "language": language.get("name") if isinstance(language, dict) else None}
    return {name: value for name, value in found.items() if isinstance(value, str) and value.strip()}
