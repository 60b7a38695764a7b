"""Modules imported without a look for garbage: of what is imported nothing is any, and Python looks many times."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["importing"]


@contextmanager
def importing(name: str) -> Iterator[None]:
    """Import a module and what it needs in here: a tenth less time. What is there by then is never looked through.

    Nothing is done where it is imported already, or where nobody looks anyhow.
    """
    if name in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
