"""Plain text, and reStructuredText, whose underlined headings give a title and sections."""

import re
from collections.abc import Iterator

from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, best_title, line_starts, sections
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

__all__ = ["read_plain", "read_rst"]

ADORNMENT = re.compile(r"""([!-/:-@[-`{-~])\1{2,}[ \t]*""")
ROLE = re.compile(r":[\w:.-]+:`([^`<]*?)\s*(?:<[^`]*>)?`")


def read_plain(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document without a title."""
    yield Document(raw.source, decoded(raw))


def read_rst(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document; the markup stays in the text."""
    text = decoded(raw)
    headings = list(_headings(text))
    yield Document(raw.source, text, title=best_title(headings), sections=sections(headings))


def _headings(text: str) -> Iterator[Heading]:
    """A line that an adornment underlines; the order in which adornments first appear gives their levels."""
    levels: dict[tuple[str, bool], int] = {}
    starts = line_starts(text)
    lines = [text[a:b].rstrip("\r\n") for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    for number in range(len(lines) - 1):
        title, under = lines[number], ADORNMENT.fullmatch(lines[number + 1])
        if not under or not title.strip() or ADORNMENT.fullmatch(title):
            continue
        over = number > 0 and lines[number - 1].rstrip() == under[0].rstrip()
        # Only an overlined title may be indented or follow a line of text; docutils takes underlines of four for any.
        if not over and (title[0].isspace() or (number > 0 and lines[number - 1].strip())):
            continue
        if len(under[0].rstrip()) < min(len(title.strip()), 4):
            continue
        level = levels.setdefault((under[1], over), len(levels) + 1)
        yield Heading(starts[number], level, ROLE.sub(r"\1", title.strip()).replace("`", ""))
