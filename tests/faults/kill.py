"""kill -9 at every file system call of every kind of write, in both journals; what is found afterwards, the oracle says.

    python tests/faults/kill.py [SCENARIO…] [--journal delete|wal] [--sample N --seed S]

Prints a line for each scenario and journal, each violation with its reproduction, and one JSON object at the end.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from oracle import history, verify
from tiny import WORDS, save_tiny_bert
from traced import Call, calls, fork, killed_at, run
from workload import OLD_FORMAT, PERFORM, Acks, Operation, force_journal, missing, opened, perform

from searcher.store import DATABASE

JOURNALS = ("delete", "wal")

ATTEMPTS = 3  # to kill at the very call that was meant


def texts(name: str, count: int, seed: int) -> dict[str, str]:
    """Documents of one to five passages."""
    chance = random.Random(seed)
    return {
        f"{name}-{'x' * i}": f"{name} {i} " + " ".join(chance.choices(WORDS, k=chance.choice([3, 10, 60])))
        for i in range(count)
    }


FIRST, SECOND = texts("first", 5, 1), texts("second", 7, 2)
BASE = (
    Operation("create", FIRST),
    Operation("add", SECOND),
    Operation("remove", gone=("first-x", "second-xxx")),
)
CHANGED = {key: text + " and one more river" for key, text in [*FIRST.items(), *SECOND.items()][2:6]}


class Scenario(NamedTuple):
    """What was done before, and the operation during which the process is killed."""

    before: tuple[Operation, ...]
    operation: Operation
    killed: bool = False  # the last of `before` was killed while it wrote into the database


SCENARIOS = {
    "create": Scenario((), Operation("create", FIRST)),
    "add": Scenario(BASE, Operation("add", texts("third", 7, 3))),
    "update": Scenario(BASE, Operation("update", CHANGED)),
    "remove": Scenario(BASE, Operation("remove", gone=("first-xx", "second-", "second-xxxxx"))),
    "compact": Scenario(BASE, Operation("compact")),
    "publish": Scenario(BASE, Operation("publish")),
    "migrate": Scenario((Operation("old format"),), Operation("migrate")),
    "recover": Scenario((*BASE, Operation("update", CHANGED)), Operation("migrate"), killed=True),
}


class Place(NamedTuple):
    """Where a scenario is played: the folder as it was before, a copy to work on, acknowledgements, strace's log."""

    model: Path
    template: Path
    folder: Path
    acks: Path
    log: Path

    @classmethod
    def within(cls, root: Path) -> "Place":
        """Paths below a root that exists."""
        return cls(root / "model", root / "template", root / "index", root / "acks", root / "log")

    def restore(self) -> None:
        """The copy, and the acknowledgements, as they were before the operation."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.template.exists():
            shutil.copytree(self.template, self.folder)
        shutil.copy(self.template.with_suffix(".acks"), self.acks)


def play(place: Place, scenario: Scenario, number: int, journal: str) -> None:
    """One operation, the one under attack if `number` is past those before, by a process that opens the folder."""
    force_journal(journal)
    operation = [*scenario.before, scenario.operation][number]
    with opened(place.folder, place.model) as searcher:
        if scenario.killed and number == len(scenario.before):
            PERFORM[operation.name](searcher, operation)  # what is in flight stays so
        else:
            perform(searcher, number, operation, history(place.acks).allowed[0], Acks(place.acks))


def prepare(place: Place, scenario: Scenario, journal: str) -> None:
    """The folder before the operation, under `template`."""
    for path in (place.folder, place.template):
        shutil.rmtree(path, ignore_errors=True)
    saved = place.template.with_suffix(".acks")
    place.acks.unlink(missing_ok=True)
    saved.unlink(missing_ok=True)
    Acks(saved)
    for number, operation in enumerate(scenario.before):
        place.restore()
        task = partial(play, place, scenario, number, journal)
        if operation.name == "old format":
            lay_old(place, journal)
        elif scenario.killed and number == len(scenario.before) - 1:
            assert run(task, place.log) == 0
            written = [call for call in calls(place.log) if call.name == "pwrite64" and f"/{DATABASE}>" in call.text]
            place.restore()
            assert (
                run(task, place.log, "-e", f"inject=pwrite64:signal=SIGKILL:when={written[-1].nth}") == -signal.SIGKILL
            )
            journals = [f"{DATABASE}-journal", f"{DATABASE}-wal"]
            assert any((place.folder / name).exists() and (place.folder / name).stat().st_size for name in journals)
        else:
            code = os.waitstatus_to_exitcode(os.waitpid(fork(task), 0)[1])
            assert code == 0, f"{operation.name} before the fault: exit code {code}"
        shutil.rmtree(place.template, ignore_errors=True)
        shutil.copytree(place.folder, place.template)
        shutil.copy(place.acks, saved)


def lay_old(place: Place, journal: str) -> None:
    """A store as the first version wrote it, and what it holds as acknowledged."""
    place.folder.mkdir()
    with closing(sqlite3.connect(place.folder / DATABASE)) as connection:
        connection.executescript((OLD_FORMAT / "searcher.sql").read_text(encoding="utf-8"))
        connection.execute(f"PRAGMA journal_mode = {journal}")
    shutil.copy(OLD_FORMAT / "vectors.faiss", place.folder)
    shutil.copy(OLD_FORMAT / "acks", place.acks)


def points(log: Path, folder: Path, acks: Path) -> list[Call]:
    """The calls about the folder, up to the acknowledgement."""
    found = calls(log)
    said = [number for number, call in enumerate(found) if call.name == "write" and str(acks) in call.text]
    last = max(said, default=len(found))
    return [call for call in found[:last] if str(folder) in call.text]


def judge(place: Place, journal: str) -> list[str]:
    """What the oracle says, in a process of its own."""
    reader, writer = os.pipe()

    def look() -> None:
        force_journal(journal)
        begun = time.perf_counter()
        lines = verify(place.folder, place.acks, place.model)
        if time.perf_counter() - begun > 5:
            lines.append("opening and looking took more than 5 seconds")
        os.write(writer, json.dumps(lines).encode()[:60_000])

    child = fork(look)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(said) if code == 0 and said else [f"the oracle ended with {code}"]


def kill_at(place: Place, task: Callable[[], None], call: Call, journal: str) -> Iterator[str]:
    """Kill at one call; a line for each violation. On a busy machine a batch ends a call earlier or later: once more."""
    for _ in range(ATTEMPTS):
        place.restore()
        code = run(task, place.log, "-e", f"inject={call.name}:signal=SIGKILL:when={call.nth}")
        reached = killed_at(place.log)
        if reached is not None and (reached.name, reached.on()) == (call.name, call.on()):
            break
    if code != -signal.SIGKILL or reached is None:
        yield f"harness: not killed (exit code {code})"
    elif (reached.name, reached.on()) != (call.name, call.on()):
        yield f"harness: killed at {reached.name}({reached.on()}) instead"
    yield from judge(place, journal)


def attack(name: str, journal: str, place: Place, sample: Callable[[list[Any]], list[Any]]) -> dict[str, Any]:
    """One scenario in one journal: its figures, violations among them."""
    scenario = SCENARIOS[name]
    prepare(place, scenario, journal)
    task = partial(play, place, scenario, len(scenario.before), journal)
    place.restore()
    code = run(task, place.log)
    assert code == 0, f"{name}, {journal}: exit code {code} without any fault"
    found = points(place.log, place.folder, place.acks)
    chosen = sample([call for call in found if call.thread == 0])
    assert (unharmed := judge(place, journal)) == [], unharmed
    begun, violations = time.perf_counter(), []
    for call in chosen:
        for line in kill_at(place, task, call, journal):
            violations.append(f"{name}, {journal}, {call.name} {call.nth} on {call.on()}: {line}")
    return {
        "scenario": name, "journal": journal, "calls": len(found), "kills": len(chosen),
        "by other threads": sum(call.thread > 0 for call in found),
        "violations": violations, "seconds": round(time.perf_counter() - begun, 1),
        "names": dict(Counter(call.name for call in chosen).most_common()),
    }  # fmt: skip


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def warm(place: Place) -> None:
    """Load everything once, so that each child begins with it; what searcher keeps in a home, it keeps here."""
    os.environ["XDG_STATE_HOME"] = str(place.log.with_name("state"))
    save_tiny_bert(place.model)
    Acks(place.acks)
    play(place, SCENARIOS["create"], 0, "delete")
    assert (unharmed := verify(place.folder, place.acks, place.model)) == [], unharmed


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to play, and how much of it."""
    parser.add_argument("scenarios", nargs="*", help=f"all if none is named: {', '.join(SCENARIOS)}")
    parser.add_argument("--journal", choices=JOURNALS)
    parser.add_argument("--sample", type=int, help="so many faults of each scenario and journal; all if left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", default="1/1", help="2/5: the second, seventh, … of the faults that are left")
    parser.add_argument(
        "--root", type=Path, default=Path("/dev/shm"), help="where folders are made; the kernel lives on"
    )


def chooser(given: argparse.Namespace) -> Callable[[list[Any]], list[Any]]:
    """What takes the sample and the part that were asked for out of a list."""
    chance = random.Random(given.seed)
    part, parts = map(int, given.part.split("/"))

    def choose(found: list[Any]) -> list[Any]:
        size = min(given.sample or len(found), len(found))
        return [found[i] for i in sorted(chance.sample(range(len(found)), size))][part - 1 :: parts]

    return choose


def main() -> None:
    """All scenarios asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    given = parser.parse_args()
    absent, results, sample = missing(), [], chooser(given)
    with tempfile.TemporaryDirectory(dir=given.root) as root:
        place = Place.within(Path(root))
        warm(place)
        for name in given.scenarios or SCENARIOS:
            if name in absent:
                say(f"{name}: LEFT OUT, {absent[name]}")
                continue
            for journal in [given.journal] if given.journal else JOURNALS:
                result = attack(name, journal, place, sample)
                results.append(result)
                say(json.dumps(result | {"violations": len(result["violations"])}))
                for line in result["violations"]:
                    say(f"  {line}")
    violations = [line for result in results for line in result["violations"]]
    kills = sum(result["kills"] for result in results)
    say(json.dumps({"kills": kills, "violations": len(violations), "left out": list(absent)}))
    sys.exit(bool(violations) or not kills)


if __name__ == "__main__":
    main()
