"""Lanes: threads that take whatever waits, so that nothing slow stands before something quick."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Generic, NamedTuple, TypeVar

from searcher.serving.problems import Busy, GivenUp

__all__ = ["GONE", "Lane"]

ROOM = 256  # requests that may wait; more is refused at once, before anybody waits in vain

GONE: ContextVar[Callable[[], bool]] = ContextVar("GONE", default=lambda: False)  # whether whoever asks is gone

Item = TypeVar("Item")
Result = TypeVar("Result")


class Waiting(NamedTuple, Generic[Item, Result]):
    """What is asked, the answer to come, the loop that waits for it, and whether nobody does any more."""

    item: Item
    answer: "asyncio.Future[Result]"
    loop: asyncio.AbstractEventLoop
    gone: Callable[[], bool]


class Lane(Generic[Item, Result]):
    """Threads of their own for one kind of work.

    answer: some items → for each its result, or the exception that is its result. threads: how many work at a time.
    together: how many items a thread takes at once: those that wait at that moment, for more it does not wait. begin:
    called first in each thread. keeps: whether what waits is done even where whoever asked for it is gone.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[Item]], Sequence[Result | Exception]],
        *,
        threads: int = 1,
        together: int = 1,
        room: int = ROOM,
        begin: Callable[[], object] = lambda: None,
        keeps: bool = False,
    ) -> None:
        self.name, self.room, self.keeps = name, room, keeps
        self._answer, self._together, self._begin = answer, together, begin
        self._waiting: deque[Waiting[Item, Result]] = deque()
        self._lock = threading.Lock()
        self._idle: list[threading.Lock] = []  # of each thread that waits what it waits at
        self._closed = False
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{n}") for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        return len(self._waiting)

    async def do(self, item: Item) -> Result:
        """The result for an item. Busy where too many wait; cancelled or given up while it waits, it is never done."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        with self._lock:
            if self._closed:
                raise Busy("the server is stopping")
            if len(self._waiting) >= self.room:
                raise Busy(f"{self.room} requests wait already for {self.name}; ask again in a moment")
            self._waiting.append(Waiting(item, answer, loop, GONE.get()))
            # The one that worked last: what it needs is still near its core.
            idle = self._idle.pop() if self._idle else None
        if idle is not None:
            idle.release()
        return await answer

    def close(self) -> None:
        """Do what waits, then end."""
        with self._lock:
            self._closed = True
            for idle in self._idle:
                idle.release()
            self._idle.clear()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        self._begin()
        own = threading.Lock()
        own.acquire()
        while taken := self._take(own):
            try:
                results = self._answer([each.item for each in taken])
            except Exception as fault:
                results = [fault] * len(taken)
            for loop in {each.loop for each in taken}:
                answers = [
                    (each.answer, result) for each, result in zip(taken, results, strict=True) if each.loop is loop
                ]
                if not loop.is_closed():
                    loop.call_soon_threadsafe(_hand_over, answers)

    def _take(self, own: threading.Lock) -> list[Waiting[Item, Result]]:
        """What waits, without what nobody waits for any more; empty at the end. own: what this thread waits at."""
        taken: list[Waiting[Item, Result]] = []
        while True:
            with self._lock:
                while self._waiting and len(taken) < self._together:
                    each = self._waiting.popleft()
                    if not self.keeps and each.gone() and not each.loop.is_closed():
                        each.loop.call_soon_threadsafe(_hand_over, [(each.answer, GivenUp())])
                    elif not each.answer.cancelled():
                        taken.append(each)
                if taken or self._closed:
                    return taken
                self._idle.append(own)
            own.acquire()


def _hand_over(answers: Sequence[tuple["asyncio.Future[Result]", Result | Exception]]) -> None:
    for answer, result in answers:
        if answer.done():  # given up
            continue
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)
