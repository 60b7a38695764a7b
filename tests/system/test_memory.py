"""What was freed goes back to the system, below what is still held too."""

import platform
import sys

import pytest

from searcher.system import give_memory_back, memory_of

PIECE = 100_000  # bytes, below what the allocator asks the system for apart


def test_what_was_freed_is_given_back() -> None:
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        pytest.skip("only glibc keeps it and can be asked")
    pieces = [b"x" * PIECE for _ in range(700)]
    kept = pieces[::50]
    del pieces
    held = memory_of()
    give_memory_back()
    after = memory_of()
    assert held is not None
    assert after is not None
    assert held - after > 300 * PIECE
    assert all(len(piece) == PIECE for piece in kept)
