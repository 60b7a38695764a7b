"""What was freed goes back to the system, below what is still held too."""

import platform
import subprocess
import sys

import pytest

from searcher.system import give_memory_back, memory_of

PIECE = 100_000  # bytes, below what the allocator asks the system for apart
HOLES = """
import sys
from searcher.system import keep_no_large_memory, memory_of
assert keep_no_large_memory()
first = b"x" * (30 << 20)
del first  # from now on glibc holds pieces of that size for small
before = memory_of()
pieces = [(b"x" * (8 << 20), b"held" * 500) for _ in range(20)]
held = [small for _, small in pieces]
del pieces
print(memory_of() - before >> 20)
"""


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


def test_large_pieces_go_back_at_once_also_from_among_what_is_still_held() -> None:
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        pytest.skip("only glibc takes large pieces for small ones in time")
    said = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    assert abs(int(said.stdout)) <= 5  # MiB of 160; 32 stayed before
