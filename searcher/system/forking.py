"""What a fork must not find held: locks that a thread of the parent, which the child has not, would never release."""

from collections.abc import Callable
from threading import Lock
from types import TracebackType
from typing import Any, Generic, TypeVar, overload
from weakref import WeakSet

from searcher.system.processes import on_fork

__all__ = ["OwnLock", "kept_once"]

T = TypeVar("T")
_locks: "WeakSet[OwnLock]" = WeakSet()


class OwnLock:
    """A lock of one process: in a forked child nobody holds it."""

    def __init__(self) -> None:
        self._lock = Lock()
        _locks.add(self)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Release it, whoever held it."""
        self._lock = Lock()


class kept_once(Generic[T]):  # noqa: N801 - as property
    """functools.cached_property without the lock that it has before Python 3.12, one for all instances: a child that is
    forked while a thread computes one would wait for ever. Two threads may both compute it; they get the same result.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute, self.name, self.__doc__ = compute, compute.__name__, compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> "kept_once[T]": ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> "kept_once[T] | T":
        if instance is None:
            return self
        value: T = instance.__dict__.setdefault(self.name, self.compute(instance))
        return value


def _renew() -> None:
    for lock in list(_locks):
        lock.renew()


on_fork(child=_renew)
