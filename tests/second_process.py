"""Another process that uses the same index: run as a script it takes commands as lines of JSON, and can be killed midway.

A killed command runs in a fork of it: fresh objects, a warm interpreter. The signal comes before the n-th call into
SQLite or the file system, so that the same n always kills at the same place.
"""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from searcher import Searcher
from searcher.records import Passage

FILE_CALLS = {
    "open",
    "fsync",
    "fdatasync",
    "replace",
    "rename",
    "link",
    "unlink",
    "close",
    "ftruncate",
    "pwrite",
    "write",
}


class SecondProcess:
    """That script, kept warm; use as a context manager."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, folder: Path, method: str, kill_at: int | None = None, **arguments: Any) -> Any:
        """What a Searcher of that process returns, a report as a dict; of a killed one whether it came to its end."""
        assert self.process.stdin and self.process.stdout
        command = {"folder": str(folder), "method": method, "kill_at": kill_at, "arguments": arguments}
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return [Passage(**hit) for hit in answer] if method == "search" else answer

    def __enter__(self) -> "SecondProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def _writes(function: Any) -> bool:
    own = getattr(function, "__self__", None)
    if isinstance(own, sqlite3.Connection | sqlite3.Cursor | io.BufferedWriter | io.FileIO):
        return True
    return getattr(own, "__name__", "") == "posix" and function.__name__ in FILE_CALLS


def _kill_before(call: int) -> None:
    """Kill this process before that call, counted from 1, into SQLite or the file system."""
    left = call

    def count(_: FrameType, event: str, function: Any) -> None:
        nonlocal left
        if event == "c_call" and _writes(function):
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def _run(searcher: Searcher, method: str, arguments: dict[str, Any]) -> Any:
    answer = getattr(searcher, method)(**arguments)
    if method == "search":
        return [vars(hit) for hit in answer]
    return vars(answer) if method == "add_texts" else answer if method == "remove" else None


def _killed(folder: str, method: str, arguments: dict[str, Any], call: int) -> bool:
    child = os.fork()
    if not child:
        searcher = Searcher(folder)
        _ = searcher.embedder
        _kill_before(call)
        _run(searcher, method, arguments)
        sys.setprofile(None)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code == 0


def main() -> None:
    """Answer commands until there are no more."""
    folder, searcher = "", None
    for line in sys.stdin:
        command = json.loads(line)
        method, arguments = command["method"], command["arguments"]
        if searcher and (folder != command["folder"] or method == "close"):
            searcher.close()
            searcher = None
        folder, answer = command["folder"], None
        if command["kill_at"] is not None:
            answer = _killed(folder, method, arguments, command["kill_at"])
        elif method != "close":
            searcher = searcher or Searcher(folder)
            answer = _run(searcher, method, arguments)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
