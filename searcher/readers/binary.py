"""Whether bytes are text at all, and what they are that are not."""

from typing import BinaryIO

__all__ = ["OLE", "has_controls", "is_sqlite", "kind_of_binary"]

SQLITE = b"SQLite format 3\0"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # in which Office wraps what it encrypts, and how it wrote before 2007

MAGIC = {
    b"%PDF-": "PDF",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x89PNG\r\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"\x7fELF": "ELF",
    SQLITE: "SQLite",
    OLE: "old Office",
    b"PAR1": "Parquet",
}
CONTROLS = bytes(set(range(32)) - set(b"\b\t\n\f\r\x1b"))


def kind_of_binary(head: bytes) -> str | None:
    """What a file is that begins so; None if that is not known to be binary."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), None)


def is_sqlite(stream: BinaryIO) -> bool:
    """Whether what is read on from a stream begins as a database of SQLite does."""
    return stream.read(len(SQLITE)) == SQLITE


def has_controls(head: bytes) -> bool:
    """Whether there are NUL bytes, or more control bytes than stray ones."""
    controls = len(head) - len(head.translate(None, CONTROLS))
    return b"\0" in head or controls > 2 + len(head) / 50
