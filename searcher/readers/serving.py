"""What the process that reads strangers' files does: it takes a request, runs a reader, and answers with items as JSON.

It may neither open connections, nor start programs, nor write or remove files; the bounds on memory and time that the
system keeps are set here, for each file anew.
"""

import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from searcher.errors import BadValue, UnreadableFile
from searcher.readers.apart import StepLost, function, now_in_child
from searcher.readers.raw import Raw, ReadOptions, Unsupported, reader_failed
from searcher.readers.reading import run
from searcher.readers.wire import as_value, receive, send
from searcher.records import Failure
from searcher.system import binary, bound_memory, memory_of

__all__ = ["serve"]

ENOUGH = 0.5  # of the memory that a file may take, which it still holds after it; it is not asked again then
FORBIDDEN = (
    *("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile"),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
    *("shutil.", "ftplib.", "http.", "smtplib.", "urllib.", "webbrowser.", "sqlite3.connect"),
)  # fmt: skip


def serve(most_bytes: int, seconds: float) -> None:
    """Answer requests from stdin on stdout until there are no more."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a library prints is no answer
    with suppress(ValueError, AttributeError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asked
    now_in_child(host := _Host(answers))
    sys.addaudithook(_audit)
    send(answers, {"bounded": _bound(most_bytes, seconds)})
    while (request := receive(requests)) is not None:
        _bound(request["bytes"], request["seconds"])
        host.begin(request)
        try:
            with _stream(request, requests) as stream:
                raw = Raw(request["source"], stream, request["size"], request["options"]["encoding"])
                for value in _values(request, raw):
                    send(answers, {"item": value})
            again = (memory_of() or 0) < ENOUGH * request["bytes"]
        except BaseException as fault:
            kind, reason, again = _told(fault)
            send(answers, {kind: reason})
            again = again and not host.in_step  # of which nobody knows what it left
        send(answers, {"end": again})


def _values(request: Mapping[str, Any], raw: Raw) -> Iterator[list[Any]]:
    """What the reader gives, as it is sent; of a document that cannot be sent, why."""
    options: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in request["options"].items()
    }
    for item in run(function(request["reader"]), raw, ReadOptions(**options)):
        try:
            value = as_value(item)
        except BadValue as fault:
            value = as_value(Failure(item.source, str(fault)))
        yield value


def _told(fault: BaseException) -> tuple[str, str, bool]:
    """The kind of message, its reason, and whether this process can go on."""
    if isinstance(fault, UnreadableFile):
        return "unsupported" if isinstance(fault, Unsupported) else "unreadable", fault.reason, True
    if isinstance(fault, MemoryError):
        return "memory", "", False
    if isinstance(fault, OSError) and fault.strerror:
        return "unreadable", fault.strerror.lower(), True
    return "unreadable", reader_failed(fault), True


def _stream(request: Mapping[str, Any], requests: BinaryIO) -> BinaryIO:
    """The file, or the bytes that follow the request."""
    if "path" in request:
        return binary(Path(request["path"]))
    return io.BytesIO(requests.read(request["size"]))


# -- bounds


def _bound(most_bytes: int, seconds: float) -> bool:
    """Set the bounds that the system keeps; whether memory is bounded."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _bound_time(seconds)
    return bound_memory(most_bytes)


def _bound_time(seconds: float, goes_on: bool = False) -> None:
    """Let what is done from now on take so many seconds of the processor's time. goes_on: never less than before."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        before, most = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (max(int(used + seconds) + 1, before if goes_on else 0), most))


def _time_left() -> float:
    """Seconds of the processor's time that are left, none where no such bound is kept."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        return resource.getrlimit(resource.RLIMIT_CPU)[0] - sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    return 0.0


class _Host:
    """What a reader asks of the process that waits.

    in_step: whether it is in a step that it has not ended.
    """

    def __init__(self, answers: BinaryIO) -> None:
        self.answers, self.in_step = answers, False
        self.done: dict[str, Any] = {}
        self.lost: dict[str, str] = {}
        self.no_more = ""

    def begin(self, request: Mapping[str, Any]) -> None:
        """A file begins, or begins anew: of its steps these are known. no_more: why no other is taken, if none is."""
        self.in_step = False
        self.done, self.lost, self.no_more = request["done"], request["lost"], request["no_more"]

    def more_time(self, seconds: float) -> None:
        """Let the file take so many seconds more, if it has less, and tell the process that waits."""
        _bound_time(seconds, goes_on=True)
        send(self.answers, {"more": seconds})

    def step(self, key: str, seconds: float, work: Callable[[], Any]) -> Any:
        """What the step gives or gave, with a time of its own; that of the file goes on after it."""
        if key not in self.done and (reason := self.lost.get(key, self.no_more)):
            raise StepLost(reason)
        if key not in self.done:
            send(self.answers, {"step": key, "more": seconds})
            self.in_step, left = True, _time_left()
            _bound_time(seconds)
            try:
                self.done[key] = work()
                ended = {"done": self.done[key]}
            except UnreadableFile as fault:
                self.lost[key] = fault.reason
                ended = {"lost": fault.reason}
            _bound_time(left)
            self.in_step = False
            send(self.answers, ended)
        if key in self.lost:
            raise StepLost(self.lost[key])
        return self.done[key]


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what no parser has to do (PEP 578)."""
    if event.startswith(FORBIDDEN) or (event == "open" and _writes(*arguments)):
        raise PermissionError(f"a reader of files may not do this: {event}")


def _writes(path: object, mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return not set(mode).isdisjoint("wax+")
    return isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) != 0
