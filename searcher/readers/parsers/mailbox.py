"""A mailbox to its messages: which lines begin one, whichever program wrote them (mbox, mboxrd)."""

import re
from collections.abc import Iterator

from searcher.errors import UnreadableFile
from searcher.readers.raw import Raw

__all__ = ["messages"]

MOST_BYTES = 64 * 2**20  # of one message
SEPARATOR = re.compile(rb"From [^\r\n]{0,200}\d{2}:\d{2}[^\r\n]{0,60}\d{4}")
BY_MACHINE = re.compile(rb"From [^\r\n]{0,200}\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}[^\r\n]{0,60}\d{4}\s*\Z")
BARE = re.compile(rb"From (?:- ?)?\r?\n")  # as Thunderbird writes it
FIELD = re.compile(rb"[A-Za-z][\w-]{1,70}:(?:\s|\Z)|>From ")
QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def messages(raw: Raw) -> Iterator[bytes]:
    """The messages one after the other. UnreadableFile for one that is too long."""
    lines: list[bytes] | None = None
    size, empty = 0, True
    line = next(raw.stream, b"")
    while line:
        after = next(raw.stream, b"")
        if _begins(line, after, empty):
            if lines is not None:
                yield QUOTED.sub(rb"\1", b"".join(lines))
            lines, size = [], 0
        elif lines is not None:
            size += len(line)
            if size > MOST_BYTES:
                raise UnreadableFile(raw.source, f"a message of over {MOST_BYTES / 2**20:,.0f} MiB")
            lines.append(line)
        empty, line = not line.strip(), after
    if lines is not None:
        yield QUOTED.sub(rb"\1", b"".join(lines))


def _begins(line: bytes, after: bytes, empty: bool) -> bool:
    """Whether a line begins a message: it says when, and a header follows at once; after an empty line one as machines
    write it, or that says no time, is enough. Not every program sets an empty line before, or quotes such a line.
    """
    if not line.startswith(b"From "):
        return False
    if FIELD.match(after):
        return SEPARATOR.match(line) is not None or (empty and BARE.fullmatch(line) is not None)
    return empty and BY_MACHINE.match(line) is not None
