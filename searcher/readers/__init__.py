"""Files → documents: which files there are, what reads which kind, what metadata may be.

Imports: errors, system, plain, places, records.
"""

from searcher.readers.binary import is_sqlite
from searcher.readers.databases import copied
from searcher.readers.faqs import FAQ_READERS
from searcher.readers.raw import Part, Raw, ReadOptions, Unsupported
from searcher.readers.reading import belonging, read, read_text, uploadable
from searcher.readers.table import formats
from searcher.readers.walking import UNNAMED, Found, find_files

__all__ = [
    "FAQ_READERS",
    "UNNAMED",
    "Found",
    "Part",
    "Raw",
    "ReadOptions",
    "Unsupported",
    "belonging",
    "copied",
    "find_files",
    "formats",
    "is_sqlite",
    "read",
    "read_text",
    "uploadable",
]
