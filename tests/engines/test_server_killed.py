"""A Milvus server killed with -9 in the middle of writes, and started again: nothing that was acknowledged is lost."""

import threading
from uuid import uuid4

import numpy as np
import pytest
from contract import SETTINGS, Oracle, prepared, units
from milvus_server import MilvusServer

from searcher.engines.milvus import Address
from searcher.engines.milvus.engine import MilvusEngine
from searcher.errors import IndexUnavailable

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(0),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # the wheel leaves sockets open
]


def test_what_was_acknowledged_is_there_after_the_server_was_killed_in_the_middle_of_writes(
    milvus_server: MilvusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = Address.of(f"milvus:{milvus_server.uri}#c{uuid4().hex}")
    engine = MilvusEngine(address, create=True)
    engine.settle(SETTINGS)
    oracle, under_way = Oracle(), list[list]()
    fault = list[Exception]()
    enough = threading.Event()

    def write() -> None:
        monkeypatch.setenv("SEARCHER_MILVUS_TIMEOUT", "2")  # it is to fail, not to wait
        writer = MilvusEngine(address)
        try:
            for number in range(10_000):
                batch = [
                    prepared(f"doc {random}", [f"text {number} {place}" for place in range(20)], metadata={"n": number})
                    for random in {number, number // 3}  # every third replaces one that is there
                ]
                under_way[:] = [batch]
                writer.write(batch)
                oracle.put(*batch)
                if number == 20:
                    enough.set()
        except IndexUnavailable as failed:
            fault.append(failed)
        finally:
            enough.set()
            writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    assert enough.wait(300)
    milvus_server.kill()
    thread.join()
    assert len(fault) == 1
    milvus_server.start()
    monkeypatch.setenv("SEARCHER_MILVUS_TIMEOUT", "120")
    engine = MilvusEngine(address)
    # Each document is as it was acknowledged last, or as the call wanted it that failed; none is in between.
    wanted = {item.document.source: item for item in under_way[0]}
    for source, item in (oracle.items | wanted).items():
        known = engine.known([source]).get(source)
        before = oracle.items.get(source)
        assert known in {before.digest if before else None, wanted[source].digest if source in wanted else item.digest}
        if source in wanted and known == wanted[source].digest:
            oracle.put(wanted[source])
    questions = units(5, np.random.default_rng(2))
    oracle.check(engine, questions, 20)
    oracle.check(engine, questions, 20, "n >= 10")
    assert engine.counts()["passages"] == len(oracle.passages)
    assert engine.check() == []
    # The same call again writes the rest.
    engine.write(list(wanted.values()))
    oracle.put(*wanted.values())
    oracle.check(engine, questions, 20)
    engine.close()
