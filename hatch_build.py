"""Compiles the kernels at installation where there is a C compiler; without one searcher works, only slower."""

import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

AVX512 = "-mavx512f -mavx512bw"
# Library → its sources, and what of a CPU it uses; each asks before it is used.
LIBRARIES = {
    "searcher/embedding/encoder/libamx.so.1": (
        [f"searcher/embedding/encoder/{name}.c" for name in ("amx", "dense", "layers", "float32")],
        f"{AVX512} -mavx512vl -mavx512dq -mavx512bf16 -mfma -mamx-tile -mamx-bf16",
    ),
    "searcher/embedding/encoder/libdot.so.1": (
        [f"searcher/embedding/encoder/{name}.c" for name in ("amx", "dense", "layers")],
        f"{AVX512} -DSEARCHER_DOT -mavx512vl -mavx512dq -mavx512bf16 -mfma",
    ),
    "searcher/vectors/libfloats.so.1": (["searcher/vectors/floats.c"], "-mavx2 -mfma"),
    "searcher/vectors/libscan.so.1": (
        [f"searcher/vectors/{name}.c" for name in ("scan", "sieve")],
        f"{AVX512} -pthread -mavx512vnni",
    ),
}
FLAGS = "-O3 -shared -fPIC -fno-math-errno"


class Kernels(BuildHookInterface):
    """hatchling calls `initialize` before it makes a wheel, and before an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the libraries beside their sources, and into the wheel."""
        if self.target_name != "wheel" or sys.platform != "linux" or platform.machine() != "x86_64":
            return
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None:
            return
        root = Path(self.root)
        for library, (sources, flags) in LIBRARIES.items():
            files = [str(root / source) for source in sources]
            command = [compiler, *FLAGS.split(), *flags.split(), "-o", str(root / library), *files]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                build_data["force_include"][str(root / library)] = library
                build_data["pure_python"] = False
                build_data["infer_tag"] = True
