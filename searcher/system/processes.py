"""Processes as each system has them: the cores that one may use, and what is to be done about a fork.

Windows has no fork; only Linux (and some BSDs) keep a process to some of the cores.
"""

import os
from collections.abc import Callable

__all__ = ["cores", "on_fork"]


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
