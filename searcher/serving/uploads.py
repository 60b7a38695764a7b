"""Files that come in: a name is a label and nothing else, and says of which kind a file is."""

import unicodedata
from pathlib import PurePosixPath

from searcher.errors import BadValue
from searcher.readers import uploadable
from searcher.serving.problems import Refused

__all__ = ["check_name"]

MOST_BYTES = 255
PARTS = "/\\:\N{REPLACEMENT CHARACTER}"  # the last for bytes that were no UTF-8


def check_name(name: str) -> str:
    """The suffix of a file's name. BadValue for what is no plain name, Refused for a kind that is not read."""
    if name.startswith(".") or any(sign in PARTS or unicodedata.category(sign)[0] == "C" for sign in name):
        raise BadValue("the name of a file is a label: no path, no leading dot, no control characters")
    if not name.strip() or len(name.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadValue(f"the name of a file has from 1 to {MOST_BYTES} bytes")
    suffix, known = PurePosixPath(name).suffix.lower(), uploadable()
    if suffix not in known:
        raise Refused(415, f"no file of kind {suffix or 'without an ending'!r} is read here; known: {', '.join(known)}")
    return suffix
