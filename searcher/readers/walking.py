"""Paths to files: folders are walked in a fixed order, and what is passed over for a reason is told."""

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from searcher.readers.ignoring import Rules, repository_rules, rules_of
from searcher.records import Failure, Skipped
from searcher.system import absolute

__all__ = ["UNNAMED", "Found", "find_files"]

UNNAMED = "its name is not UTF-8"  # of a file that is told under another one

INDEX_FILE = "searcher.db"  # a folder that holds it is an index, not a source of text
COMPANION = re.compile(r"(.+)-(?:wal|shm|journal)")  # what SQLite keeps beside a file that is in use
SKIPPED_FOLDERS = {"__pycache__", "node_modules"}
SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Found:
    """A file to be read: its absolute path, whether it was named itself, and the path given that led to it."""

    path: Path
    explicit: bool
    root: Path


Entry: TypeAlias = tuple[Path, tuple[Rules, ...]]  # a path and the rules that hold there, the deepest last


def find_files(paths: Iterable[Path]) -> Iterator[Found | Failure]:
    """The files under the paths, each once, every folder's in the order of their names.

    In a folder, hidden files, caches, and what .gitignore and .searcherignore name are passed over in silence; in a git
    repository also what the ignore files above the folder and git's exclude files name. Links that leave the folder,
    pipes, devices and other indexes are told as Skipped, what cannot be read as a Failure. A link to a file
    that would itself be passed over is followed: it stands where its owner wants the file to be seen. A path given is
    followed if it is a link, and no rule applies to it.
    """
    met: set[str] = set()
    for given in paths:
        root = Path(absolute(given))
        start, real_start = len(str(root)), os.path.realpath(root)
        for found in _under(root):
            real = found.source if isinstance(found, Failure) else str(found.path)
            if isinstance(found, Found):  # below the root only a link leads elsewhere
                real = os.path.realpath(real) if os.path.islink(real) else real_start + real[start:]  # noqa: PTH114 - quick
            if real not in met:
                met.add(real)
                yield found


def _under(root: Path) -> Iterator[Found | Failure]:
    try:
        status = root.stat()
    except OSError as error:
        yield Failure(_name(root), _reason(error))
        return
    if stat.S_ISDIR(status.st_mode):
        yield from _walk(root)
    elif stat.S_ISREG(status.st_mode):
        yield _found(root, root)
    else:
        yield Skipped(_name(root), _special(status))


def _walk(root: Path) -> Iterator[Found | Failure]:
    # A stack, for a tree may be deeper than Python's calls.
    outer = tuple(repository_rules(root))
    stack: list[Entry] = [(root, outer)]
    real_root = Path(os.path.realpath(root))
    while stack:
        path, rules = stack.pop()
        try:
            status = path.stat() if path == root else path.lstat()
            mode = status.st_mode
            if path != root and _is_ignored(path, stat.S_ISDIR(mode), rules):
                continue
            if stat.S_ISDIR(mode):
                names = sorted(os.listdir(path), reverse=True)  # noqa: PTH208 - names are all that is wanted
                if INDEX_FILE in names:
                    yield Skipped(_name(path), "an index folder")
                    continue
                own = rules_of(path)
                below = (*rules, own) if own else rules
                stack += ((path / name, below) for name in names if not name.startswith("."))
            elif stat.S_ISREG(mode):
                yield _found(path, root)
            elif stat.S_ISLNK(mode):
                yield from _link(path, root, real_root, outer)
            else:
                yield Skipped(_name(path), _special(status))
        except OSError as error:
            yield Failure(_name(path), _reason(error))


def _is_ignored(path: Path, is_folder: bool, rules: tuple[Rules, ...]) -> bool:
    if is_folder and path.name in SKIPPED_FOLDERS:
        return True
    if (beside := COMPANION.fullmatch(path.name)) and path.with_name(beside[1]).is_file():
        return True
    verdicts = (own.verdict(path, is_folder) for own in reversed(rules))
    return next((verdict for verdict in verdicts if verdict is not None), False)


def _link(path: Path, root: Path, real_root: Path, outer: tuple[Rules, ...]) -> Iterator[Found | Failure]:
    """Nothing for a link to what the walk meets anyway; a loop is never entered."""
    target = Path(os.path.realpath(path))
    if not target.exists():
        yield Skipped(_name(path), "a link to nothing")
    elif not target.is_relative_to(real_root):
        yield Skipped(_name(path), "a link that leaves the folder")
    elif not _is_met(root / target.relative_to(real_root), root, outer):
        if target.is_file():
            yield _found(path, root)
        else:
            yield Skipped(_name(path), "a link to a hidden or ignored folder")


def _is_met(target: Path, root: Path, rules: tuple[Rules, ...]) -> bool:
    """Whether a walk comes to a file or folder below the root."""
    path = root
    for part in target.relative_to(root).parts:
        own = rules_of(path)
        rules = (*rules, own) if own else rules
        path /= part
        if part.startswith(".") or _is_ignored(path, path.is_dir(), rules) or (path / INDEX_FILE).exists():
            return False
    return True


def _found(path: Path, root: Path) -> Found | Failure:
    try:
        str(path).encode()
    except UnicodeEncodeError:  # such a name could not be stored
        return Failure(_name(path), UNNAMED)
    return Found(path, explicit=path == root, root=root)


def _name(path: Path) -> str:
    """The path as text that can be printed, whatever its bytes are."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _special(status: os.stat_result) -> str:
    return SPECIAL.get(stat.S_IFMT(status.st_mode), "not a regular file")


def _reason(error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:  # who gives texts is told, for few files have such names
        return "no file has a name so long; a text is added from stdin (-) or by add_texts"
    missing = isinstance(error, FileNotFoundError)
    return "no such file or folder" if missing else (error.strerror or str(error)).lower()
