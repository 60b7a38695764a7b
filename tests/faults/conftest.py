"""What holds for these tests and the processes that they start."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def words_have_their_file() -> Iterator[None]:
    """However few passages there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEARCHER_POSTINGS", "1")
        yield
