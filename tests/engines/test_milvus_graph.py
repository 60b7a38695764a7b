"""How far the graph of a Milvus server is looked through: further for more hits, and under a narrower filter."""

import pytest

from searcher.engines.milvus.engine import ef_for


@pytest.mark.parametrize(
    ("k", "one_in", "ef"),
    [
        (1, 1, 256),
        (10, 1, 256),
        (64, 1, 256),
        (100, 1, 400),
        (4000, 1, 16_000),
        (10, 2, 512),
        (10, 5, 1280),
        (100, 5, 2000),
        (10, 2.5, 640),
        (10, 0.9, 256),  # of a count that is a little old
    ],
)
def test_the_graph_is_looked_through_further_for_more_hits_and_under_a_narrower_filter(
    k: int, one_in: float, ef: int
) -> None:
    assert ef_for(k, one_in) == ef
