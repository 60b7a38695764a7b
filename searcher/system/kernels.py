"""Compiled kernels: where a library of them may be loaded from, and how all of them are switched off.

They are built where there is a C compiler (hatch_build.py); every one has a slower way beside it that needs none.
"""

import ctypes
import os
from pathlib import Path

from searcher.errors import UnknownName

__all__ = ["kernel_library"]

SWITCH = "SEARCHER_KERNELS"
SETTINGS = ("auto", "off")


def kernel_library(path: Path) -> ctypes.CDLL | None:
    """The library of that file; None if it was not built, is of another system, or SEARCHER_KERNELS is "off".

    Raises UnknownName for another setting than "auto" and "off".
    """
    setting = os.environ.get(SWITCH) or "auto"
    if setting not in SETTINGS:
        raise UnknownName(SWITCH, setting, SETTINGS)
    if setting == "off":
        return None
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        return None
