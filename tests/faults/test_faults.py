"""Kills and failing disks while an index is written: a few at random each time, all of them with -m faults."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


# Its own process: one that has not loaded torch forks in a millisecond, and without threads.
def report(script: str, *options: str) -> dict[str, object]:
    """The last line that a harness prints; the test fails if it found a violation."""
    if not shutil.which("strace"):
        pytest.skip("no strace on this machine: nothing was killed")
    command = [sys.executable, str(HERE / script), *options]
    result = subprocess.run(command, capture_output=True, text=True)
    sys.stdout.write(result.stdout)
    if "strace cannot attach" in result.stderr:
        pytest.skip("strace may not attach here: nothing was killed")
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_a_kill_at_any_of_a_few_calls_loses_nothing_acknowledged() -> None:
    assert report("kill.py", "--sample", "2", "--seed", "1")["kills"] >= 24


def test_a_full_or_failing_disk_at_any_of_a_few_calls_says_so_and_leaves_the_rest_searchable() -> None:
    assert report("full.py", "--sample", "1", "--seed", "1")["faults"] >= 20


@pytest.mark.faults
def test_a_kill_at_any_call_of_any_write_loses_nothing_acknowledged() -> None:
    assert report("kill.py")["kills"] >= 1000


@pytest.mark.faults
def test_a_full_or_failing_disk_at_any_call_says_so_and_leaves_the_rest_searchable() -> None:
    assert report("full.py")["faults"] >= 1000
