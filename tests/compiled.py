"""A copy of the package whose kernels are compiled otherwise: with more flags, those for AMX on tiles that tiles.c emulates.

Needs gcc and hatchling, of whose build hook the sources and flags are.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from searcher.embedding.encoder.kernels import BUILDS, built

ROOT = Path(__file__).parents[1]
TILES = ["-Dsearcher_supported=searcher_asked", str(ROOT / "tests" / "tiles.c")]  # tiles.c is asked in its place


def compiled(folder: Path, *flags: str) -> Path:
    """The package in `folder`, each library with these flags too; tiles are the CPU's own where it has them."""
    sys.path.insert(0, str(ROOT))
    try:
        from hatch_build import FLAGS, LIBRARIES
    finally:
        sys.path.remove(str(ROOT))

    for package in ("searcher", "index_data"):
        ignored = shutil.ignore_patterns("lib*.so.1", "__pycache__")
        shutil.copytree(ROOT / package, folder / package, dirs_exist_ok=True, ignore=ignored)
    for library, (sources, own) in LIBRARIES.items():
        files = [str(folder / source) for source in sources]
        if Path(library).name == BUILDS["amx"].name and not built("amx"):
            files += TILES
        command = ["gcc", *FLAGS.split(), *own.split(), *flags, "-o", str(folder / library), *files]
        subprocess.run(command, check=True)
    return folder
