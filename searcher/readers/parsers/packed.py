"""A text that gzip compressed: the file within is read by its own reader."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import PurePath

from searcher.errors import UnreadableFile
from searcher.readers.raw import MAX_TEXT_BYTES, Part, Raw, ReadOptions

__all__ = ["read_gzip"]

MOST = min(MAX_TEXT_BYTES, 128 * 2**20)


def read_gzip(raw: Raw, options: ReadOptions) -> Iterator[Part]:
    """What is in it, named by the file's name without its ending. UnreadableFile where that is too much or damaged."""
    try:
        with gzip.GzipFile(fileobj=raw.stream) as stream:
            data = stream.read(MOST + 1)
    except (OSError, EOFError, zlib.error):
        raise UnreadableFile(raw.source, "it is damaged or cut short: gzip cannot unpack it") from None
    if len(data) > MOST:
        raise UnreadableFile(raw.source, f"it unpacks to more than {MOST / 2**20:,.0f} MiB")
    inner = PurePath(raw.source).with_suffix("").suffix.lower()
    yield Part(Raw(raw.source, io.BytesIO(data), len(data), raw.encoding, outer=raw.outer), inner or ".txt", sole=True)
