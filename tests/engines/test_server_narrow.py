"""A question under a narrow filter that comes right after a load, when a server has no graph yet, finds all of the nearest."""

from uuid import uuid4

import numpy as np
import pytest
from contract import SETTINGS, Oracle, prepared, units
from milvus_server import MilvusServer

from searcher.engines.milvus import Address
from searcher.engines.milvus.engine import MilvusEngine

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(0),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # the wheel leaves sockets open
]


@pytest.mark.parametrize("level", ["Session", "Strong"])
def test_a_narrow_filter_leaves_none_of_the_nearest_out_after_a_load(
    milvus_server: MilvusServer, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setenv("SEARCHER_MILVUS_CONSISTENCY", level)
    engine, oracle = MilvusEngine(Address.of(f"milvus:{milvus_server.uri}#c{uuid4().hex}"), create=True), Oracle()
    engine.settle(SETTINGS)
    items = [
        prepared(f"d{number}", [f"text {number} {place}" for place in range(50)], metadata={"n": number % 200})
        for number in range(400)
    ]
    for first in range(0, len(items), 100):
        engine.write(items[first : first + 100])
    oracle.put(*items)
    for n in range(3):  # which a hundred of 20,000 passages are of
        oracle.check(engine, units(5, np.random.default_rng(n)), 5, f"n = {n}")
    engine.close()
