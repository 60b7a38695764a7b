"""Compiles the kernels at installation where there is a C compiler; without one searcher works, only slower.

A wheel with kernels is tagged by the oldest C library that they run with, as read from the libraries themselves
(PEP 600), so that it installs wherever they load and nowhere else; one without runs anywhere.
"""

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

AVX512 = "-mavx512f -mavx512bw"
BF16 = f"{AVX512} -mavx512vl -mavx512dq -mavx512bf16 -mfma"
# Files of plain C, whose loops the compiler makes vectors of, by the bits of these.
PLAIN = "-fopenmp-simd -fno-trapping-math"
VECTORS_OF = {
    512: f"{AVX512} -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512",
    256: "-mavx2 -mfma",
}
ENCODER, POSTINGS, VECTORS = "searcher/embedding/encoder", "searcher/postings", "searcher/vectors"
FLOATS = [f"{ENCODER}/{name}.c" for name in ("float32", "attention")]
LAYERS = [f"{ENCODER}/{name}.c" for name in ("amx", "dense", "layers")]
JOIN = {f"{POSTINGS}/libjoin.so.1": ([f"{POSTINGS}/join.c"], "-ffp-contract=off")}
# Machine → library → its sources, and what of a CPU it uses; each asks before it is used.
MACHINES = {
    "x86_64": {
        f"{ENCODER}/libamx.so.1": (LAYERS, f"{BF16} -mamx-tile -mamx-bf16"),
        f"{ENCODER}/libdot.so.1": (LAYERS, f"{BF16} -DSEARCHER_DOT"),
        **{f"{ENCODER}/libfloat32_{bits}.so.1": (FLOATS, f"{PLAIN} {flags}") for bits, flags in VECTORS_OF.items()},
        **{
            f"{ENCODER}/libpasses{bits}.so.1": ([f"{ENCODER}/passes.c"], f"{PLAIN} {flags}")
            for bits, flags in VECTORS_OF.items()
        },
        f"{VECTORS}/libfloats.so.1": ([f"{VECTORS}/floats.c"], "-mavx2 -mfma"),
        f"{VECTORS}/libscan.so.1": (
            [f"{VECTORS}/{name}.c" for name in ("scan", "sieve")],
            f"{AVX512} -pthread -mavx512vnni",
        ),
        **JOIN,
    },
    "aarch64": {f"{ENCODER}/libfloat32_128.so.1": (FLOATS, PLAIN), **JOIN},
}
LIBRARIES = MACHINES.get(platform.machine(), {})
FLAGS = "-O3 -shared -fPIC -fno-math-errno"
SYMBOL_VERSION = re.compile(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)")
OLDEST = (2, 17)  # glibc of manylinux2014, the oldest that installers and our dependencies know


class Kernels(BuildHookInterface):
    """hatchling calls `initialize` before it makes a wheel, and before an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the libraries beside their sources, and into the wheel."""
        if self.target_name != "wheel" or sys.platform != "linux":
            return
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None:
            return
        root, built = Path(self.root), []
        for library, (sources, flags) in LIBRARIES.items():
            files = [str(root / source) for source in sources]
            command = [compiler, *FLAGS.split(), *flags.split(), "-o", str(root / library), *files]
            if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                build_data["force_include"][str(root / library)] = library
                built.append(root / library)
        if built:
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{_platform(built)}"  # they are loaded by ctypes: any Python will do


def _platform(libraries: list[Path]) -> str:
    """The platform tag of a wheel with these in it; plain linux where the C library is not glibc."""
    if platform.libc_ver()[0] != "glibc":
        return f"linux_{platform.machine()}"
    versions = [SYMBOL_VERSION.findall(library.read_bytes()) for library in libraries]
    major, minor = max([OLDEST, *((int(major), int(minor)) for found in versions for major, minor in found)])
    return f"manylinux_{major}_{minor}_{platform.machine()}"
