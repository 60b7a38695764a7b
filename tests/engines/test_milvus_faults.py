"""A write to Milvus that stops at any of its calls leaves each document whole, as it was or as it was to be."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contract import SETTINGS, Oracle, filled, prepared, units

from searcher.errors import IndexUnavailable

pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")

from searcher.engines.milvus import Address
from searcher.engines.milvus.connection import Connection
from searcher.engines.milvus.engine import MilvusEngine

QUESTIONS = units(3, np.random.default_rng(4))
CHANGING = ("upsert", "delete")


def test_a_write_that_stops_anywhere_leaves_each_document_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = MilvusEngine(Address.of(f"milvus:{tmp_path}/x.db"), create=True)
    engine.settle(SETTINGS)
    before = [prepared(f"d{number}", [f"old {number} {place}" for place in range(3)], file="f") for number in range(3)]
    after = [
        prepared(f"d{number}", [f"new {number} {place}" for place in range(2)], file="f") for number in range(1, 4)
    ]
    ask, left = Connection.ask, [1000]

    def failing(self: Connection, method: str, *given: Any, **named: Any) -> Any:
        if method in CHANGING:
            left[0] -= 1
            if left[0] < 0:
                raise IndexUnavailable("the network is gone")
        return ask(self, method, *given, **named)

    monkeypatch.setattr(Connection, "ask", failing)
    for calls in range(40):
        left[0] = 1000
        engine.write(before, remove=engine.document_ids(), files=[("f", b"old")])
        [gone] = engine.documents_of("source", "d0").values()
        left[0] = calls
        try:
            engine.write(after, remove=[gone], files=[("f", b"new")])
            stopped = False
        except IndexUnavailable:
            stopped = True
        left[0] = 1000
        oracle = Oracle()
        for old in before:
            source = old.document.source
            known = engine.known([source]).get(source)
            new = next((item for item in after if item.document.source == source), None)
            assert known in {old.digest, new.digest if new else None}
            oracle.put(*([old] if known == old.digest else [new] if new else []))
        oracle.put(*([after[2]] if engine.known(["d3"]) else []))
        oracle.check(engine, QUESTIONS, 50)
        assert engine.counts()["passages"] == len(oracle.passages)
        assert engine.check() == []
        known = engine.known([*(item.document.source for item in after), "d0"])
        whole = known == {item.document.source: item.digest for item in after}
        assert engine.file_digests(["f"]).get("f") in {b"old", None} | ({b"new"} if whole else set())
        engine.write(after, remove=engine.documents_of("source", "d0").values(), files=[("f", b"new")])
        done = Oracle()
        done.put(*after)
        done.check(engine, QUESTIONS, 50)
        if not stopped:
            break
    assert not stopped
    assert calls > 8
    engine.close()


def test_a_number_that_another_document_has_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = MilvusEngine(Address.of(f"milvus:{tmp_path}/x.db"), create=True)
    engine.settle(SETTINGS)
    monkeypatch.setattr("searcher.engines.milvus.writing.number_of", lambda digest, attempt: 100 + 2 * attempt)
    oracle = Oracle()
    for batch in ([0], [1, 2, 3], [4]):
        items = [prepared(f"d{number}", ["one", "two", "three"]) for number in batch]
        engine.write(items)
        oracle.put(*items)
    oracle.check(engine, QUESTIONS, 50)
    assert len({*engine.passage_ids().tolist()}) == 15
    engine.close()


# What proxies of 2.3 said of a query node that was killed, without the traces of the stack in between.
LOST = (
    'failed to search: attempt #0: failed to search/query delegator 5 for channel by-dev-_0_4706v0: attempt #0: rpc error: code = '
    'Unavailable desc = connection error: desc = "error reading server preface: read tcp 127.0.0.1:54214->127.0.0.1:21173: read: '
    'connection reset by peer": attempt #1: empty grpc client: failed to connect 127.0.0.1:21173'
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "times", "told"),
    [
        (LOST, 3, None),
        (LOST, 1000, "failed to search/query delegator 5"),
        ("failed to search: Operator::Search failed: out of memory", 1000, "out of memory$"),
    ],
)
def test_a_question_that_met_a_dead_node_of_a_cluster_is_asked_again_until_another_answers(
    said: str, times: int, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pymilvus import MilvusException
    from pymilvus.client.grpc_handler import GrpcHandler

    monkeypatch.setenv("SEARCHER_MILVUS_TIMEOUT", "10" if told is None else "1")
    engine = MilvusEngine(Address.of(f"milvus:{tmp_path}/x.db"), create=True)
    engine.settle(SETTINGS)
    library, search, left = filled(engine), GrpcHandler.search, [times]

    def failing(self: GrpcHandler, *given: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise MilvusException(code=65535, message=said)
        return search(self, *given, **named)

    monkeypatch.setattr(GrpcHandler, "search", failing)
    if told is None:
        library.check(engine, QUESTIONS[:1], 5)
        assert left == [-1]
    else:
        with pytest.raises(IndexUnavailable, match=told):
            engine.nearest(QUESTIONS[:1], 5)
        assert (left[0] < 999) == (said == LOST)
    engine.close()


def test_a_question_that_nobody_answers_for_ten_seconds_is_asked_once_more_with_all_the_time_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import grpc
    from pymilvus.client.grpc_handler import GrpcHandler

    class Late(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.DEADLINE_EXCEEDED

        def details(self) -> str:
            return "Deadline Exceeded"

    engine = MilvusEngine(Address.of(f"milvus:{tmp_path}/x.db"), create=True)
    engine.settle(SETTINGS)
    library, search, had, late = filled(engine), GrpcHandler.search, list[float](), [1]

    def waiting(self: GrpcHandler, *given: Any, timeout: float, **named: Any) -> Any:
        had.append(timeout)
        if len(had) <= late[0]:
            raise Late
        return search(self, *given, timeout=timeout, **named)

    monkeypatch.setattr(GrpcHandler, "search", waiting)
    library.check(engine, QUESTIONS[:1], 5)
    assert (had[0], len(had)) == (10, 2)
    had[:], late[0] = [], 1000
    with pytest.raises(IndexUnavailable):
        engine.nearest(QUESTIONS[:1], 5)
    assert (had[0], len(had)) == (10, 2) and 10 < had[1] <= 60
    engine.close()
