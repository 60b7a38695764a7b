"""A thread that gives way to others, and those that it starts; nobody else does."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from searcher.system import give_way

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a niceness for each thread")


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_and_what_it_starts_give_way_and_nobody_else() -> None:
    before = niceness()

    def inside() -> tuple[int, int]:
        give_way()
        with ThreadPoolExecutor(1) as started:
            return niceness(), started.submit(niceness).result()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(inside).result() == (19, 19)
    assert niceness() == before
