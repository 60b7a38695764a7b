"""Plain text, and reStructuredText, whose underlined headings give a title and sections."""

import re
from collections.abc import Iterator
from unicodedata import combining, east_asian_width

from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading, best_title, line_starts, sections
from searcher.readers.headings import lines as split_lines
from searcher.readers.parts import WHOLE_BYTES, in_parts
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

__all__ = ["read_plain", "read_rst"]

ADORNMENT = re.compile(r"""(?!::[ \t]*\Z)([!-/:-@[-`{-~])\1*[ \t]*""")
LONG = 4  # an adornment of so many characters may be shorter than its title, as docutils has it
ESCAPE = re.compile(r"\\(?:\s|(\S))")
# What inline markup of a title shows: of a role, of a link with its target or by its name, of what is emphasised.
INLINE = [
    re.compile(r":[\w:.-]+:`(?:~[^`<]*\.(?=[^`<.]))?!?([^`<]*?)\s*(?:<[^`]*>)?`"),
    re.compile(r"(?<!`)`([^`<]+?)\s*<[^`<>]*>`__?(?!\w)"),
    re.compile(r"(?<!`)`([^`]+)`__?(?!\w)"),
    re.compile(r"(?<![\w*\\`])\*\*(?=[^\s*])((?:[^*`]|\*(?!\*))*[^\s*\\])\*\*(?![\w*])"),
    re.compile(r"(?<![\w*\\`])\*(?=[^\s*])([^*`]*[^\s*\\])\*(?![\w*])"),
]


def read_plain(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document without a title, or as parts if it is large."""
    if raw.size > WHOLE_BYTES:
        yield from in_parts(raw)
    else:
        yield Document(raw.source, decoded(raw))


def read_rst(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The file as one document; the markup stays in the text."""
    text = decoded(raw).lstrip("\ufeff")  # a second mark of byte order would hide a title
    headings = list(_headings(text))
    yield Document(raw.source, text, title=best_title(headings), sections=sections(headings))


def _headings(text: str) -> Iterator[Heading]:
    """A line that an adornment underlines; the order in which adornments first appear gives their levels."""
    levels: dict[tuple[str, bool], int] = {}
    starts, lines = line_starts(text), split_lines(text)
    ended = -2  # the last line of the title before
    for number in range(len(lines) - 1):
        title, under = lines[number], ADORNMENT.fullmatch(lines[number + 1])
        if not under or not title.strip() or ADORNMENT.fullmatch(title):
            continue
        above = lines[number - 1] if number else ""
        over = above.rstrip() == under[0].rstrip()
        # Only an overlined title may be indented, or follow a line of text that is no title.
        if not over and (title[0].isspace() or (above.strip() and ended != number - 1 and not above.startswith(".. "))):
            continue
        if len(under[0].rstrip()) < min(_width(title.rstrip()), LONG):
            continue
        ended = number + 1
        level = levels.setdefault((under[1], over), len(levels) + 1)
        yield Heading(starts[number], level, _spoken(title.strip()))


def _spoken(title: str) -> str:
    """A title without its markup."""
    for markup in INLINE:
        title = markup.sub(r"\1", title)
    return ESCAPE.sub(r"\1", title.replace("`", ""))


def _width(text: str) -> int:
    """How many columns a text takes: two for a character of full width, none for one that joins the last."""
    return sum(2 if east_asian_width(c) in "WF" else not combining(c) for c in text)
