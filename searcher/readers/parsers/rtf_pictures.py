"""Pictures in RTF: digits or bytes in the text, made into what a file of each would hold."""

import re
import struct
from binascii import unhexlify
from dataclasses import dataclass, field

__all__ = ["BLIPS", "Blip"]

# What says of which kind a picture is, and what a file of it would end in.
BLIPS = {
    "pngblip": "png", "jpegblip": "jpeg", "emfblip": "emf", "wmetafile": "wmf", "pmmetafile": "wmf", "macpict": "pict",
    "dibitmap": "bmp", "wbitmap": "ddb",
}  # fmt: skip
NO_DIGIT = re.compile(rb"[^0-9a-fA-F]+")
HEADER = 14  # bytes before a bitmap in a file of its own
BITFIELDS = 3  # of a bitmap's compression: three masks stand before its pixels


@dataclass
class Blip:
    """A picture. digits: its bytes as hexadecimal digits; binary: as they are. kind: what a file of it would end in."""

    digits: list[bytes] = field(default_factory=list)
    binary: list[bytes] = field(default_factory=list)
    kind: str = ""

    def file(self) -> bytes:
        """What a file of it would hold."""
        digits = NO_DIGIT.sub(b"", b"".join(self.digits))
        data = b"".join(self.binary) or unhexlify(digits[: len(digits) & ~1])
        return _bitmap(data) if self.kind == "bmp" else data


def _bitmap(data: bytes) -> bytes:
    """A bitmap as it is in memory, with the header of a file before it."""
    if len(data) < 40:
        return data
    (size,), (bits, packing), (colors,) = (
        struct.unpack_from(form, data, at) for form, at in (("<I", 0), ("<HI", 14), ("<I", 32))
    )
    colors = colors or (1 << bits if bits <= 8 else 0)
    masks = 12 if packing == BITFIELDS and size == 40 else 0
    pixels = HEADER + size + 4 * colors + masks
    return b"BM" + struct.pack("<III", HEADER + len(data), 0, pixels & 0xFFFFFFFF) + data
