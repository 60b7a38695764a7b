"""What only says what follows it: headings, the header of a table and its caption; a passage does not end with one."""

import re
from collections.abc import Iterator, Sequence

from searcher.records import HEADINGS

__all__ = ["headings", "tables"]

Span = tuple[int, int]

WORD = re.compile(r"\w+")
LONGEST = 400  # characters of a heading with all its markup; a longer one is a paragraph with the wrong markup
TITLE_LINES = 3  # of a title that is underlined
UNDERLINE = re.compile(r"[ \t]*([^\w\s])\1*[ \t\r]*")
LABEL = re.compile(r"^\.\. _[^\n]{1,200}:[ \t\r]*\n\s*\Z", re.M)  # what names a heading of reST
LABEL_LENGTH = 300
LONGEST_LINE = 2000  # looked at for a title
LONGEST_CAPTION = 200
CAPTION = re.compile(rf"(?:\A|\n[ \t\r]*\n)(?P<line>[^\n]{{1,{LONGEST_CAPTION}}})\n(?:[ \t\r]*\n)?\Z")
RULE = r"[ \t]*+=++(?: ++=++)++[ \t\r]*+"
DASHES = r"[ \t]*+:?+-++:?+[ \t]*+"
TABLES = (
    ("|", re.compile(rf"^[^\n|]*+\|[^\n]*+\n[ \t>]*+\|?+{DASHES}(?:\|{DASHES})*+\|?+[ \t\r]*+$", re.M)),
    (" | ", re.compile(r"^(?![ \t>]*\|)(?>[^\n]*? \| )[^\n]*+(?=\n[^\n]*? \| )", re.M)),  # as pages are laid out
    ("+=", re.compile(r"^([ \t]*+)\+-[-+]*+[ \t\r]*+\n(?:\1\|[^\n]*+\n){1,9}+\1\+=[=+]*+[ \t\r]*+$", re.M)),
    ("==", re.compile(rf"^{RULE}\n(?:[^\n]*\n){{1,4}}?{RULE}$", re.M)),
)  # fmt: skip


def headings(text: str, sections: Sequence[tuple[int, str]]) -> Iterator[Span]:
    """Where each heading begins and ends, with what marks it above and below.

    One that is as long as a paragraph, and one whose title has no word of the text there, ends where it begins.
    sections: (start, heading path) in rising order, as in a Document.
    """
    for start, path in sections:
        words = WORD.findall(path.rpartition(HEADINGS)[2])
        line = text[start : _line_end(text, start)]
        begin, end = _begin(text, start), _end(text, start)
        is_title = end - begin <= LONGEST and (not words or any(word in line for word in words))
        yield begin, end if is_title else begin


def _end(text: str, start: int) -> int:
    """The end of a title's last line, or of the line that underlines it."""
    end = first = _line_end(text, start)
    if text[start:end].lstrip().startswith("#"):
        return end
    for _ in range(TITLE_LINES):
        begin, end = end + 1, _line_end(text, end + 1)
        if not text[begin:end].strip():
            break
        if UNDERLINE.fullmatch(text, begin, end):
            return end
    return first


def _begin(text: str, start: int) -> int:
    """The start of a title, of the line over it, or of what names it."""
    line = text.rfind("\n", max(0, start - LONGEST_LINE), start) + 1
    above = text.rfind("\n", max(0, line - LONGEST_LINE), max(line - 1, 0)) + 1
    if above < line and UNDERLINE.fullmatch(text, above, line - 1):
        below = _line_end(text, start) + 1
        if text[above : line - 1].strip() == text[below : _line_end(text, below)].strip():
            line = start = above
    label = LABEL.search(text, max(0, line - LABEL_LENGTH), line)
    return label.start() if label and label.end() == line else start


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at, at + LONGEST_LINE)
    return min(len(text), at + LONGEST_LINE) if end < 0 else end


def tables(text: str, start: int, end: int) -> Iterator[Span]:
    """The headers of the tables in a stretch, each with its caption: one line on its own above it."""
    for mark, header in TABLES:
        if text.find(mark, start, end) < 0:
            continue
        last = -1
        for found in header.finditer(text, start, end):
            if mark != " | " or found.start() != last + 1:  # only the first of rows that are all alike
                caption = CAPTION.search(text, max(start, found.start() - LONGEST_CAPTION - 8), found.start())
                if caption:
                    yield caption.span("line")
                yield found.span()
            last = found.end()
