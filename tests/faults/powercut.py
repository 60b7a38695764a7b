"""Power cuts: what a recorded workload promised, held against the disks that a cut at any moment may leave.

    python tests/faults/powercut.py [--journal delete wal] [--seed N …] [--again 12]
        [--cuts N] [--disks 160] [--bug NAME] [--keep DIR]

The workload runs once under strace; no disk is ever harmed. At a cut the oracle is told what was acknowledged until
then. For some disks the program that opens them is recorded too, and the power cut once more while it recovers.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
from bugs import BUGS, broken
from powercut_judge import ACKS, INDEX, Findings, Judge, one_thread, place, settled
from replay import Disk, Machine
from replay_events import Event, Names, Resize, Sync, Write
from replay_log import STRACE, read_log
from tiny import WIDTH, save_tiny_bert
from workload import force_journal, opened

HERE = Path(__file__).parent
DATABASE = f"{INDEX}/searcher.db"
SHOWN = 20  # bad disks
Files = Mapping[str, bytes | None]


class Cut(NamedTuple):
    """The machine when the power goes, what was acknowledged until then, and which moment that is, in words."""

    machine: Machine
    acks: list[str]
    moment: str


def record(root: Path, before: Files, seed: int, journal: str, bug: str | None, model: Path) -> list[Event]:
    """Run the workload on a new index below a folder that holds `before`; what happened there."""
    log = root.with_suffix(".log")
    root.mkdir()
    Disk(before, "").put(root)
    _traced(log, bug, "workload.py", root / INDEX, seed, root / ACKS, "--journal", journal, "--model", model)
    try:
        return read_log(log, root, before)
    finally:
        log.unlink()


def _traced(log: Path, bug: str | None, program: str, *given: object) -> None:
    """Run a program of this folder, the product with that bug, and log what it does with files."""
    command = [sys.executable, HERE / "bugs.py", bug or "none", HERE / program, *given]
    done = subprocess.run([*STRACE, "-o", log, *map(str, command)], stderr=subprocess.PIPE, text=True, check=False)
    if "strace: " in done.stderr:
        raise OSError(f"strace cannot attach: {done.stderr[:200]}")
    if done.returncode:
        raise RuntimeError(f"{program} ended with {done.returncode}: {done.stderr[-2000:]}")


def moments(events: list[Event]) -> list[int]:
    """Numbers of the events after which most is in memory: those before a sync or an acknowledgement, and the last.

    What a cut at any other moment leaves, one of these may leave too: what came between is lost with the rest.
    """
    acks = next(
        (file for event in events if isinstance(event, Names) for name, file in event.changes if name == ACKS), None
    )
    before = [number for number, event in enumerate(events) if isinstance(event, Sync) or _file(event) == acks]
    return [*(number - 1 for number in before if number), len(events) - 1]


def _file(event: Event) -> int | None:
    return None if isinstance(event, Names) else event.file


def cuts(before: Files, events: list[Event], numbers: list[int]) -> Iterator[Cut]:
    """The machine after each of those events, and what had been acknowledged by then."""
    machine, said, acks = Machine.holding(before), b"", None
    wanted = set(numbers)
    for number, event in enumerate(events):
        machine.take(event)
        if isinstance(event, Names):
            acks = dict(event.changes).get(ACKS, acks)
        elif isinstance(event, Write) and event.file == acks:
            said += event.data
        if number in wanted:
            yield Cut(machine, said.decode().splitlines(), f"after event {number} of {len(events)}, {_named(event)}")


def _named(event: Event) -> str:
    match event:
        case Names(_, changes):
            return f"names {changes}"
        case Write(file, at, data):
            return f"write of {len(data)} bytes to file {file} at {at}"
        case Resize(file, size):
            return f"file {file} resized to {size}"
        case Sync(file):
            return f"sync of file {file}"


def without_acks(disk: Disk) -> Disk:
    """The disk as the oracle gets it: it is told the acknowledgements another way."""
    return Disk({name: data for name, data in disk.files.items() if name != ACKS}, disk.made_by)


def power_cuts(
    seed: int, journal: str, *, at: int | None, disks: int, again: int = 0, bug: str | None = None,
    keep: Path | None = None, enough: int | None = None, new_folder: bool = False,
) -> Findings:  # fmt: skip
    """Cut the power at `at` moments (None: all), and look at `disks` disks each; cut it again in `again` recoveries.

    bug: put into the product before; keep: a folder for bad disks; enough: so many bad disks end it; new_folder: the first
    `add` makes the folder of the index.
    """
    chance, findings, begun = random.Random(seed), Findings(), perf_counter()
    folder = place()
    try:
        with broken(bug, reading=True), settled(journal, folder), one_thread():
            model = save_tiny_bert(folder / "model")
            before: Files = {} if new_folder else {INDEX: None}
            events = record(folder / "root", before, seed, journal, bug, model)
            findings.events = len(events)
            judge = Judge(folder / "disk", model, findings, keep)
            kept: list[tuple[Disk, list[str], str]] = []
            numbers = moments(events)
            for cut in cuts(before, events, numbers if at is None else chance.sample(numbers, min(at, len(numbers)))):
                findings.cuts += 1
                possible = list(map(without_acks, cut.machine.disks(disks, chance)))
                kept += [(disk, cut.acks, cut.moment) for disk in chance.sample(possible, 1) if DATABASE in disk.files]
                for disk in possible:
                    judge.judge(disk, cut.acks, cut.moment)
                    if enough and len(findings.violations) >= enough:
                        return findings
            _recoveries(chance.sample(kept, min(again, len(kept))), disks, journal, bug, folder, judge, chance)
        return findings
    finally:
        findings.seconds = perf_counter() - begun
        shutil.rmtree(folder)


def _recoveries(
    kept: list[tuple[Disk, list[str], str]], disks: int, journal: str, bug: str | None, folder: Path, judge: Judge,
    chance: random.Random,
) -> None:  # fmt: skip
    """Open those disks in one recorded process, and cut the power at each event of it."""
    if not kept:
        return
    roots = [folder / "recovery" / str(number) for number in range(len(kept))]
    for root, (disk, _, _) in zip(roots, kept, strict=True):
        root.mkdir(parents=True)
        disk.put(root)
    log = folder / "recovery.log"
    _traced(log, bug, Path(__file__).name, "--journal", journal, "--recover", judge.model, *roots)
    for root, (disk, acks, moment) in zip(roots, kept, strict=True):
        events = read_log(log, root, disk.files)
        machine = Machine.holding(disk.files)
        chosen = set(chance.sample(range(len(events)), min(len(events), disks // 4)))
        for number, event in enumerate(events):
            machine.take(event)
            possible = list(machine.disks(16, chance)) if number in chosen else []
            for after in chance.sample(possible, min(4, len(possible))):
                judge.findings.in_recovery += 1
                judge.judge(after, acks, f"{moment}; {disk.made_by}; recovery event {number} of {len(events)}")


def recover(folder: Path, model: Path) -> None:
    """Open what a power cut left, as the first program after it would: ask, and bring the cache up to date."""
    if (folder / "searcher.db").exists():
        with opened(folder, model) as searcher:
            searcher.search(np.ones(WIDTH, dtype=np.float32), k=3)
            searcher.reindex()


def main() -> None:
    """A line for each journal and seed, the bad disks, and one JSON object at the end; exit status 1 for a bad disk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journal", nargs="+", default=["delete", "wal"], choices=["delete", "wal"])
    parser.add_argument("--seed", nargs="+", type=int, default=[0])
    parser.add_argument("--cuts", type=int, help="moments at which the power is cut; all if left out")
    parser.add_argument("--disks", type=int, default=160, help="for each cut")
    parser.add_argument("--again", type=int, default=12, help="disks on which it is cut again in recovery")
    parser.add_argument("--bug", choices=BUGS, help="with this bug in the product")
    parser.add_argument("--keep", type=Path, help="where to put the bad disks")
    parser.add_argument("--new-folder", action="store_true", help="the index's folder is made by the first add")
    parser.add_argument("--recover", nargs="+", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.recover:
        force_journal(given.journal[0])
        for root in given.recover[1:]:
            recover(root / INDEX, given.recover[0])
        return
    found = []
    for journal in given.journal:
        for seed in given.seed:
            found.append(
                power_cuts(
                    seed,
                    journal,
                    at=given.cuts,
                    disks=given.disks,
                    again=given.again,
                    bug=given.bug,
                    keep=given.keep,
                    new_folder=given.new_folder,
                )
            )
            sys.stdout.write(f"{journal}, seed {seed}: {found[-1].line()}\n")
            for where, lines in found[-1].violations[:SHOWN]:
                sys.stdout.write(f"  {where}\n    " + "\n    ".join(lines) + "\n")
    total = {
        name: sum(getattr(one, name) for one in found)
        for name in ("events", "cuts", "disks", "different", "in_recovery")
    }
    bad = [line.split(":")[0] for one in found for _, lines in one.violations for line in lines]
    sys.stdout.write(json.dumps({**total, "violations": Counter(bad)}) + "\n")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
