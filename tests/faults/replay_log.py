"""A log of strace → what happened to the files below one folder, in order: writes, sizes, names, syncs, and no more.

Every string of the log is in hexadecimal (-xx), so that neither quotes nor commas in it need care.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from replay_events import EFFECTS, Call, Event, Files, Opened, as_bytes

__all__ = ["STRACE", "read_log"]

STRINGS = 1 << 28  # bytes of a string that strace may print: all of them
STRACE = ["strace", "-f", "-qq", "--seccomp-bpf", "-y", "-xx", "-s", str(STRINGS), "-e", f"trace={','.join(EFFECTS)}"]

LINE = re.compile(
    r"(?P<task>\d+) +(?P<call>\w+)\((?P<given>.*)\) += (?P<result>-?\d+|0x[0-9a-f]+|\?)(?:<(?P<path>[^>]*)>)?"
)
BEGUN = re.compile(r"(\d+) +(\w+)\((.*?),? *<unfinished \.\.\.>$")
ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>,? ?(.*)$")


def read_log(log: Path, root: Path, before: Mapping[str, bytes | None] = MappingProxyType({})) -> list[Event]:
    """What happened below `root`. before: the files that were there when the recording began, None for a folder.

    Files are numbered: the root 0, those before in the order of their names, then new ones as they come. Raises
    ValueError for a call that is not known here.
    """
    files = Files(PurePosixPath(root))
    for number, (name, data) in enumerate(sorted(before.items()), 1):
        files.names[name], files.sizes[number] = number, len(data or b"")
    lines = log.read_text().splitlines()
    parents = {
        match["result"]: (match["task"], "CLONE_FILES" in match["given"])
        for match, _ in _joined(lines, files)
        if match["call"] in ("clone", "clone3", "fork", "vfork")  # a child's calls may be logged before this returns
    }
    owner: dict[str, str] = {}
    for match, begun in _joined(lines, files):
        if match["result"] in ("?", "-1") or match["result"].startswith("-"):
            continue
        table = _descriptors(files, owner, parents, match["task"])
        path = as_bytes(match["path"]).decode() if match["path"] else None
        call = Call(match["call"], match["given"], int(match["result"], 0), path, begun, table)
        EFFECTS[call.name](files, call)
    return files.events


def _joined(lines: Iterable[str], files: Files) -> Iterator[tuple[re.Match[str], int]]:
    """Whole calls at the time of their end, those that were interrupted put together."""
    open_calls: dict[str, tuple[str, int]] = {}
    for line in lines:
        begun = len(files.events)
        if match := BEGUN.match(line):
            open_calls[match[1]] = f"{match[1]} {match[2]}({match[3]}", begun
            continue
        if match := ENDED.match(line):
            start, begun = open_calls.pop(match[1])
            line = start + (", " if match[3][:1] not in (")", "") else "") + match[3]
        if whole := LINE.match(line):
            yield whole, begun


def _descriptors(
    files: Files, owner: dict[str, str], parents: dict[str, tuple[str, bool]], task: str
) -> dict[int, Opened]:
    """The descriptors of a thread's process; a process begins with those of its parent."""
    if task not in owner:
        parent, shared = parents.get(task, (task, False))
        before = {} if parent == task else _descriptors(files, owner, parents, parent)
        owner[task] = owner[parent] if shared else task
        if not shared:
            files.descriptors[task] = dict(before)
    return files.descriptors[owner[task]]
