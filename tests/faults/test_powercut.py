"""The power goes while an index is written, and again while it recovers: what was acknowledged is there afterwards."""

import pytest
from test_faults import report


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_power_cut_at_any_of_a_few_moments_loses_nothing_acknowledged(journal: str) -> None:
    found = report("powercut.py", "--journal", journal, "--seed", "1", "--cuts", "12", "--disks", "40", "--again", "1")
    assert found["cuts"] == 12 and found["disks"] >= 200


@pytest.mark.slow
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_power_cut_at_any_moment_loses_nothing_acknowledged(journal: str) -> None:
    found = report("powercut.py", "--journal", journal, "--disks", "160", "--again", "25")
    assert found["disks"] >= 10_000 and found["different"] >= 1_000 and found["in_recovery"] >= 1_000
