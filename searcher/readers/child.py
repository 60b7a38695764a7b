"""The process that reads strangers' files: started for the first of them, kept for the next, made anew after a crash.

It is a Python of its own, not a fork nor `multiprocessing`, which would run the caller's main module again. It answers
in JSON. Time is watched from here, memory bounded in the child, or watched from here where a system has no such bound.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from searcher.errors import UnreadableFile
from searcher.readers.wire import receive, send
from searcher.system import memory_of, on_fork

__all__ = ["SECONDS", "ask", "no_memory"]

SECONDS, SECONDS_PER_MIB = (
    30.0,
    3.0,
)  # of processor time to read a file, and more for a large one: 100,000 rows of a sheet take 4 MB
MOST_BYTES = 512 * 2**20  # of memory, beyond what the process has when it starts to read a file
OCR_BYTES = 2 * 2**30  # … where it reads pictures of pages as well, each in some 0.8 GB
MOST_MORE = 60.0  # seconds of processor time for which it may ask again
MOST_EXTENDED = 10_000  # times that a file may ask for more time, which it does for each page that OCR reads
IDLE_SECONDS = 60.0  # after which it ends
PATIENCE = 4  # by the clock a file may take so many times as long, for the machine may have other things to do
TICK, ENDING = 0.05, 3.0
START = (
    "import json, sys; path, limits = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from searcher.readers.serving import serve; serve(*limits)"
)
NOT_STARTED = "the process that reads such files does not start"


def ask(request: Mapping[str, Any], source: str, data: bytes) -> Iterator[dict[str, Any]]:
    """The messages with which the process answers a request, as they come.

    data: what is sent after it. UnreadableFile, with the `source`, where the process crashes, takes too long, needs too
    much memory or talks nonsense; another is started for the next file.
    """
    seconds = SECONDS + SECONDS_PER_MIB * request["size"] / 2**20
    limits = {"seconds": seconds, "bytes": _most_bytes(request["options"]["ocr"])}
    with _borrowed(source) as child:
        messages = child.answers({**request, **limits}, data)
        while True:
            try:
                message = next(messages, None)
            except (EOFError, OSError, ValueError) as fault:
                # Where it said no more it is about to end, and says why.
                raise UnreadableFile(source, child.end(ENDING) or f"its reader answered nonsense ({fault})") from None
            if message is None:
                return
            yield message


def no_memory(ocr: bool) -> str:
    """Why a file was given up that needed too much memory."""
    return f"it needs more than {_most_bytes(ocr) // 2**20:,} MiB of memory to be read"


def _most_bytes(ocr: bool) -> int:
    return OCR_BYTES if ocr else MOST_BYTES


class Child:
    """One such process. It serves one request at a time.

    Attributes:
        path: the `sys.path` that it was started with, where it looks for everything.
        fresh: whether it may be asked again.
    """

    def __init__(self, source: str) -> None:
        from multiprocessing.spawn import get_executable  # sys.executable, unless an embedding program said otherwise

        self.path, self.fresh = [part for part in sys.path if isinstance(part, str)], True
        self._why = ""  # it was ended, where we did that
        self._since: float | None = None  # when somebody began to wait for it
        self._left, self._extended = SECONDS, 0
        self._most_bytes = MOST_BYTES
        self._idle_since = time.monotonic()
        limits = [MOST_BYTES, SECONDS]
        alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}
        command = [os.fsdecode(get_executable() or ""), "-I", "-W", "ignore", "-c", START]
        try:
            self._process = subprocess.Popen(
                [*command, json.dumps([self.path, limits])], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=os.environ | alone,
            )  # fmt: skip
        except OSError as fault:
            raise UnreadableFile(source, f"{NOT_STARTED}: {fault.strerror or fault}") from None
        threading.Thread(target=self._watch, daemon=True, name="reading").start()
        try:
            with self._waiting():
                self._bounded = self._receive()["bounded"]
        except (EOFError, KeyError, ValueError):
            self.end()
            raise UnreadableFile(source, NOT_STARTED) from None

    @property
    def ended(self) -> bool:
        """Whether it is no more, which may be no fault of any file."""
        return self._process.poll() is not None

    def answers(self, request: Mapping[str, Any], data: bytes) -> Iterator[dict[str, Any]]:
        """Send a request, receive messages up to the last. EOFError if the process is gone, ValueError for nonsense."""
        self.fresh, self._left, self._extended = False, PATIENCE * request["seconds"], 0
        outside = self._left  # of a step, the time that the file has
        self._most_bytes = request["bytes"]
        with self._waiting():
            assert self._process.stdin is not None
            send(self._process.stdin, request, data)
        while True:
            with self._waiting():
                message = self._receive()
            if "end" in message:
                self.fresh = message["end"] is True
                return
            if "step" in message:
                outside, self._left = self._left, 0.0
            elif "done" in message or "lost" in message:
                self._left = outside
            if message.keys() != {"more"}:
                yield message
            if "more" in message:  # a step that may not have it has begun nevertheless, and fails alone
                self._extend(message["more"])

    def _extend(self, seconds: object) -> None:
        """Let the file take so many seconds of processor time, if it has less; end what asks too often."""
        self._extended += 1
        if not (isinstance(seconds, float) and 0 < seconds <= MOST_MORE and self._extended <= MOST_EXTENDED):
            self._kill(TOO_LONG)
            raise EOFError
        self._left = max(self._left, PATIENCE * seconds)

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        message = receive(self._process.stdout)
        if message is None:
            raise EOFError
        return message

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """The time inside counts as the process's own."""
        self._since = begun = time.monotonic()
        try:
            yield
        finally:
            self._since = None
            self._left -= time.monotonic() - begun
            self._idle_since = time.monotonic()

    def _watch(self) -> None:
        """End the process when it takes too long, needs too much, or has had nothing to do for a while."""
        while self._process.poll() is None:
            time.sleep(TICK)
            since, now = self._since, time.monotonic()
            if since is None:
                if now - self._idle_since > IDLE_SECONDS and _taken(self):
                    self.end()
            elif now - since > self._left:
                self._kill(TOO_LONG)
            elif not self._bounded and (memory_of(self._process.pid) or 0) > self._most_bytes:
                self._kill(no_memory(self._most_bytes > MOST_BYTES))

    _bounded = True  # until it says otherwise

    def _kill(self, why: str) -> None:
        self._why = why
        self._process.kill()

    def end(self, seconds: float = 2 * TICK) -> str:
        """End it, at last after so many seconds; why it ended if it did so by itself, in a phrase."""
        process = self._process
        self.fresh = False
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]
        process.stdout.close()  # type: ignore[union-attr]
        with suppress(subprocess.TimeoutExpired):
            process.wait(TICK if self._why else seconds)
        ended = process.poll()
        process.kill()
        process.wait()
        if self._why or not ended:
            return self._why
        if -ended == getattr(signal, "SIGXCPU", 0):
            return TOO_LONG
        names = {number.value: number.name for number in signal.Signals}
        return f"its reader crashed ({names.get(-ended, f'exit status {ended}')})"

    def let_go(self) -> None:
        """Forget it, in a process that was forked from the one whose it is."""
        self._process.returncode = 0


TOO_LONG = "it takes too long to read; it was given up"
_idle: list[Child] = []
_lock = threading.Lock()


@contextmanager
def _borrowed(source: str) -> Iterator[Child]:
    """A process that nobody else uses meanwhile; one is kept for the next file."""
    with _lock:
        child = _idle.pop() if _idle else None
    if child and (child.ended or child.path != sys.path):
        child.end()
        child = None
    child = child or Child(source)
    try:
        yield child
    finally:
        with _lock:
            if keep := child.fresh and not _idle:
                _idle.append(child)
        if not keep:
            child.end()


def _taken(child: Child) -> bool:
    """Whether it lay idle; nobody can borrow it any more."""
    with _lock:
        if there := child in _idle:
            _idle.remove(child)
    return there


def _end_all() -> None:
    while _idle:
        _idle.pop().end()


def _forget_all() -> None:
    global _lock
    _lock = threading.Lock()
    while _idle:
        _idle.pop().let_go()


atexit.register(_end_all)
on_fork(child=_forget_all)
