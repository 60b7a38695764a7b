"""A list of texts and whole numbers in MessagePack, as txtai keeps its ids (github.com/msgpack/msgpack, spec.md)."""

import struct
from typing import Any

from searcher.errors import UnreadableFile

__all__ = ["read_list"]

LISTS = {0xDC: ">H", 0xDD: ">I"}
TEXTS = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
NUMBERS = {
    0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q", 0xCB: ">d",
    0xCA: ">f",
}  # fmt: skip
CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def read_list(data: bytes, source: str) -> list[Any]:
    """The items of one list. UnreadableFile for anything else."""
    reader = Reader(data)
    try:
        items = [reader.scalar() for _ in range(reader.length())]
    except (ValueError, IndexError, struct.error):
        raise UnreadableFile(source, f"at byte {reader.at}: not a list of texts and numbers in MessagePack") from None
    if reader.at != len(data):
        raise UnreadableFile(source, f"{len(data) - reader.at:,} bytes follow its list")
    return items


class Reader:
    """Bytes, taken one value after the other."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> Any:
        """One number."""
        (value,) = struct.unpack_from(layout, self.data, self.at)
        self.at += struct.calcsize(layout)
        return value

    def length(self) -> int:
        """How long the list is that begins here."""
        mark = self.take("B")
        if 0x90 <= mark <= 0x9F:
            return int(mark & 0x0F)
        if mark not in LISTS:
            raise ValueError
        return int(self.take(LISTS[mark]))

    def scalar(self) -> Any:
        """A text, a number, a truth value or None."""
        mark = self.take("B")
        if mark <= 0x7F or mark >= 0xE0:
            return mark if mark <= 0x7F else mark - 256
        if mark in CONSTANTS:
            return CONSTANTS[mark]
        if mark in NUMBERS:
            return self.take(NUMBERS[mark])
        length = mark & 0x1F if 0xA0 <= mark <= 0xBF else self.take(TEXTS[mark]) if mark in TEXTS else None
        if length is None or self.at + length > len(self.data):
            raise ValueError
        self.at += length
        return self.data[self.at - length : self.at].decode()
