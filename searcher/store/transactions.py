"""What is open on a thread's connection, and which block it belongs to; it ends with that block, whatever ends it.

Ctrl-C can come between any two steps, also before the first of an `__exit__`: then nobody ends what the block began,
and who goes on (an add that writes what is embedded, a notebook) would write in it, or read the state of then for ever.
So it belongs to the frame that has the `with`, and is over as soon as that does not run any more.
"""

import sqlite3
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, NamedTuple, Protocol

__all__ = ["Open", "Reading", "Writing"]


class Open(NamedTuple):
    """A transaction. process: which began it. owner: the frame whose `with` it is. reads: whether it only reads."""

    process: int
    connection: sqlite3.Connection
    owner: FrameType
    reads: bool

    @property
    def goes_on(self) -> bool:
        """Whether its block is still being run: the owner is a caller of whoever asks."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame is not self.owner:
            frame = frame.f_back
        return frame is not None


class Transacting(Protocol):
    """What has one connection a thread, each in one transaction at most."""

    def under_way(self) -> Open | None:
        """The transaction that this thread is in."""

    def begin(self, statement: str, owner: FrameType, reads: bool = False) -> sqlite3.Connection:
        """Open one for a block of `owner`."""

    def end(self, failed: bool = False) -> None:
        """Take back what is not committed of it. failed: whether a write was refused."""

    def errors(self) -> AbstractContextManager[None]:
        """SQLite's errors as ours."""


class Reading:
    """One state for all that is read inside; within another transaction of the thread, that which it sees."""

    __slots__ = ("_database", "_is_outermost")

    def __init__(self, database: Transacting) -> None:
        self._database, self._is_outermost = database, False

    def __enter__(self) -> sqlite3.Connection:
        known = self._database.under_way()
        if known is not None:
            return known.connection
        self._is_outermost = True
        return self._database.begin("BEGIN", sys._getframe(1), reads=True)

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: Any) -> None:
        if self._is_outermost:
            with self._database.errors():
                self._database.end()
        if fault is not None:
            self._database.errors().__exit__(kind, fault, trace)


class Writing:
    """All that is written inside becomes visible and durable at its end, or none of it.

    end: what is done at the end of a block that went well; a rehearsal does nothing, and its writes are taken back.
    """

    __slots__ = ("_database", "_end")

    def __init__(self, database: Transacting, end: Callable[[], None] | None = None) -> None:
        self._database, self._end = database, end

    def __enter__(self) -> sqlite3.Connection:
        return self._database.begin("BEGIN IMMEDIATE", sys._getframe(1))

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: Any) -> None:
        failed = isinstance(fault, sqlite3.Error)
        with self._database.errors():  # after the end: who else holds a lock is told then
            try:
                if fault is None and self._end is not None:
                    failed = True
                    self._end()
                    failed = False
            finally:
                self._database.end(failed)
        self._database.errors().__exit__(kind, fault, trace)
