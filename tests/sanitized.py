"""The tests of the C kernels with AddressSanitizer and UndefinedBehaviorSanitizer in them. Not part of CI.

    python tests/sanitized.py [FOLDER] [pytest arguments]

Compiles every library of hatch_build.py with both into a copy of the package in FOLDER (kept; else a temporary one) and
runs the tests that call kernels, at sizes odd and even, against that copy. The first byte read or written beyond an array,
numpy's and torch's included, the first overflow, or the first NaN made a whole number ends the run with the line of C. What
this CPU cannot run is skipped, but for AMX: its tiles are emulated (tiles.c), what they read and write is looked at too.

Needs gcc with its libasan and libubsan, and hatchling. Python's own leaks are not looked for.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from compiled import compiled

ROOT = Path(__file__).parents[1]
SANITIZERS = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all"
TESTS = ["vectors", "engines/test_inverted.py", "embedding/test_encoder.py", "embedding/test_int8.py"]
PRELOADED = ["libasan.so", "libubsan.so", "libstdc++.so"]  # the last, for exceptions of libraries that are loaded later
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "OMP_NUM_THREADS": "2",
}


def preloaded() -> str:
    """The runtimes of the sanitizers, which have to be there before anything else is."""
    asked = (subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True) for name in PRELOADED)
    return ":".join(done.stdout.strip() for done in asked)


def main(folder: Path, arguments: list[str]) -> int:
    """pytest's exit code; another for a finding."""
    environment = (
        os.environ | OPTIONS | {"LD_PRELOAD": preloaded(), "PYTHONPATH": str(compiled(folder, *SANITIZERS.split()))}
    )
    tests = arguments or [str(ROOT / "tests" / test) for test in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    return subprocess.run([*command, *tests], env=environment, cwd=folder, check=False).returncode


if __name__ == "__main__":
    place, *given = sys.argv[1:] or [""]
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(Path(place or temporary).resolve(), given))
