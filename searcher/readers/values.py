"""The types of metadata: how the text of a CSV cell becomes a value that may be stored."""

import math
import re
from typing import Any

from searcher.plain import INT64, storable

__all__ = ["typed"]

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?P<fraction>(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)")
BOOLEANS = {"true": True, "false": False}
INT64_CHARACTERS = 20


def typed(value: Any) -> Any:
    """The value that the text of a cell stands for; what is not text only has to be storable.

    >>> [typed(cell) for cell in ("1999", "1e-3", "TRUE", "007", "2024-01-31", " ")]
    [1999, 0.001, True, '007', '2024-01-31', None]
    """
    if not isinstance(value, str):
        return storable(value)
    text = value.strip()
    if not text or text.lower() in BOOLEANS:
        return BOOLEANS.get(text.lower())
    number = NUMBER.fullmatch(text)
    if number and number["fraction"] and math.isfinite(float(text)):
        return float(text)
    if number and not number["fraction"] and len(text) <= INT64_CHARACTERS and text != "-0" and int(text) in INT64:
        return int(text)
    return storable(value)
