"""Compiles the AMX kernels at installation where there is a C compiler; without one searcher works, only slower."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = [Path("searcher/encoder") / name for name in ("amx.c", "dense.c", "layers.c", "float32.c")]
LIBRARY = SOURCES[0].with_name("libamx.so.1")
FLAGS = (
    "-O3 -shared -fPIC -fno-math-errno -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512bf16 -mfma "
    "-mamx-tile -mamx-bf16"
).split()


class Kernels(BuildHookInterface):
    """hatchling calls `initialize` before it makes a wheel, and before an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put libamx.so beside its source, and into the wheel."""
        if self.target_name != "wheel" or sys.platform != "linux" or platform.machine() != "x86_64":
            return
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None:
            return
        *sources, library = (str(Path(self.root) / file) for file in (*SOURCES, LIBRARY))
        done = subprocess.run([compiler, *FLAGS, "-o", library, *sources], capture_output=True, check=False)
        if done.returncode == 0:
            build_data["force_include"][library] = str(LIBRARY)
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
