"""A text too large for one document: parts that follow each other, each a document, read one after the other."""

import re
from collections.abc import Iterator

from searcher.readers.decoding import blocks, encoding_of
from searcher.readers.raw import Raw
from searcher.records import Document

__all__ = ["WHOLE_BYTES", "in_parts"]

WHOLE_BYTES = 4 * 2**20  # a longer text is no document but a log or a dump; books have less
PART = 200_000  # characters of a part at most: what is embedded in seconds, and so committed
BORDERS = (re.compile(r"\n[^\S\n]*\n"), re.compile(r"\n|\r(?!\n)"), re.compile(r"\s"))  # the best place first


def in_parts(raw: Raw) -> Iterator[Document]:
    """The file as documents `path#part-1`, `path#part-2` …, which begin on the line that `first_line` says.

    A part ends with a blank line if there is one in its second half, else with a line, else with a word. Where it ends
    follows from what stands before: of a file that grew, all parts but the last are what they were.
    """
    number, line, rest = 0, 1, ""
    for block in blocks(raw, encoding_of(raw), PART):
        rest += block
        while len(rest) > PART:
            at = _border(rest)
            number += 1
            yield _part(raw, number, rest[:at], line)
            line, rest = line + rest.count("\n", 0, at), rest[at:]
    yield _part(raw, number + 1, rest, line)


def _part(raw: Raw, number: int, text: str, line: int) -> Document:
    return Document(f"{raw.source}#part-{number}", text, first_line=line)


def _border(text: str) -> int:
    """Where a part of a text ends that is longer than one."""
    for border in BORDERS:
        places = [found.end() for found in border.finditer(text, PART // 2, PART)]
        if places:
            return places[-1] - (text[places[-1] - 1 : places[-1] + 1] == "\r\n")
    return PART
