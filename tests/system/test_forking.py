"""A forked child waits for no thread of its parent's."""

import os
import subprocess
import sys

import pytest

from searcher.system import kept_once

HELD = """
import os, signal, threading
from searcher.system import OwnLock, kept_once

go_on, begun = threading.Event(), threading.Event()
lock = OwnLock()

class Slow:
    def __init__(self, wait):
        self.wait = wait

    @kept_once
    def value(self):
        if self.wait:
            begun.set()
            go_on.wait(30)
        return [1]

def hold():
    with lock:
        assert Slow(True).value == [1]

thread = threading.Thread(target=hold)
thread.start()
begun.wait(30)
child = os.fork()
if not child:
    signal.alarm(10)
    with lock:
        os._exit(0 if Slow(False).value == [1] else 1)
status = os.waitpid(child, 0)[1]
go_on.set()
thread.join()
with lock:
    print(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no forks")
def test_a_child_finds_no_lock_held_by_a_thread_that_it_has_not() -> None:
    done = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"


def test_what_is_kept_once_is_computed_once_for_each() -> None:
    computed = []

    class Each:
        @kept_once
        def value(self) -> list[int]:
            """What it is."""
            computed.append(self)
            return []

    one, other = Each(), Each()
    assert one.value is one.value
    assert one.value is not other.value
    assert computed == [one, other]
    assert Each.value.__doc__ == "What it is."
