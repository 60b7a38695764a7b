"""How much CPU does a command need from a cold shell, and how much did it in another checkout?

    python benchmarks/cold_start.py [--rounds 15] [--other PYTHON CHECKOUT]

Each checkout indexes the same texts; then each round starts a new process of each command in each checkout, in turn.
CPU seconds of the process and its threads, the best of all rounds. The modules are compiled before, as pip does it:
without that most of the time would be the compiler's.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from common import report

TEXTS = [f"Note {number}: the boiler of house {number} has the code {number * 7}." for number in range(200)]
QUESTION = "boiler code 49"
COMMANDS = {
    "--help": ["--help"],
    "search --mode keyword": ["search", QUESTION, "--mode", "keyword"],
    "search --mode keyword --json": ["search", QUESTION, "--mode", "keyword", "--json"],
}


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
        best: dict[str, dict[str, float]] = {name: {} for name in COMMANDS}
        for own, (python, checkout) in programs.items():
            run([python, "-m", "searcher", "add", str(folder / "notes.txt"), "-i", str(folder / own)],
                environment | {"PYTHONPATH": checkout})  # fmt: skip
        for round_ in range(given.rounds + 1):
            for name, arguments in COMMANDS.items():
                for own, (python, checkout) in programs.items():
                    there = environment | {"PYTHONPATH": checkout, "SEARCHER_INDEX": str(folder / own)}
                    seconds = run([python, "-m", "searcher", *arguments], there)
                    if round_:  # the first one compiles
                        best[name][own] = min(best[name].get(own, seconds), seconds)
    for name, values in best.items():
        print(f"{name:32} " + ", ".join(f"{own} {1000 * seconds:.0f} ms" for own, seconds in values.items()))
    report("cold_start", {name: {own: round(value, 4) for own, value in each.items()} for name, each in best.items()})


def run(command: list[str], environment: dict[str, str]) -> float:
    """CPU seconds of a new process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
