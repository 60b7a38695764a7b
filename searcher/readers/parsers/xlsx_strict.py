"""Excel's "Strict Open XML": the same under the names of ISO/IEC 29500, of which openpyxl knows none."""

import io
import re
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from searcher.readers.parsers.zipped import Archive
from searcher.readers.raw import Raw

__all__ = ["transitional"]

STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
USUAL = rb"http://schemas.openxmlformats.org/\1/2006/"


def transitional(raw: Raw, archive: Archive, main: str) -> BinaryIO:
    """The workbook under the names that all programs know; the file itself where it has these."""
    if not archive.has(main) or not STRICT.search(next(archive.pieces(main), b"")):
        return raw.stream
    stream = io.BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED, compresslevel=1) as written:
        for name in archive.names:
            if name.endswith((".xml", ".rels")):
                with written.open(name, "w", force_zip64=True) as member:
                    for piece in archive.pieces(name):  # names stand at its beginning
                        member.write(STRICT.sub(USUAL, piece))
    return stream
