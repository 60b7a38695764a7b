"""Documents of other kinds within a document of Word, which it shows as parts of its own (altChunk)."""

import io
from collections.abc import Callable, Iterator

from searcher.readers.blocks import blocks, laid_out
from searcher.readers.charsets import known_codec
from searcher.readers.decoding import decoded
from searcher.readers.headings import sections
from searcher.readers.htmltree import clean, parsed
from searcher.readers.parsers.mime import message_of
from searcher.readers.parsers.rtf import read_rtf
from searcher.readers.plain import read_plain
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document

__all__ = ["chunk_items"]

Read = Callable[[Raw, ReadOptions], Iterator[Item]]
HEAD = 2000  # bytes that tell the kinds from each other
TAGS = (b"<html", b"<body", b"<!doctype", b"<p", b"<div", b"<h1", b"<table", b"<span")


def chunk_items(raw: Raw, options: ReadOptions, read_word: Read) -> Iterator[Item]:
    """What it says, by what its bytes say that it is: Word, RTF, a page, a page in a message (MHT), or a text."""
    head = raw.stream.read(HEAD).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    raw.stream.seek(0)
    if head.startswith(b"pk"):
        return read_word(raw, options)
    if head.startswith(b"{\\rtf"):
        return read_rtf(raw, options)
    if b"mime-version:" in head or b"content-type:" in head.partition(b"<")[0]:
        return _page(next(_pages(raw), raw))
    return _page(raw) if any(tag in head for tag in TAGS) else read_plain(raw, options)


def _pages(message: Raw) -> Iterator[Raw]:
    for part in message_of(message.whole()).walk():
        data = part.get_payload(decode=True)
        if part.get_content_type() == "text/html" and isinstance(data, bytes):
            charset = part.get_content_charset()
            yield Raw(message.source, io.BytesIO(data), len(data), known_codec(charset) if charset else None)


def _page(raw: Raw) -> Iterator[Item]:
    """All of a page: nothing of it is a menu."""
    root = parsed(decoded(raw, markup=True), raw.source)
    if root is not None:
        clean(root)
        text, headings, _ = laid_out(blocks(root))
        yield Document(raw.source, text, sections=sections(headings))
