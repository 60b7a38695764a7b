"""The Milvus server that tests marked `server` ask."""

from collections.abc import Iterator

import pytest
from milvus_server import MilvusServer, wheel_folder


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusServer]:
    """One for all of them; MILVUS_WHEEL names the folder of its wheel."""
    if (wheel := wheel_folder()) is None:
        pytest.skip("MILVUS_WHEEL names no folder with the milvus wheel; see tests/server.sh")
    server = MilvusServer(wheel, tmp_path_factory.mktemp("milvus"))
    server.start()
    yield server
    server.kill()
