"""Every bug that is put into the product is found, and what finds it finds nothing in the product as it is."""

import pytest
from bugs import BUGS
from bugs_found import DETECTORS
from test_faults import report

# Power cuts take a minute.
BY_BUG = [pytest.param(bug, marks=[pytest.mark.faults] * BUGS[bug].found_by.startswith("power")) for bug in BUGS]
BY_DETECTOR = [pytest.param(name, marks=[pytest.mark.faults] * name.startswith("power")) for name in DETECTORS]


@pytest.mark.parametrize("bug", BY_BUG)
def test_a_bug_in_the_product_is_found(bug: str) -> None:
    assert report("bugs_found.py", BUGS[bug].found_by, "--bug", bug)["found"] > 0


@pytest.mark.parametrize("detector", BY_DETECTOR)
def test_what_finds_bugs_finds_none_in_the_product(detector: str) -> None:
    assert report("bugs_found.py", detector)["found"] == 0
