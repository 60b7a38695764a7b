"""Files and folders as each system has them: names, owners' rights, what is on the disk when a call returns.

What a system lacks: Windows cannot open a folder to sync it, nor rename over a file that is open or mapped, and its
files have the rights of their folder. On macOS and Windows one file answers to names in any case, on macOS also to
composed and decomposed letters.
"""

import errno
import os
import stat
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = [
    "absolute",
    "binary",
    "is_ours",
    "named_once",
    "private",
    "private_folder",
    "renames_over_open_files",
    "shown",
    "spelled",
    "sync_folder",
    "user_folder",
]

FOLDER_RIGHTS, FILE_RIGHTS = 0o700, 0o600


def absolute(path: str | Path) -> str:
    """The absolute path with "/" between its parts, on every system; links stay as they are."""
    # Path.absolute keeps "..", Path.resolve follows links.
    return Path(os.path.abspath(path)).as_posix()  # noqa: PTH100


def spelled(path: str | Path) -> str:
    """`absolute`, spelled as the folders have it: a system for which "Notes" and "notes" are one file has one source.

    As it was given where there is no such file.
    """
    given = Path(absolute(path))
    found = Path(given.anchor)
    for part in given.parts[1:]:
        # Not Path.is_dir, which raises where a name is longer than any file's.
        found /= _own_name(found, part) if os.path.isdir(found) else part  # noqa: PTH112
    return found.as_posix()


def _own_name(folder: Path, part: str) -> str:
    """How a folder itself spells the name of what is in it; as given if it does not have it."""
    others = {part.swapcase(), unicodedata.normalize("NFC", part), unicodedata.normalize("NFD", part)} - {part}
    if not os.path.lexists(folder / part) or not any(os.path.lexists(folder / other) for other in others):
        return part  # names are told apart here
    try:
        names = os.listdir(folder)  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return part
    if part in names:
        return part
    folded = _folded(part)
    return next((name for name in names if _folded(name) == folded), part)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


# Of freedesktop.org's base directory specification, on every Unix; Windows has one folder for all of it.
USER_FOLDERS = {"config": ".config", "data": ".local/share", "state": ".local/state", "cache": ".cache"}


def user_folder(kind: str) -> Path:
    """The user's folder for our files of a kind, $XDG_…_HOME/searcher. OSError without a home."""
    try:
        if given := os.environ.get(f"XDG_{kind.upper()}_HOME"):
            return Path(given) / "searcher"
        if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
            return Path(local) / "searcher" / kind
        return Path.home() / USER_FOLDERS[kind] / "searcher"
    except RuntimeError as fault:
        raise OSError(str(fault)) from None


def is_ours(path: Path) -> bool:
    """Whether a file belongs to this user; where files have no owners, it does."""
    return not hasattr(os, "geteuid") or path.stat().st_uid == os.geteuid()


def shown(path: str) -> str:
    """A path below the current folder without that folder; from the root there is nothing to leave out."""
    here = absolute(".")
    return path if here == "/" else path.removeprefix(f"{here.rstrip('/')}/")


def private(path: Path) -> int:
    """A new file that nobody else can read, opened for reading and writing. FileExistsError if there is one."""
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_RIGHTS)


def private_folder(folder: Path) -> None:
    """The folder and those above it that are missing, each with its name on the disk before the next is made."""
    if folder.is_dir():
        return
    private_folder(folder.parent)
    folder.mkdir(mode=FOLDER_RIGHTS, exist_ok=True)
    with suppress(PermissionError):  # a folder that may be written to but not read cannot be opened to be synced
        sync_folder(folder.parent)


def renames_over_open_files() -> bool:
    """Whether a file may take the name of one that is open, or mapped."""
    return sys.platform != "win32"


def sync_folder(folder: Path) -> None:
    """The names in it are on the disk when this returns; on Windows the file system alone sees to that."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def binary(path: Path) -> BinaryIO:
    """The file, for reading. OSError if it is none: a pipe in its place would keep us waiting."""
    # O_NONBLOCK opens a pipe at once, and changes nothing for a file.
    flags = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
    stream = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        stream.close()
        raise OSError(errno.EINVAL, "not a file", str(path))
    return stream


def named_once(draft: Path, path: Path) -> None:
    """Give a whole file its name. FileExistsError if another has it already, and nothing is changed then."""
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except (AttributeError, OSError):  # a system or file system without links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "there already", str(path)) from None
        draft.rename(path)
