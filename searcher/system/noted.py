"""What was found in large files that were read through, noted in the user's own folder: nobody reads them through again
while nothing shows that they were touched since.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from searcher.system.files import absolute, user_folder

__all__ = ["note", "noted"]


def noted(path: Path, status: os.stat_result) -> str | None:
    """What was noted of a file, None if nothing was or if it may be another since. status: of the file, once opened."""
    with suppress(OSError, ValueError):  # ValueError: it was cut short, or damaged
        marks, text, _ = _note(path).read_text(encoding="ascii").split("\n")
        if marks == _marks(status):
            return text
    return None


def note(path: Path, status: os.stat_result, text: str = "") -> None:
    """Note what was found in a file, a line in ASCII, if that can be. status: of the file before it was read."""
    with suppress(OSError):
        file = _note(path)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(f"{_marks(status)}\n{text}\n", encoding="ascii")


def _note(path: Path) -> Path:
    return user_folder("state") / "verified" / hashlib.blake2b(absolute(path).encode(), digest_size=16).hexdigest()


def _marks(status: os.stat_result) -> str:
    """What changes whenever somebody writes to a file or puts another in its place."""
    return " ".join(str(getattr(status, f"st_{name}")) for name in ("dev", "ino", "size", "mtime_ns", "ctime_ns"))
