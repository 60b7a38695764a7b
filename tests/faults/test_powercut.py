"""The power goes while an index is written, and again while it recovers: what was acknowledged is there afterwards."""

import pytest
from test_faults import report


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_power_cut_at_any_of_a_few_moments_loses_nothing_acknowledged(journal: str) -> None:
    found = report("powercut.py", "--journal", journal, "--seed", "1", "--cuts", "5", "--disks", "30", "--again", "1")
    assert found["cuts"] == 5 and found["different"] >= 15 and found["in_recovery"] >= 5


@pytest.mark.faults
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_power_cut_at_any_moment_loses_nothing_acknowledged(journal: str) -> None:
    found = report("powercut.py", "--journal", journal, "--disks", "160", "--again", "25")
    assert found["disks"] >= 10_000 and found["different"] >= 1_000 and found["in_recovery"] >= 1_000


def test_a_power_cut_leaves_the_name_of_a_new_index_folder() -> None:
    options = ["--journal", "delete", "--seed", "1", "--cuts", "4", "--disks", "4", "--again", "0", "--new-folder"]
    assert report("powercut.py", *options)["violations"] == {}
