"""Processes as each system has them: the cores that one may use, its memory, and what is to be done about a fork.

Windows has no fork; only Linux (and some BSDs) keep a process to some of the cores, and only there is a bound on the
memory of a process kept.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["bound_memory", "cores", "memory_of", "on_fork"]


def cores() -> int:
    """How many cores this process may use."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


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


def _most_held() -> int | None:
    """Bytes that this process ever held; on Linux those of its parent count, so it is no answer there."""
    with suppress(ImportError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return None
