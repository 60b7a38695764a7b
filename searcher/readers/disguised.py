"""Files that are called as one of an older kind of Office and hold another, as programs write that export for it."""

import re
from typing import BinaryIO

__all__ = ["suffix_of_content"]

HEAD = 1024
NEWER = {".doc": ".docx", ".ppt": ".pptx", ".xls": ".xlsx"}
MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html|head|body|meta|table)\b", re.IGNORECASE)
RTF = re.compile(rb"\s*\{\\rtf")
ARCHIVE = b"PK\x03\x04"


def suffix_of_content(stream: BinaryIO, suffix: str) -> str | None:
    """What a file ends in that begins as the stream does: RTF, a web page, or the newer kind; None for any other."""
    head = stream.read(HEAD)
    stream.seek(0)
    if RTF.match(head):
        return ".rtf"
    if MARKUP.match(head):
        return ".html"
    return NEWER.get(suffix) if head.startswith(ARCHIVE) else None
