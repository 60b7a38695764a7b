"""A wheel runs where its tag says: built in an environment of its own, which takes minutes."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_wheel_holds_the_kernels_and_is_tagged_by_the_c_library_they_need(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    [wheel] = tmp_path.glob("*.whl")
    tag = re.fullmatch(r"searcher-[\d.]+-py3-none-manylinux_2_(\d+)_x86_64.whl", wheel.name)
    assert tag
    with zipfile.ZipFile(wheel) as archive:
        libraries = [name for name in archive.namelist() if ".so" in name]
        archive.extractall(tmp_path)
    assert len(libraries) == 9
    for library in libraries:
        listed = subprocess.run(["objdump", "-T", str(tmp_path / library)], capture_output=True, text=True, check=True)
        assert all(int(minor) <= int(tag[1]) for minor in re.findall(r"GLIBC_2\.(\d+)", listed.stdout))
