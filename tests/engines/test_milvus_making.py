"""An index on Milvus is made in as many parts and copies as are asked for; whoever stops in between, the next goes on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from contract import SETTINGS, filled, units
from milvus_server import MilvusServer

from searcher.engines.milvus import Address
from searcher.engines.milvus.engine import MilvusEngine
from searcher.errors import IndexUnavailable

pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")

from pymilvus import MilvusException
from pymilvus.client.grpc_handler import GrpcHandler

# The wheel leaves sockets open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
QUESTIONS = units(3, np.random.default_rng(5))
MAKING = ("create_collection", "create_index", "load_collection")


@pytest.fixture(params=["milvus-lite", pytest.param("server", marks=[pytest.mark.server, pytest.mark.timeout(0)])])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "server":
        server: MilvusServer = request.getfixturevalue("milvus_server")
        yield server.uri
    else:
        pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
        yield str(tmp_path / "lite.db")


def new(uri: str) -> Address:
    return Address.of(f"milvus:{uri}#c{uuid4().hex}")


def heard(monkeypatch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[tuple[str, dict[str, Any]]]:
    """What is asked of a server while an index is made. stop_after: so many such calls the next ones fail."""
    calls = list[tuple[str, dict[str, Any]]]()

    def listening(name: str) -> Any:
        own = getattr(GrpcHandler, name)

        def call(self: GrpcHandler, *given: Any, **named: Any) -> Any:
            if stop_after is not None and len(calls) >= stop_after:
                raise MilvusException(code=5, message="gone")
            calls.append((name, named))
            return own(self, *given, **named)

        return call

    for name in MAKING:
        monkeypatch.setattr(GrpcHandler, name, listening(name))
    return calls


def test_a_new_index_has_the_shards_that_the_environment_asks_for(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_MILVUS_SHARDS", "2")
    calls = heard(monkeypatch)
    engine = MilvusEngine(new(uri), create=True)
    engine.settle(SETTINGS)
    assert [named["num_shards"] for name, named in calls if name == "create_collection"] == [2, 2]
    if not engine.address.is_lite:  # which has one, whatever it is asked for
        assert engine.server.ask("describe_collection", engine.passages)["num_shards"] == 2
    filled(engine).check(engine, QUESTIONS)
    engine.close()


def test_what_was_released_is_loaded_in_so_many_copies_and_what_is_loaded_stays_as_it_is(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = MilvusEngine(new(uri), create=True)
    engine.settle(SETTINGS)
    library = filled(engine)
    calls = heard(monkeypatch)
    monkeypatch.setenv("SEARCHER_MILVUS_REPLICAS", "1")  # a server of one process has no room for more
    for released, asked in (([], []), ([engine.passages, engine.beside], [1, 1])):
        for name in released:
            engine.server.ask("release_collection", name)
        calls.clear()
        other = MilvusEngine(engine.address)
        library.check(other, QUESTIONS)
        other.close()
        assert [(name, named["replica_number"]) for name, named in calls] == [("load_collection", own) for own in asked]
    engine.close()


def test_an_index_whose_making_stopped_anywhere_is_made_by_the_next(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped, calls = True, 0
    while stopped:
        address = new(uri)
        with monkeypatch.context() as patch:
            heard(patch, calls)
            engine = MilvusEngine(address, create=True)
            try:
                engine.settle(SETTINGS)
                stopped = False
            except IndexUnavailable as fault:
                assert str(fault) == f"{address}: gone"
            engine.close()
        with monkeypatch.context() as patch:
            patch.setenv("SEARCHER_MILVUS_TIMEOUT", "120")
            if stopped:
                with pytest.raises(IndexUnavailable, match="no index at"):
                    MilvusEngine(address)
            engine = MilvusEngine(address, create=True)
            engine.settle(SETTINGS)
            filled(engine).check(engine, QUESTIONS)
            engine.close()
        calls += 1
    assert calls > 5
