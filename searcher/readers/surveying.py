"""One pass over the bytes of a file: what tells its encoding, however large the file is."""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["BLOCK_BYTES", "Survey", "surveyed"]

BLOCK_BYTES = 2**20
TAIL_BYTES = 2**12
SAMPLE_BYTES = 2**12  # lines beyond ASCII are taken up to this size
MOST_BYTES = 2**14  # … and later lines, for a byte that no line before had, up to this one
MOST_BROKEN = 2**12  # with so many, and few sound ones, it is not UTF-8
LINE = re.compile(rb"[^\r\n]+")
SHIFT = re.compile(rb"\x1b[$(]|~\{")  # what begins text beyond ASCII in codecs of seven bits
REPLACED = "\ufffd".encode()


@dataclass
class Survey:
    """What was seen. head, tail: how the file begins and ends.

    sample: lines that are not ASCII, or have shift sequences.
    sound, broken: how many characters beyond ASCII are sound and broken if it is UTF-8.
    """

    head: bytes = b""
    tail: bytes = b""
    size: int = 0
    sound: int = 0
    broken: int = 0
    sample: bytes = b""
    _seen: set[int] = field(default_factory=set)

    @property
    def is_ascii(self) -> bool:
        """Whether all bytes are ASCII."""
        return not self.sound and not self.broken


def surveyed(blocks: Iterable[bytes]) -> Survey:
    """Look through all of a file, given in blocks."""
    seen = Survey()
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    is_utf8, before = True, b""
    for block in blocks:
        if not seen.size:
            seen.head = block[:BLOCK_BYTES]
        seen.size += len(block)
        if is_utf8 and not (block.isascii() and not decoder.getstate()[0]):
            _count(seen, decoder.decode(block), before[-2:] + block)
            is_utf8 = seen.broken < MOST_BROKEN or seen.sound > seen.broken
        if not block.isascii() or SHIFT.search(block):
            _take(seen, block)
        before = block
        seen.tail = (seen.tail + block[-TAIL_BYTES:])[-TAIL_BYTES:]
    _count(seen, decoder.decode(b"", final=True), b"")
    return seen


def _count(seen: Survey, text: str, block: bytes) -> None:
    """Add the sound and broken characters of a block; one that is written as U+FFFD is sound."""
    if not text.isascii():
        broken = text.count("\ufffd") - block.count(REPLACED)
        seen.broken += max(broken, 0)
        seen.sound += len(text) - len(text.encode("ascii", "ignore")) - max(broken, 0)


def _take(seen: Survey, block: bytes) -> None:
    """Take lines of a block into the sample."""
    if len(seen.sample) >= SAMPLE_BYTES and not set(block) - seen._seen:
        return
    for line in LINE.finditer(block):
        if len(seen.sample) >= MOST_BYTES:
            return
        if line[0].isascii() and not SHIFT.search(line[0]):
            continue
        part = _excerpt(line[0])
        if len(seen.sample) < SAMPLE_BYTES or set(part) - seen._seen:
            seen.sample += part + b"\n"
            seen._seen.update(part)


def _excerpt(line: bytes) -> bytes:
    """The line, or so much of it as the sample may hold, from near its first byte beyond ASCII, cut at blanks."""
    if len(line) <= SAMPLE_BYTES:
        return line
    first = len(line) - len(line.lstrip(bytes(range(128))))
    start = line.rfind(b" ", 0, first) + 1 if first > SAMPLE_BYTES else 0
    part = line[start : start + SAMPLE_BYTES]
    return part[: part.rfind(b" ")] if b" " in part[SAMPLE_BYTES // 2 :] else part
