"""Which file has another path now: that of the same content whose name is most alike; which folder was renamed."""

from collections.abc import Sequence
from pathlib import PurePosixPath

__all__ = ["common_move", "nearest"]


def nearest(path: str, others: Sequence[str]) -> str | None:
    """Of some paths the one that ends most like a path, else begins most like it; None of none.

    >>> nearest("/b/x/one.txt", ["/a/x/two.txt", "/a/x/one.txt", "/b/one.txt"])
    '/a/x/one.txt'
    """
    parts = PurePosixPath(path).parts

    def alike(other: str) -> tuple[int, int]:
        theirs = PurePosixPath(other).parts
        return _shared(parts[::-1], theirs[::-1]), _shared(parts, theirs)

    return max(sorted(others), key=alike, default=None)


def common_move(old: str, new: str) -> tuple[str, str]:
    """What was renamed: the paths without what their ends share, the file itself where its name is another.

    >>> common_move("/a/old/x/one.txt", "/a/new/x/one.txt")
    ('/a/old', '/a/new')
    >>> common_move("/a/one.txt", "/a/two.txt")
    ('/a/one.txt', '/a/two.txt')
    """
    before, after = PurePosixPath(old).parts, PurePosixPath(new).parts
    same = min(_shared(before[::-1], after[::-1]), len(before) - 1, len(after) - 1)
    kept = len(before) - same, len(after) - same
    return str(PurePosixPath(*before[: kept[0]])), str(PurePosixPath(*after[: kept[1]]))


def _shared(first: Sequence[str], second: Sequence[str]) -> int:
    """How many parts two paths begin with alike."""
    return next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )
