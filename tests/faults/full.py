"""A full disk and a failing one, at every call that writes: the error says so, and what was there is still searched.

    python tests/faults/full.py [SCENARIO…] [--fault strace|limit|tmpfs] [--journal delete|wal] [--sample N --seed S]

strace: ENOSPC, EIO, and ENOSPC from then on, at each call; limit: 50 sizes that no file may pass (RLIMIT_FSIZE); tmpfs:
a file system with so many pages left. Then the fault ends, in the same process, and everything has to work.
"""

import argparse
import json
import mmap
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import oracle
from kill import JOURNALS, SCENARIOS, Place, Scenario, add_options, chooser, judge, prepare, say, warm
from traced import Call, attach, calls, fork, run
from workload import PERFORM, Acks, State, force_journal, missing, opened

from searcher.errors import IndexUnavailable, SearcherError

WRITES = set(
    "write pwrite64 pwritev writev fsync fdatasync ftruncate truncate fallocate rename renameat renameat2 link linkat"
    " openat unlink unlinkat mkdir mkdirat chmod fchmod copy_file_range sendfile".split()
)
LASTING = {"write", "pwrite64", "ftruncate", "fallocate"}  # those that a full disk refuses again and again
ENDED = "/the-operation-has-ended"  # looked for, so that it stands in the log
# A rollback journal is put back by writing, a WAL is read through a file that has to be made: where every write is
# refused, a search may have to say so. On a disk that is merely full, a rollback journal is always put back.
UNREAD = "IndexUnavailable: "
LIMITS, TMPFS_SIZES, ROOM = 50, 50, "64m"


class Fault(NamedTuple):
    """What it is called, what starts it and ends it inside the process, and strace's part in it."""

    name: str
    start: Callable[[], object] = lambda: None
    end: Callable[[], object] = lambda: None
    strace: tuple[str, ...] = ()
    on: str = ""
    unread: tuple[str, ...] = ()  # journals under which nothing can be read while it lasts, see README.md


class Shared:
    """A few lines from a child that may not write to any file."""

    def __init__(self) -> None:
        self.memory = mmap.mmap(-1, 1 << 16)

    def put(self, value: Any) -> None:
        """What `get` returns in the parent."""
        data = json.dumps(value).encode()[: (1 << 16) - 8]
        self.memory[8 : 8 + len(data)] = data
        self.memory[0:8] = len(data).to_bytes(8, "little")

    def get(self) -> Any:
        """What was put last, None if nothing was."""
        size = int.from_bytes(self.memory[0:8], "little")
        return json.loads(self.memory[8 : 8 + size]) if size else None


def suffer(place: Place, scenario: Scenario, journal: str, fault: Fault, shared: Shared) -> None:
    """The operation under the fault; what can be seen meanwhile; the operation again when the fault is over."""
    force_journal(journal)
    number, operation, violations = len(scenario.before), scenario.operation, []
    state, acks = oracle.history(place.acks).allowed[0], Acks(place.acks)
    steps = operation.steps(state)
    acks.say(n=number, name=operation.name, at="begin", steps=steps)
    fault.start()
    searcher = None
    try:
        searcher = opened(place.folder, place.model)
        PERFORM[operation.name](searcher, operation)
        outcome = "done"
    except SearcherError as error:
        outcome = str(error)
        if "\n" in outcome:
            violations.append(f"an error of several lines: {outcome!r}")
    except BaseException as error:
        outcome = f"{type(error).__name__}: {error}"
        violations.append(f"an error that is not ours: {outcome}")
    Path(ENDED).exists()
    allowed = steps[-1:] if outcome == "done" else [state, *steps]
    lines = [] if searcher is None else list(seen(searcher, allowed))
    unread = journal in fault.unread and any(line.startswith(UNREAD) for line in lines)
    violations += [f"I8, the fault lasts: {line}" for line in lines if not (unread and line.startswith(UNREAD))]
    shared.put("stopped")
    fault.end()
    if searcher is None:
        searcher = opened(place.folder, place.model)
    violations += [f"I8, the fault is over: {line}" for line in seen(searcher, allowed)]
    if outcome != "done" and contents(searcher)[1] != steps[-1]:
        PERFORM[operation.name](searcher, operation)
    violations += [f"done again: {line}" for line in seen(searcher, steps[-1:])]
    searcher.close()
    acks.say(n=number, at="done", passages={})
    shared.put({"outcome": outcome, "unread": unread, "violations": violations})


def contents(searcher: Any) -> tuple[oracle.Passages, State]:
    """All that can be read; nothing where there is no index yet."""
    try:
        return oracle.contents(searcher)
    except IndexUnavailable as fault:
        if "no index in" in str(fault):
            return {}, {}
        raise


def seen(searcher: Any, allowed: list[State]) -> Iterator[str]:
    """What a search in the same process finds, against what may be there."""
    try:
        found, state = contents(searcher)
        yield from oracle.acknowledged(state, allowed)
        if found:
            yield from oracle.searches(searcher, found)
    except Exception as fault:
        yield f"{type(fault).__name__}: {fault}"


def under(place: Place, scenario: Scenario, journal: str, fault: Fault) -> tuple[set[str], list[str]]:
    """What can be said of the operation under a fault, and violations."""
    shared = Shared()
    if not fault.strace:
        child = fork(partial(suffer, place, scenario, journal, fault, shared))
    else:
        over = Shared()

        def wait() -> None:
            while over.get() is None:
                time.sleep(0.001)

        child = fork(partial(suffer, place, scenario, journal, fault._replace(end=wait), shared), stopped=True)
        tracer = attach(child, place.log, *fault.strace)
        while shared.get() is None and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.001)
        tracer.terminate()  # it lets go of the child
        tracer.communicate()
        over.put("over")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said = shared.get()
    if code != 0 or not isinstance(said, dict):
        return {"ended"}, [f"the process ended with {code}"]
    violations = said["violations"]
    if fault.strace and "(INJECTED)" not in place.log.read_text(encoding="utf-8", errors="replace"):
        violations.append("harness: nothing was injected")
    if said["outcome"] != "done" and ".faiss" in fault.on:
        violations.append(f"a failing cache file failed the operation: {said['outcome']}")
    words = {"done" if said["outcome"] == "done" else "refused"} | ({"unread meanwhile"} if said["unread"] else set())
    return words, violations + judge(place, journal)


def by_strace(place: Place, scenario: Scenario, journal: str) -> list[Fault]:
    """An error at each call that writes."""
    place.restore()
    assert run(partial(suffer, place, scenario, journal, Fault("none"), Shared()), place.log) == 0
    found = calls(place.log)
    last = next(number for number, call in enumerate(found) if ENDED in call.text)
    chosen = [
        call for call in found[:last] if call.name in WRITES and str(place.folder) in call.text and not call.thread
    ]
    return [
        _injected(call, error, more)
        for call in chosen
        for error, more in [("ENOSPC", ""), ("EIO", ""), *([("ENOSPC", "+")] if call.name in LASTING else [])]
    ]


def _injected(call: Call, error: str, more: str) -> Fault:
    option = f"inject={call.name}:error={error}:when={call.nth}{more}"
    name = f"{error}{more} at {call.name} {call.nth} on {call.on()}"
    return Fault(name, strace=("-e", option), on=call.on(), unread=JOURNALS if more else ())


def by_limit(place: Place, scenario: Scenario, journal: str) -> list[Fault]:
    """Sizes up to that of the largest file that the operation makes."""
    largest = max(file.stat().st_size for file in _after(place, scenario, journal))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    allow = partial(resource.setrlimit, resource.RLIMIT_FSIZE)
    sizes = [largest * i // LIMITS for i in range(LIMITS)]
    return [
        Fault(
            f"no file above {size} bytes",
            partial(allow, (size, hard)),
            partial(allow, (hard, hard)),
            unread=JOURNALS,
        )
        for size in sizes
    ]


def _after(place: Place, scenario: Scenario, journal: str) -> list[Path]:
    place.restore()
    task = partial(suffer, place, scenario, journal, Fault("none"), Shared())
    assert os.waitpid(fork(task), 0)[1] == 0
    return [file for file in place.folder.iterdir() if file.is_file()]


def by_tmpfs(place: Place, scenario: Scenario, journal: str) -> list[Fault]:
    """From no page left to twice as many as the operation's files have."""
    pages = sum(-(-file.stat().st_size // 4096) for file in _after(place, scenario, journal))
    return [Fault(f"{2 * pages * i // TMPFS_SIZES} pages left", unread=("wal",)) for i in range(TMPFS_SIZES)]


def mounted(place: Place, scenario: Scenario, journal: str, fault: Fault) -> tuple[set[str], list[str]]:
    """As `under`, with the folder in a file system of its own that has so much left."""
    disk = place.log.with_name("disk")
    disk.mkdir(exist_ok=True)

    def resize(size: object) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)

    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk)], check=True)
    try:
        inside = place._replace(folder=disk / "index")
        inside.restore()
        usage = os.statvfs(disk)
        left = int(fault.name.split()[0])
        resize(max((usage.f_blocks - usage.f_bfree + left) * usage.f_frsize, usage.f_frsize))
        return under(inside, scenario, journal, fault._replace(end=partial(resize, ROOM)))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


FAULTS = {"strace": by_strace, "limit": by_limit, "tmpfs": by_tmpfs}


def attack(
    name: str, journal: str, kind: str, place: Place, sample: Callable[[list[Any]], list[Any]]
) -> dict[str, Any]:
    """One scenario, journal and kind of fault: its figures, violations among them."""
    scenario, violations, outcomes = SCENARIOS[name], [], Counter[str]()
    prepare(place, scenario, journal)
    faults = sample(FAULTS[kind](place, scenario, journal))
    suffered = mounted if kind == "tmpfs" else under
    begun = time.perf_counter()
    for fault in faults:
        place.restore()
        words, lines = suffered(place, scenario, journal, fault)
        outcomes.update(words)
        violations += [f"{name}, {journal}, {fault.name}: {line}" for line in lines]
    return {
        "scenario": name, "journal": journal, "fault": kind, "faults": len(faults), **outcomes,
        "violations": violations, "seconds": round(time.perf_counter() - begun, 1),
    }  # fmt: skip


def may_mount() -> bool:
    """Whether this process may mount a file system."""
    with tempfile.TemporaryDirectory() as place:
        if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True).returncode:
            return False
        subprocess.run(["umount", place], check=True)
        return True


def main() -> None:
    """All scenarios and faults asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--fault", choices=FAULTS)
    given = parser.parse_args()
    absent, results, sample = missing(), [], chooser(given)
    kinds = [given.fault] if given.fault else list(FAULTS)
    if "tmpfs" in kinds and not may_mount():
        say("tmpfs: LEFT OUT, this process may not mount")
        kinds.remove("tmpfs")
    with tempfile.TemporaryDirectory(dir=given.root) as root:
        place = Place.within(Path(root))
        warm(place)
        for name in given.scenarios or [name for name in SCENARIOS if name != "recover"]:
            if name in absent:
                say(f"{name}: LEFT OUT, {absent[name]}")
                continue
            for journal in [given.journal] if given.journal else JOURNALS:
                for kind in kinds:
                    result = attack(name, journal, kind, place, sample)
                    results.append(result)
                    say(json.dumps(result | {"violations": len(result["violations"])}))
                    for line in result["violations"]:
                        say(f"  {line}")
    violations = [line for result in results for line in result["violations"]]
    faults = sum(result["faults"] for result in results)
    say(json.dumps({"faults": faults, "violations": len(violations), "left out": list(absent)}))
    sys.exit(bool(violations) or not faults)


if __name__ == "__main__":
    main()
