"""Without the C kernels everything answers the same, on emulated AMX tiles too; a wrong word for the switch is named."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from compiled import compiled

from searcher.embedding.encoder import kernels
from searcher.embedding.encoder.passes import PASSES
from searcher.errors import UnknownName
from searcher.postings import joining
from searcher.system import kernel_library
from searcher.vectors import codes, floats

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "group",
    ["embedding/test_encoder.py", pytest.param("ranking/test_search.py", marks=pytest.mark.slow), "vectors"],
)
def test_the_tests_of_encoder_and_search_pass_with_the_kernels_off(group: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(TESTS / group)]
    environment = os.environ | {"SEARCHER_KERNELS": "off", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert " passed" in done.stdout


@pytest.mark.skipif(
    kernels.built("amx") is not None or kernels.built("dot") is None or not kernels.BUILDS["amx"].exists(),
    reason="the CPU has tiles of its own or not what is beside them, or the compiler knows none",
)
@pytest.mark.skipif(
    shutil.which("gcc") is None or importlib.util.find_spec("hatchling") is None, reason="needs gcc and hatchling"
)
def test_kernels_for_tiles_are_right_on_a_cpu_that_has_none(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "(amx or bf16) and not 2080"]
    environment = os.environ | {"PYTHONPATH": str(compiled(tmp_path)), "PYTEST_ADDOPTS": ""}
    encoder = str(TESTS / "embedding" / "test_encoder.py")
    done = subprocess.run(
        [*command, encoder], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert "skipped" not in done.stdout


def test_off_means_that_no_library_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_KERNELS", "off")
    encoders = (*kernels.BUILDS.values(), *kernels.FLOATS.values(), *PASSES.values())
    for library in (*encoders, joining.LIBRARY, codes.LIBRARY, floats.LIBRARY):
        assert kernel_library(library) is None


def test_another_word_for_the_switch_is_named_with_the_good_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEARCHER_KERNELS", "none")
    with pytest.raises(UnknownName, match="unknown SEARCHER_KERNELS 'none'; known: auto, off"):
        kernel_library(floats.LIBRARY)


def test_a_library_that_was_not_built_is_none(tmp_path: Path) -> None:
    assert kernel_library(tmp_path / "libnone.so.1") is None
    (tmp_path / "libother.so.1").write_bytes(b"of another machine")
    assert kernel_library(tmp_path / "libother.so.1") is None
