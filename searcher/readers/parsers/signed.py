"""What a mail holds that is signed as one sealed piece (S/MIME, RFC 5652): the message within.

Nothing is verified: who signed it is not asked.
"""

from typing import NamedTuple

__all__ = ["signed_content"]

SIGNED, DATA = (bytes.fromhex(f"2a864886f70d0107{kind}") for kind in ("02", "01"))
OBJECT, CONSTRUCTED, TAGGED = 0x06, 0x20, 0xA0
DEEPEST = 40
END = b"\0\0"  # of what does not say how long it is


class Element(NamedTuple):
    """An element of BER: its tag, its bytes or what it is made of, and where the next one begins."""

    tag: int
    said: bytes
    parts: "list[Element]"
    end: int


class Broken(Exception):
    """It is no BER."""


def signed_content(data: bytes) -> bytes | None:
    """The message that was signed; None for what is encrypted, or is none of this."""
    try:
        root = _element(data, 0, 0)
        signed = _held(root, SIGNED)
        content = next(part for part in signed[0].parts if part.parts and part.parts[0].said == DATA)
        return b"".join(_octets(part) for part in _held(content, DATA))
    except (Broken, IndexError, StopIteration):
        return None


def _held(element: Element, kind: bytes) -> list[Element]:
    """What an element of that kind of content holds."""
    name, tagged = element.parts[:2] if len(element.parts) > 1 else (element, element)
    if name.tag != OBJECT or name.said != kind or tagged.tag != TAGGED:
        raise Broken
    return tagged.parts


def _octets(element: Element) -> bytes:
    return b"".join(map(_octets, element.parts)) if element.parts else element.said


def _element(data: bytes, at: int, depth: int) -> Element:
    if depth > DEEPEST:
        raise Broken
    tag, length, at = data[at], data[at + 1], at + 2
    open_ended = length == 0x80
    if length > 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[at : at + size], "big"), at + size
    end = len(data) if open_ended else at + length
    if end > len(data):
        raise Broken
    if not tag & CONSTRUCTED:
        return Element(tag, data[at:end], [], end)
    parts: list[Element] = []
    while at < end:
        if open_ended and data[at : at + 2] == END:
            return Element(tag, b"", parts, at + 2)
        parts.append(_element(data, at, depth + 1))
        at = parts[-1].end
    return Element(tag, b"", parts, at)
