"""Runs the tests that are marked `server`, or a script, beside a Milvus server: see tests/server.sh."""

import runpy
import sys
import tempfile
from pathlib import Path

import pytest
from milvus_server import MilvusServer, wheel_folder


def main(words: list[str]) -> int:
    """The exit status."""
    if not words or not words[0].startswith("benchmarks/"):
        return int(pytest.main(["-m", "server", *(words or ["tests/engines"])]))
    wheel = wheel_folder()
    if wheel is None:
        sys.exit("MILVUS_WHEEL names no folder with the milvus wheel")
    with tempfile.TemporaryDirectory() as folder:
        server = MilvusServer(wheel, Path(folder))
        server.start()
        try:
            sys.argv, sys.path[0] = words, str(Path(words[0]).parent)
            runpy.run_path(words[0], run_name="__main__")
        finally:
            server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
