"""Questions of many callers at once: those that wait while others are answered are asked together."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

__all__ = ["Together"]

MOST = 64  # questions in one call: a bound on how long the first of them waits for the others

Ask = Callable[..., list[Any]]


class Waiting(NamedTuple):
    """A question, how it is asked, and who waits for the answer."""

    question: str
    how: Mapping[str, Any]
    answer: Future[Any]


class Together:
    """Asks the questions that are asked alike, at most one call of a kind at a time; safe to share between threads.

    ask: a list of questions, and how they are asked → an answer for each. Nobody waits for more questions to come: a
    question that finds nobody asking is asked at once, and what comes meanwhile is the next call.
    """

    def __init__(self, pool: Executor, ask: Ask) -> None:
        self._pool, self._ask = pool, ask
        self._waiting: dict[str, deque[Waiting]] = {}  # of each kind that is being asked
        self._lock = threading.Lock()

    def submit(self, question: str, kind: str, how: Mapping[str, Any]) -> Future[Any]:
        """The answer to come; cancelled while it waits, it is not asked. kind: the same for what is asked alike."""
        item = Waiting(question, how, Future())
        with self._lock:
            first = kind not in self._waiting
            self._waiting.setdefault(kind, deque()).append(item)
        if first:
            self._go(kind)
        return item.answer

    def cancel(self) -> None:
        """Nobody who still waits is answered."""
        with self._lock:
            left = [item for waiting in self._waiting.values() for item in waiting]
            self._waiting.clear()
        for item in left:
            item.answer.cancel()

    def _go(self, kind: str) -> None:
        try:
            self._pool.submit(self._work, kind)
        except RuntimeError as fault:  # the pool was closed
            with self._lock:
                left = self._waiting.pop(kind, deque[Waiting]())
            for item in left:
                if item.answer.set_running_or_notify_cancel():
                    item.answer.set_exception(fault)

    def _work(self, kind: str) -> None:
        """Answer those that wait now; others of the pool's work come before those that came meanwhile."""
        with self._lock:
            waiting = self._waiting.get(kind, deque[Waiting]())
            items = [waiting.popleft() for _ in range(min(MOST, len(waiting)))]
        if items := [item for item in items if item.answer.set_running_or_notify_cancel()]:
            self._answer(items)
        with self._lock:
            more = bool(self._waiting.get(kind))
            if not more:
                self._waiting.pop(kind, None)
        if more:
            self._go(kind)

    def _answer(self, items: list[Waiting]) -> None:
        try:
            answers = self._ask([item.question for item in items], **items[0].how)
        except BaseException as fault:
            if len(items) == 1:
                items[0].answer.set_exception(fault)
                return
            for item in items:  # what is wrong with one is not the others' fault
                self._answer([item])
            return
        for item, answer in zip(items, answers, strict=True):
            item.answer.set_result(answer)
