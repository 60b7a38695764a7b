"""How many pixels a picture has, by its first bytes, and whether it is an ornament in which nothing can be written."""

import struct
from collections.abc import Callable

__all__ = ["is_ornament", "is_picture"]

LEAST_SIDE, LEAST_PIXELS = 16, 10_000  # of what is no icon, bullet or line: a line of print is some 300 × 30
ENOUGH = 30  # bytes of any head but JPEG's
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # of JPEG: segments that say the size
BARE = {0x01, *range(0xD0, 0xDA)}  # … and those without a length
Size = tuple[int, int]


def is_picture(data: bytes) -> bool:
    """Whether it begins as one of the kinds that OCR reads."""
    return _size_of(data) is not None


def is_ornament(data: bytes) -> bool:
    """Whether it is a picture too small to be read; data: its beginning at least, of a JPEG up to where it says so."""
    find = _size_of(data)
    size = find(data) if find and len(data) >= ENOUGH else None
    return size is not None and (min(size) < LEAST_SIDE or size[0] * size[1] < LEAST_PIXELS)


def _size_of(data: bytes) -> Callable[[bytes], Size | None] | None:
    """What finds the size of such a picture."""
    return next((find for magic, at, find in KINDS if data[at : at + len(magic)] == magic), None)


def _jpeg(data: bytes) -> Size | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind in FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if kind == 0xFF:  # filling
            at += 1
        else:
            at += 2 if kind in BARE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _webp(data: bytes) -> Size | None:
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return (width & 0x3FFF, height & 0x3FFF) if kind == b"VP8 " else None


def _bmp(data: bytes) -> Size:
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _unknown(data: bytes) -> None:
    """A TIFF says it anywhere in the file; nobody makes ornaments of that kind."""


KINDS: list[tuple[bytes, int, Callable[[bytes], Size | None]]] = [
    (b"\x89PNG\r\n\x1a\n", 0, lambda data: struct.unpack_from(">II", data, 16)),
    (b"\xff\xd8\xff", 0, _jpeg),
    (b"GIF8", 0, lambda data: struct.unpack_from("<HH", data, 6)),
    (b"WEBP", 8, _webp),
    (b"BM", 0, _bmp),
    (b"II*\0", 0, _unknown),
    (b"MM\0*", 0, _unknown),
]
