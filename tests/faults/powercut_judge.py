"""Disks held against the oracle: equal ones once, each in a folder in memory, and what was found there."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import faiss
from oracle import verify
from replay import Disk
from workload import force_journal

import searcher.ingest.ingest
import searcher.store.database

__all__ = ["ACKS", "INDEX", "Findings", "Judge", "one_thread", "place", "settled"]

INDEX, ACKS = "index", "acks"
MEMORY = Path("/dev/shm")


@dataclass
class Findings:
    """What was looked at and what was found. violations: what a disk was, and the oracle's lines."""

    events: int = 0
    cuts: int = 0
    disks: int = 0
    different: int = 0
    in_recovery: int = 0
    seconds: float = 0.0
    violations: list[tuple[str, list[str]]] = field(default_factory=list)

    def line(self) -> str:
        """All in one line."""
        return (
            f"{self.disks} disks ({self.different} different, {self.in_recovery} cut again in recovery) at {self.cuts}"
            f" of {self.events} events, {len(self.violations)} bad, {self.seconds:.1f} s"
        )


class Judge:
    """Holds disks against the oracle, equal ones once."""

    def __init__(self, folder: Path, model: Path, findings: Findings, keep: Path | None = None) -> None:
        self.folder, self.model, self.findings, self.keep = folder, model, findings, keep
        self.known: dict[tuple[bytes, int], list[str]] = {}

    def judge(self, disk: Disk, acks: list[str], moment: str) -> None:
        """Enter what is wrong with a disk."""
        key = disk.digest(), len(acks)
        self.findings.disks += 1
        if key in self.known:
            return
        self.findings.different += 1
        self.known[key] = lines = self._verify(disk, acks)
        if lines:
            self.findings.violations.append((f"{moment}; {disk.made_by}", lines))
            if self.keep:
                bad = self.keep / f"{len(self.findings.violations):05}"
                bad.mkdir(parents=True)
                disk.put(bad)
                (bad / ACKS).write_text("\n".join([*acks, ""]), encoding="utf-8")
                (bad / "violations").write_text("\n".join([moment, disk.made_by, *lines, ""]), encoding="utf-8")

    def _verify(self, disk: Disk, acks: list[str]) -> list[str]:
        self.folder.mkdir()
        try:
            disk.put(self.folder)
            return verify(self.folder / INDEX, acks, self.model)
        except Exception as fault:  # no program of ours may stop with anything but its own errors
            return [f"unexpected {type(fault).__name__}: {fault}"]
        finally:
            shutil.rmtree(self.folder)


def place() -> Path:
    """A new folder in memory, where there is one."""
    return Path(tempfile.mkdtemp(prefix="searcher-faults-", dir=MEMORY if MEMORY.is_dir() else None)).resolve()


@contextmanager
def settled(journal: str, home: Path) -> Iterator[None]:
    """The product with that journal, and with nothing kept outside of `home`; as it was afterwards."""
    kept = (
        patch.object(searcher.store.database, "has_safe_wal"),
        patch.object(searcher.ingest.ingest, "BATCH_DOCUMENTS", 0),
    )
    with kept[0], kept[1], patch.dict(os.environ, XDG_STATE_HOME=str(home / "state")):
        force_journal(journal)
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS on one thread: for a few vectors it would wait for the others most of the time."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
