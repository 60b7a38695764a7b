"""The tests of the C kernels with AddressSanitizer and UndefinedBehaviorSanitizer in them. Not part of CI.

    python tests/sanitized.py [FOLDER] [pytest arguments]

Compiles every library of hatch_build.py with both into a copy of the package in FOLDER (kept; else a temporary one) and
runs the tests that call kernels, at sizes odd and even, against that copy. The first byte read or written beyond an array,
numpy's and torch's included, the first overflow, or the first NaN made a whole number ends the run with the line of C. What
this CPU cannot run is skipped.

Needs gcc with its libasan and libubsan, and hatchling. Python's own leaks are not looked for.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
SANITIZERS = "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all"
TESTS = ["vectors", "engines/test_inverted.py", "embedding/test_encoder.py", "embedding/test_int8.py"]
PRELOADED = ["libasan.so", "libubsan.so", "libstdc++.so"]  # the last, for exceptions of libraries that are loaded later
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "OMP_NUM_THREADS": "2",
}


def compiled(folder: Path) -> Path:
    """A copy of the package whose kernels have the sanitizers in them."""
    sys.path.insert(0, str(ROOT))
    from hatch_build import FLAGS, LIBRARIES

    for package in ("searcher", "index_data"):
        shutil.copytree(
            ROOT / package,
            folder / package,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("lib*.so.1", "__pycache__"),
        )
    for library, (sources, flags) in LIBRARIES.items():
        files = [str(folder / source) for source in sources]
        command = ["gcc", *FLAGS.split(), *flags.split(), *SANITIZERS.split(), "-o", str(folder / library), *files]
        subprocess.run(command, check=True)
    return folder


def preloaded() -> str:
    """The runtimes of the sanitizers, which have to be there before anything else is."""
    asked = (subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True) for name in PRELOADED)
    return ":".join(done.stdout.strip() for done in asked)


def main(folder: Path, arguments: list[str]) -> int:
    """pytest's exit code; another for a finding."""
    environment = os.environ | OPTIONS | {"LD_PRELOAD": preloaded(), "PYTHONPATH": str(compiled(folder))}
    tests = arguments or [str(ROOT / "tests" / test) for test in TESTS]
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "no:faulthandler"]
    return subprocess.run([*command, *tests], env=environment, cwd=folder, check=False).returncode


if __name__ == "__main__":
    place, *given = sys.argv[1:] or [""]
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(main(Path(place or temporary).resolve(), given))
