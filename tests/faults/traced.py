"""A forked child under strace: what it asks of the file system, and a signal or an error at one of those calls.

The child stops itself before its task, strace attaches, and only then it goes on: so strace's count of each system call
begins at the task, and a run repeats the calls of the run before. strace counts each system call's name by itself.
"""

import os
import re
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

RANDOM_NAME = re.compile(r"\.[0-9a-f]{8}\.tmp")
LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")
KILLED = "+++ killed by SIGKILL +++"


class Call(NamedTuple):
    """The nth call of that name since the task began; thread: 0 is the one that ran the task."""

    name: str
    nth: int
    thread: int
    text: str

    def on(self) -> str:
        """The names of the files it is about, those made at random all alike."""
        files = re.findall(r"[\w.-]+\.(?:db|faiss|rows|tmp|cache)[\w.-]*", RANDOM_NAME.sub(".tmp", self.text))
        return " ".join(dict.fromkeys(files))


def fork(task: Callable[[], None], stopped: bool = False) -> int:
    """A child that does the task and ends; its process id. Exit code 3: the task raised something."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    try:
        if stopped:
            os.kill(os.getpid(), signal.SIGSTOP)
        task()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(3)


def attach(child: int, log: Path, *options: str) -> "subprocess.Popen[str]":
    """strace on a child that has stopped itself, which then goes on. Every file system call goes to the log."""
    os.waitpid(child, os.WUNTRACED)
    command = ["strace", "-f", "-y", "-s", "0", "-e", "trace=%file,%desc", *options, "-o", str(log), "-p", str(child)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise OSError(f"strace cannot attach: {said.strip()}")
    os.kill(child, signal.SIGCONT)
    return tracer


def run(task: Callable[[], None], log: Path, *options: str) -> int:
    """The task in a child under strace. -> its exit code, or minus the signal that killed it."""
    child = fork(task, stopped=True)
    tracer = attach(child, log, *options)
    _, status = os.waitpid(child, 0)
    tracer.communicate()
    return os.waitstatus_to_exitcode(status)


def calls(log: Path) -> list[Call]:
    """The calls in a log in their order, each counted in its own thread as strace counts."""
    counts: Counter[tuple[str, str]] = Counter()
    threads: dict[str, int] = {}
    found = []
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if match := LINE.match(line):
            thread, name, text = match.groups()
            counts[thread, name] += 1
            found.append(Call(name, counts[thread, name], threads.setdefault(thread, len(threads)), text))
    return found


def killed_at(log: Path) -> Call | None:
    """The call at which the child was killed, if strace says that it was."""
    if KILLED not in log.read_text(encoding="utf-8", errors="replace"):
        return None
    return [call for call in calls(log) if call.thread == 0][-1]  # other threads may have gone on beside it
