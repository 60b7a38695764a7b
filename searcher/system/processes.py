"""Processes as each system has them: the cores that one may use, its memory, who lives, and what is to be done about a
fork.

Windows has no fork; only Linux (and some BSDs) keep a process to some of the cores, and only there is a bound on the
memory of a process kept; only Linux says when one began, and has a niceness for each thread.
"""

import os
import platform
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = [
    "bound_memory", "cores", "give_memory_back", "give_way", "is_alive", "keep_freed_memory", "keep_no_large_memory",
    "memory_of", "on_fork", "this_process",
]  # fmt: skip

LARGE = 4 << 20  # bytes; what computes asks for less each time, and would wait for new pages
M_MMAP_THRESHOLD = -3  # of glibc's malloc.h


def cores() -> int:
    """How many cores this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def give_way(niceness: int = 19) -> None:
    """Let this thread, and those that it will start, run where others of this process need no core.

    Only Linux has a niceness for each thread (sched(7)); elsewhere nothing changes.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)


def this_process() -> list[str | int]:
    """What names this process for others: machine, number, and when it began where that is known."""
    return [platform.node(), os.getpid(), _began(os.getpid())]


def is_alive(process: object) -> bool | None:
    """Whether a process that was named so still runs; None where that cannot be known, as on another machine."""
    match process:
        case [str(machine), int(number), int(began)] if machine == platform.node() and number > 0:
            if sys.platform == "win32":  # where os.kill would end it
                return None
            with suppress(PermissionError):  # somebody else's is alive too
                try:
                    os.kill(number, 0)
                except (ProcessLookupError, OverflowError):
                    return False
            return _began(number) == began
    return None


def _began(number: int) -> int:
    """In clock ticks since the machine started: field 22 of /proc/PID/stat; 0 where there is none."""
    try:
        return int(Path(f"/proc/{number}/stat").read_text(errors="replace").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0


def on_fork(
    *,
    before: Callable[[], object] | None = None,
    parent: Callable[[], object] | None = None,
    child: Callable[[], object] | None = None,
) -> None:
    """Have functions called around every fork of this process; nothing on a system without forks."""
    if hasattr(os, "register_at_fork"):
        hooks = {"before": before, "after_in_parent": parent, "after_in_child": child}
        os.register_at_fork(**{name: hook for name, hook in hooks.items() if hook is not None})


def bound_memory(more: int) -> bool:
    """Let this process have so many bytes of addresses beyond those that it has; False where no such bound is kept."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more, most))
    except (ImportError, OSError, ValueError):
        return False
    return True


def memory_of(process: int | None = None) -> int | None:
    """Bytes of memory that a process holds, this one if none is named; None where that cannot be told."""
    with suppress(OSError, ValueError, IndexError):
        pages = Path(f"/proc/{process or 'self'}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    if process is None:
        return _most_held()
    import subprocess

    with suppress(OSError, ValueError, subprocess.SubprocessError):
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, text=True, timeout=5)
        return int(said.stdout) * 1024
    return None


def give_memory_back() -> bool:
    """Give the system what this process has freed: glibc keeps it, for each thread apart, below whatever is still held.

    False where there is nothing of the kind: only glibc is asked, malloc_trim(3). 15 ms for 50 MB.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(0))


def keep_freed_memory() -> None:
    """Let glibc keep some 60 MB of freed memory: else every batch that is embedded gives its own back, and page faults
    cost a tenth.

    glibc learns from what is freed (mallopt(3), M_MMAP_THRESHOLD): once a block just under 32 MB was.
    """
    if sys.platform == "linux":
        import numpy as np

        np.empty((32 << 20) - (1 << 14), dtype=np.uint8)


def keep_no_large_memory() -> bool:
    """Let what this process frees in large pieces, of LARGE or more, go back to the system at once, for as long as it
    lives.

    glibc begins so, but takes the largest piece that was ever freed, up to 32 MiB, for small from then on: an index
    that is made anew in memory leaves a hole of its size among what is held. False as in `give_memory_back`; see
    mallopt(3). It is for `serve`, which many threads ask meanwhile. To `watch` and `mcp` it makes no difference: of
    20,000 passages 191 MB with it and 189 without after 200 changes, 280 and 282 after 300 adds with a search each.
    """
    if sys.platform != "linux":
        return False
    import ctypes

    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    return set_option is not None and bool(set_option(M_MMAP_THRESHOLD, LARGE))


def _most_held() -> int | None:
    """Bytes that this process ever held; on Linux those of its parent count, so it is no answer there."""
    with suppress(ImportError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return None
