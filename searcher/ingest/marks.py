"""How a file looks from outside, by which one that did not change is known without being read.

The time of its last change alone may lie: programs set it, and two changes may fall into one tick of the clock. So it
counts beside size, inode and the time when the inode changed, which no program sets; and a file that changed within
the last moments is read (as git does with its index, Documentation/technical/racy-git.txt).
"""

import hashlib
import time
from pathlib import Path
from typing import NamedTuple

from searcher.readers import belonging

__all__ = ["FileLook", "look_at"]

MOMENT_NS = 2_000_000_000  # the coarsest clock of a file system in use: FAT's


class FileLook(NamedTuple):
    """size: bytes of the file and those that belong to it. states: what the system says of each. at: when, in ns."""

    size: int
    states: tuple[tuple[int, ...], ...]
    at: int

    @property
    def is_settled(self) -> bool:
        """Whether what changes the file from now on changes its look too."""
        return all(max(mtime, ctime) < self.at - MOMENT_NS for _, mtime, _, ctime in self.states)

    def mark(self, how: bytes, digest: bytes) -> bytes:
        """16 bytes that stand for a file that looks so, is read so, and had that digest."""
        return hashlib.blake2b(repr((self.states, how, digest)).encode(), digest_size=16).digest()


def look_at(path: Path) -> FileLook:
    """The look of a file now. OSError if it cannot be seen."""
    at = time.time_ns()
    states = [each.stat() for each in belonging(path)]
    told = tuple((each.st_size, each.st_mtime_ns, each.st_ino, each.st_ctime_ns) for each in states)
    return FileLook(sum(each.st_size for each in states), told, at)
