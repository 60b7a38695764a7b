"""Folders that are watched: whatever changes in them is soon in the index, and what goes goes from it."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path, PurePath
from threading import Event

from searcher.errors import BadValue, SearcherError
from searcher.records import AddReport, Failure
from searcher.system import absolute, spelled

__all__ = ["folders_of", "watched"]

SECONDS = 1.0  # after which it is looked whether to stop, and whether a folder is there again
RULES = {".gitignore", ".searcherignore"}  # hidden files that change what is read

Changes = Iterable[AbstractSet[tuple[int, str]]]
Identity = tuple[int, int] | None  # device and inode of a folder that is there and has something in it


def folders_of(paths: Sequence[str | Path]) -> list[Path]:
    """Folders to be watched. BadValue for what is none."""
    folders = [Path(spelled(Path(path).expanduser())) for path in paths]
    for folder in folders:
        if not folder.is_dir():
            raise BadValue(f"{folder} is {'a file' if folder.exists() else 'not there'}; good: folders that are there")
    if not folders:
        raise BadValue("no folder to watch; good: one or more")
    return folders


def watched(
    folders: Sequence[Path], index: Path, add: Callable[[list[Path]], AddReport], stop: Event | None = None
) -> Iterator[AddReport]:
    """A report of the first add, then one whenever a change was brought into the index; ends when `stop` is set.

    add: brings folders up to date, and removes what is gone. A folder that is not there or empty, such as a disk that
    is away, is left alone, and looked at when it is back. index: its folder, whose own files tell nothing. After a
    change all of a folder is looked at: what did not change costs little, and nothing is missed. Raises SearcherError
    without watchfiles.
    """
    try:
        from watchfiles import watch
    except ImportError:
        raise SearcherError("watching needs watchfiles: pip install 'searcher[watch]'") from None
    stop, told = stop or Event(), set[Failure]()
    there = [folder for folder in folders if _identity(folder)]
    yield _without(add(there), told)
    while not stop.is_set():
        identities = [_identity(folder) for folder in folders]
        there = [folder for folder, identity in zip(folders, identities, strict=True) if identity]
        milliseconds = round(1000 * SECONDS)
        changes: Changes = watch(
            *there, watch_filter=None, stop_event=stop, rust_timeout=milliseconds, yield_on_timeout=True
        )
        first = True  # something may have changed before the watch began
        for seen in changes if there else _waiting(stop):
            if identities != [_identity(folder) for folder in folders]:
                break
            if there and (first or any(_may_matter(path, there, index) for _, path in seen)):
                report = _without(add(there), told)
                if report.documents or report.removed or report.moved or report.failed:
                    yield report
            first = False


def _waiting(stop: Event) -> Changes:
    """Nothing, while no folder is there."""
    while not stop.is_set():
        time.sleep(SECONDS)  # which Ctrl-C ends at once on every system, as `wait` does not
        yield set()


def _identity(folder: Path) -> Identity:
    try:
        if not any(folder.iterdir()):
            return None
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _without(report: AddReport, told: set[Failure]) -> AddReport:
    """The report without the failures that were told before; what failed is tried again each time."""
    report.failed = [fault for fault in report.failed if fault not in told]
    told.update(report.failed)
    return report


def _may_matter(path: str, folders: Sequence[Path], index: Path) -> bool:
    """Whether a changed path may be one that `add` reads, or a file of rules for it."""
    changed = PurePath(absolute(path))
    if changed.is_relative_to(index) or (changed.name.startswith(".") and changed.name not in RULES):
        return False
    within = (changed.relative_to(folder).parts for folder in folders if changed.is_relative_to(folder))
    return any(not any(part.startswith(".") for part in parts[:-1]) for parts in within)
