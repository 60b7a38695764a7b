"""Files → documents: which files there are, what reads which kind, what metadata may be.

Imports: errors, system, records.
"""

from searcher.readers.faqs import FAQ_READERS
from searcher.readers.raw import ReadOptions, Unsupported
from searcher.readers.reading import READERS, belonging, read, read_text
from searcher.readers.values import storable
from searcher.readers.walking import Found, find_files

__all__ = [
    "FAQ_READERS",
    "READERS",
    "Found",
    "ReadOptions",
    "Unsupported",
    "belonging",
    "find_files",
    "read",
    "read_text",
    "storable",
]
