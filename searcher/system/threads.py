"""How many threads numpy multiplies matrices on: one for short work, whose threads would wait for each other for longer
than they work.
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from itertools import product
from threading import Lock
from typing import NamedTuple

from searcher.system.processes import on_fork

__all__ = ["one_thread"]

CALLS = ("get_parallel", "get_num_threads", "set_num_threads")
OPENMP = 2  # what OpenBLAS says of itself when its threads are OpenMP's, which are set for each thread apart


class Threads(NamedTuple):
    """How many threads numpy's BLAS has, for the whole process: to ask and to set."""

    get: Callable[[], int]
    set: Callable[[int], None]


@cache
def _numpys() -> Threads | None:
    """Those of numpy's own OpenBLAS; None where numpy has another BLAS, which is left as it is."""
    # A name is looked for in what a library depends on, too: it is numpy's BLAS, whatever else was loaded.
    library = ctypes.CDLL(import_module("numpy._core._multiarray_umath").__file__)
    for prefix, suffix in product(("", "scipy_"), ("", "64_", "_64")):
        parallel, get, put = (getattr(library, f"{prefix}openblas_{name}{suffix}", None) for name in CALLS)
        if parallel and get and put:
            put.argtypes, put.restype = [ctypes.c_int], None
            return None if parallel() == OPENMP else Threads(get, put)
    return None


class _Span:
    """The time in which somebody needs one thread: from the first who begins to the last who ends."""

    def __init__(self) -> None:
        self.lock, self.inside, self.before = Lock(), 0, 1

    def begin(self, threads: Threads) -> None:
        with self.lock:
            if not self.inside and (before := threads.get()) > 1:
                self.before = before
                threads.set(1)
            self.inside += 1

    def end(self, threads: Threads) -> None:
        with self.lock:
            self.inside = max(0, self.inside - 1)  # 0 after a fork
            # What somebody else has set meanwhile stays.
            if not self.inside and self.before > 1 and threads.get() == 1:
                threads.set(self.before)
            self.before = self.before if self.inside else 1

    def forked(self) -> None:
        """In a child, where only the thread lives on that forked."""
        self.lock = Lock()
        if self.inside and (threads := _numpys()) is not None:
            self.inside = 1
            self.end(threads)


_span = _Span()
on_fork(child=_span.forked)


@contextmanager
def one_thread() -> Iterator[None]:
    """Have numpy multiply on the calling thread alone; also a decorator. What it finds stays the same, but for the last
    bits on some CPUs, for which OpenBLAS shares a product out among threads otherwise than it cuts it for one.

    The number of OpenBLAS's threads is one for the whole process. So it is restored by the last of those who share it
    at a time, and what other threads multiply meanwhile runs on one thread each, too.
    """
    threads = _numpys()
    if threads is None:
        yield
        return
    _span.begin(threads)
    try:
        yield
    finally:
        _span.end(threads)
