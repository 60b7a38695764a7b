"""Engines to try the contract with: an index folder, Milvus Lite, and the Milvus server that tests marked `server` ask."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from contract import SETTINGS, Oracle, Place, filled
from milvus_server import MilvusServer, wheel_folder

from searcher.engines import Engine, LocalEngine


def folder_place(tmp_path: Path) -> Place:
    folder = tmp_path / "index"
    return Place("folder", lambda: LocalEngine(folder, create=not folder.exists()), lambda engine: engine.close())


def milvus_place(uri: str) -> Place:
    from searcher.engines.milvus import Address
    from searcher.engines.milvus.engine import MilvusEngine

    address = Address.of(f"milvus:{uri}#c{uuid4().hex}")
    return Place(str(address), lambda: MilvusEngine(address, create=True), lambda engine: engine.close())


ENGINES = ["folder", "milvus-lite", pytest.param("server", marks=pytest.mark.server)]


def made_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return folder_place(tmp_path)
    pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'searcher[milvus]'")
    if request.param == "server":
        return milvus_place(request.getfixturevalue("milvus_server").uri)
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    return milvus_place(str(tmp_path / "lite.db"))


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return made_place(request, tmp_path)


@pytest.fixture
def engine(place: Place) -> Iterator[Engine]:
    engine = place.open()
    engine.settle(SETTINGS)
    yield engine
    engine.close()


@pytest.fixture
def library(engine: Engine) -> Oracle:
    return filled(engine)


@pytest.fixture(scope="module", params=ENGINES)
def read(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Oracle]]:
    """An engine that is only asked."""
    engine = made_place(request, tmp_path_factory.mktemp("read")).open()
    engine.settle(SETTINGS)
    yield engine, filled(engine)
    engine.close()


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    """One for all of them; MILVUS_WHEEL names the folder of its wheel."""
    if (wheel := wheel_folder()) is None:
        pytest.skip("MILVUS_WHEEL names no folder with the milvus wheel; see tests/server.sh")
    server = MilvusServer(wheel, tmp_path_factory.mktemp("milvus"))
    server.start()
    yield server
    server.kill()
