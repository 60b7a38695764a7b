"""Programs of the user's: what opens a file here, and how a command line is taken apart and written.

The functions import what takes them apart: a search that opens nothing need not wait for it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from searcher.errors import BadValue

__all__ = ["as_line", "opener", "words_of"]

# `explorer` asks no shell, as `start` would.
OPENERS = {"darwin": "open", "win32": "explorer"}


def opener(platform: str | None = None) -> str:
    """The program that opens a file in whatever is set for its kind. platform: as `sys.platform`, that of here."""
    return OPENERS.get(platform or sys.platform, "xdg-open")


def words_of(line: str, platform: str | None = None) -> list[str]:
    """A command as people set it, $EDITOR say, as its words; on Windows it may be a path with spaces in it.

    BadValue for what is none.
    """
    import shlex

    windows = (platform or sys.platform) == "win32"
    if windows and Path(line).is_file():
        return [line]
    try:
        words = shlex.split(line, posix=not windows)
    except ValueError as fault:
        raise BadValue(f"{line!r} is no command: {str(fault).lower()}") from None
    if not words:
        raise BadValue(f"{line!r} is no command: it is empty")
    return [word.strip('"') for word in words] if windows else words


def as_line(words: Sequence[str]) -> str:
    """The words as one line that a shell of here takes apart again."""
    if sys.platform == "win32":
        import subprocess

        return subprocess.list2cmdline(words)
    import shlex

    return shlex.join(words)
