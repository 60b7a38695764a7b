"""What does a command take from a cold shell, and what did it in another checkout?

    python benchmarks/cold_start.py [--rounds 15] [--other PYTHON CHECKOUT]

Each checkout indexes the same texts; then each round starts a new process of each command in each checkout, in turn; one
that adds does so to a new index. CPU seconds of the process and its threads, and those by the clock, the best of all
rounds; its peak memory, the greatest. The modules are compiled before, as pip does it: without that most of the time
would be the compiler's.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from common import report

TEXTS = [f"Note {number}: the boiler of house {number} has the code {number * 7}." for number in range(200)]
QUESTION = "boiler code 49"
SAMPLES = str(Path(__file__).parent.parent / "index_data" / "samples")
NEW = "NEW"  # stands for a folder that is not there yet
COMMANDS = {
    "--help": ["--help"],
    "search --mode keyword": ["search", QUESTION, "--mode", "keyword"],
    "search --mode keyword --json": ["search", QUESTION, "--mode", "keyword", "--json"],
    "search --json": ["search", QUESTION, "--json"],
    "search": ["search", QUESTION],
    "add of the samples": ["add", SAMPLES, "-i", NEW],
    "search --in of the samples": ["search", "why is the radiator cold", "--in", SAMPLES],
}


class Taken(NamedTuple):
    """Seconds of a CPU and by the clock, and bytes at the peak."""

    cpu: float
    wall: float
    peak: int

    def best(self, other: "Taken") -> "Taken":
        """The least seconds of two, and the most bytes."""
        return Taken(min(self.cpu, other.cpu), min(self.wall, other.wall), max(self.peak, other.peak))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--other", nargs=2, metavar=("PYTHON", "CHECKOUT"))
    given = parser.parse_args()
    programs = {"here": (sys.executable, str(Path(__file__).parent.parent))}
    programs |= {"other": tuple(given.other)} if given.other else {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "notes.txt").write_text("\n\n".join(TEXTS), encoding="utf-8")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        best: dict[str, dict[str, Taken]] = {name: {} for name in COMMANDS}
        new = folder / "new"
        for own, (python, checkout) in programs.items():
            run([python, "-m", "searcher", "add", str(folder / "notes.txt"), "-i", str(folder / own)],
                environment | {"PYTHONPATH": checkout})  # fmt: skip
        for round_ in range(given.rounds + 1):
            for name, arguments in COMMANDS.items():
                for own, (python, checkout) in programs.items():
                    shutil.rmtree(new, ignore_errors=True)
                    there = environment | {"PYTHONPATH": checkout, "SEARCHER_INDEX": str(folder / own)}
                    there |= {"XDG_CACHE_HOME": str(new)}
                    words = [str(new / "index") if word == NEW else word for word in arguments]
                    taken = run([python, "-m", "searcher", *words], there)
                    if round_:  # the first one compiles
                        best[name][own] = taken.best(best[name].get(own, taken))
    for name, values in best.items():
        told = (f"{own} {1e3 * of.cpu:.0f} ms CPU, {of.wall:.2f} s, {of.peak >> 20} MB" for own, of in values.items())
        print(f"{name:32} " + "; ".join(told))
    report("cold_start", {name: {own: of._asdict() for own, of in each.items()} for name, each in best.items()})


def run(command: list[str], environment: dict[str, str]) -> Taken:
    """What a new process takes."""
    begun = time.perf_counter()
    quiet = subprocess.DEVNULL
    # `-m` takes what is in the folder that it runs in before all else.
    child = subprocess.Popen(command, env=environment, cwd=environment["PYTHONPATH"], stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return Taken(used.ru_utime + used.ru_stime, time.perf_counter() - begun, used.ru_maxrss << 10)


if __name__ == "__main__":
    main()
