"""A seeded list of writes to an index, each announced in a file outside of it before it begins and after it returned.

    python tests/faults/workload.py FOLDER SEED ACKFILE [--journal delete|wal] [--model DIR]

A line of ACKFILE is JSON: {"n", "name", "at": "begin", "steps": the states that may follow, each {id: text}, and so
its last one does} or {"n", "at": "done", "passages": {id: [passage ids]} of what it put there}. A line that stands there
was written before what comes after it in the program, and is on the disk (O_DSYNC).
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

# Threads do not live through a fork, and eight numbers need none.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("SEARCHER_DELTA", "3")  # rows beside the cache file: few, so that every limit is met
os.environ.setdefault("SEARCHER_POSTINGS", "1")  # however few passages there are, the words have their file

from tiny import WORDS, save_tiny_bert

import searcher.ingest.ingest
import searcher.store.database
import searcher.store.schema
from searcher import Searcher
from searcher.errors import SearcherError

State = dict[str, str]  # the caller's id of a document -> its text

BATCH = 3  # documents written in one transaction, so that an `add` takes several
CHUNK_TOKENS = 16  # so that a document has several passages
OLD_FORMAT = Path(__file__).parent / "format1"  # a store as the first version wrote it, its database as SQL


class Operation(NamedTuple):
    """One write: documents put there (those of the same id are replaced), documents removed."""

    name: str
    put: Mapping[str, str] = MappingProxyType({})
    gone: tuple[str, ...] = ()

    def steps(self, state: State) -> list[State]:
        """The states that one transaction after the other makes of a state, in their order."""
        states = [state]
        for first in range(0, len(self.put), BATCH):
            states.append({**states[-1], **dict(list(self.put.items())[first : first + BATCH])})
        if self.gone:
            states.append({key: text for key, text in states[-1].items() if key not in self.gone})
        return states[1:] or states


def add(searcher: Searcher, operation: Operation) -> None:
    """Add or replace documents; some carry enough metadata to fill pages of their own."""
    metadatas = [
        {"length": len(text), "filler": "x" * (9000 if len(key) % 2 else 10)} for key, text in operation.put.items()
    ]
    searcher.add_texts(list(operation.put.values()), ids=list(operation.put), metadatas=metadatas)


def remove(searcher: Searcher, operation: Operation) -> None:
    """Remove documents by id."""
    searcher.remove(ids=operation.gone)


def compact(searcher: Searcher, operation: Operation) -> None:
    """Give freed pages back and leave nothing of what was removed."""
    searcher.compact()


def publish(searcher: Searcher, operation: Operation) -> None:
    """Write the cache file anew."""
    searcher.reindex()


def migrate(searcher: Searcher, operation: Operation) -> None:
    """Whatever the first use of an older store does to it."""
    searcher.check()
    searcher.search("river", k=3)


PERFORM: dict[str, Callable[[Searcher, Operation], None]] = {
    "create": add, "add": add, "update": add, "remove": remove, "compact": compact, "publish": publish,
    "migrate": migrate,
}  # fmt: skip


def missing() -> dict[str, str]:
    """Operations that this version does not have, and why; to be said aloud by whoever leaves them out."""
    absent = {}
    if not hasattr(Searcher, "compact"):
        absent["compact"] = "Searcher has no compact()"
    if getattr(searcher.store.schema, "FORMAT", 1) < 2:
        absent["migrate"] = "format 1 is the newest"
    return absent


def force_journal(journal: str) -> None:
    """Let the product take this journal in this process, whatever version SQLite has."""
    searcher.store.database.has_safe_wal = lambda version: journal == "wal"
    searcher.ingest.ingest.BATCH_DOCUMENTS = BATCH


def opened(folder: Path, model: Path) -> Searcher:
    """A Searcher as any process would make one; dtype given, lest torch be asked what this CPU does best."""
    return Searcher(folder, model, chunk_tokens=CHUNK_TOKENS, dtype="fp32")


def plan(seed: int, length: int = 14) -> Iterator[Operation]:
    """A list of operations that only the seed decides: each kind at least once, the rest at random."""
    chance = random.Random(seed)
    state: State = {}
    names = ["add", "update", "remove", "publish", "compact", "add"]
    names += chance.choices(["add", "update", "remove", "publish", "compact"], [5, 4, 4, 1, 1], k=max(0, length - 7))
    chance.shuffle(names)
    for number, name in enumerate(["create", *names]):
        if name in ("remove", "update") and not state:
            name = "add"
        operation = _operation(name, number, state, chance)
        state = operation.steps(state)[-1]
        yield operation


def _operation(name: str, number: int, state: State, chance: random.Random) -> Operation:
    if name in ("create", "add"):
        keys = [f"{name}-{number}-{'x' * i}" for i in range(chance.randint(1, 7))]
    elif name == "update":
        keys = chance.sample(sorted(state), min(len(state), chance.randint(1, 4)))
    else:
        keys = []
    put = {
        key: f"number {number} {key} " + " ".join(chance.choices(WORDS, k=chance.choice([3, 10, 60]))) for key in keys
    }
    gone = tuple(chance.sample(sorted(state), min(len(state), chance.randint(1, 3)))) if name == "remove" else ()
    return Operation(name, put, gone)


class Acks:
    """The file of acknowledgements: a line is whole and on the disk when `say` returns."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_DSYNC, 0o600)

    def say(self, **values: Any) -> None:
        """One line in one write."""
        os.write(self.file, json.dumps(values).encode() + b"\n")


def perform(searcher: Searcher, number: int, operation: Operation, state: State, acks: Acks) -> State:
    """One operation between its two lines; the state it leaves."""
    steps = operation.steps(state)
    acks.say(n=number, name=operation.name, at="begin", steps=steps)
    PERFORM[operation.name](searcher, operation)
    passages = {key: [row.passage_id for row in searcher.passages(key)] for key in operation.put}
    acks.say(n=number, at="done", passages=passages)
    return steps[-1]


def main() -> None:
    """The whole list, in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("seed", type=int)
    parser.add_argument("acks", type=Path)
    parser.add_argument("--journal", choices=["delete", "wal"], default="delete")
    parser.add_argument("--model", type=Path, help="made anew if left out")
    given = parser.parse_args()
    force_journal(given.journal)
    absent, acks, state = missing(), Acks(given.acks), State()
    with tempfile.TemporaryDirectory() as place:
        os.environ.setdefault("XDG_STATE_HOME", place)
        model = given.model or save_tiny_bert(Path(place) / "model")
        with opened(given.folder, model) as searcher:
            for number, operation in enumerate(plan(given.seed)):
                if operation.name in absent:
                    sys.stderr.write(f"left out: {operation.name} ({absent[operation.name]})\n")
                    continue
                try:
                    state = perform(searcher, number, operation, state, acks)
                except SearcherError as fault:
                    sys.exit(f"operation {number}, {operation.name}: {fault}")


if __name__ == "__main__":
    main()
