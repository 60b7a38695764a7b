"""The local engine as a whole: what is wrong in it, and how it is made sound or smaller again."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from searcher.engines.described import bytes_of
from searcher.engines.local import LocalEngine
from searcher.errors import DamagedIndex
from searcher.store import DATABASE, KEYWORD_FAULT, repair_database

__all__ = ["Repair", "check", "compact", "repair"]

Open = Callable[[], LocalEngine]  # opens the engine, or gives the one that is open; DamagedIndex if it cannot be


class Repair(NamedTuple):
    """What a repair did. findings: what was wrong; lost: a line for each document that must be added again; kept: the
    damaged database, None if only the cache was made anew.
    """

    findings: list[str]
    lost: list[str]
    kept: Path | None


def check(engine: Open) -> list[str]:
    """A line for each fault found in the stored data, or else in the cache; none when all is well."""
    return _faults(engine) or engine().check_files() + engine().tokens.findings()


def _faults(engine: Open) -> list[str]:
    try:
        return engine().check()
    except DamagedIndex as fault:  # so broken that it cannot be opened
        return [str(fault)]


def repair(folder: Path, engine: Open, close: Callable[[], None]) -> Repair:
    """Make the index in a folder sound again: the cache anew, and if the database is damaged, a new one of all the
    documents that are sound, under their ids. The damaged one is kept beside it. close: lets go of the engine.

    Raises DamagedIndex where nothing can be saved, IndexUnavailable while others use it; nothing is changed then.
    """
    faults = _faults(engine)
    findings = faults or engine().check_files()
    tokens = [] if faults else engine().tokens.findings()
    lost: list[str] = []
    kept = None
    if faults == [KEYWORD_FAULT]:
        with suppress(DamagedIndex):
            engine().rebuild_keywords()
            faults = []
    if faults:
        close()
        lost, kept = repair_database(folder / DATABASE)
    if findings:
        engine().rebuild()
    if tokens:  # what is damaged is computed anew by the next add, or where it is needed
        engine().remake_tokens()
    return Repair(findings + tokens, lost, kept)


def compact(engine: LocalEngine) -> int:
    """Write the files anew without the room and the traces of what was removed; the bytes it gave back."""
    before = bytes_of(engine.folder)
    engine.rebuild_keywords()
    engine.database.vacuum()
    if engine.tokens.exist():
        engine.tokens.leave(engine.passage_ids())
        engine.tokens.vacuum()
    engine.rebuild()
    return before - bytes_of(engine.folder)
