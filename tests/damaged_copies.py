"""Damaged copies of an index, each made from a short description; run as a script it asks them, under limits of its own.

A crash then ends only the script, and its last line names the copy. Nothing here loads a model or torch.
"""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from searcher import Searcher
from searcher.errors import SearcherError
from searcher.records import Passage

DATABASE = "searcher.db"
MEMORY = 3 * 2**30  # bytes of address space
SECONDS = 20  # for one copy
# What `check` answers for: every column but documents.file, and neither head, files nor metadata_keys; layout is JSON, of
# which the meaning counts.
CHECKED = {
    "settings": "SELECT key, value FROM settings ORDER BY key",
    "documents": "SELECT id, source, key, kind, title, metadata, passages, characters, crc, digest, text,"
    " CASE WHEN json_valid(layout) THEN json(layout) ELSE layout END FROM documents ORDER BY id",
    "passages": "SELECT * FROM passages ORDER BY id",
    "vectors": "SELECT * FROM vectors ORDER BY id",
    "metadata_values": "SELECT path, kind, value, document FROM metadata_values ORDER BY path, kind, value, document",
    "spans": "SELECT * FROM spans ORDER BY document",
}

# -- damage: a description such as ["cut", 100] or ["any", seed], and bytes → other bytes


def _place(data: bytes, chance: random.Random) -> int:
    """Any byte, or as often one that is not zero: much of a small database is empty."""
    if chance.random() < 0.5:
        return chance.randrange(len(data))
    return int(chance.choice(np.flatnonzero(np.frombuffer(data, dtype=np.uint8))))


def _over(data: bytes, place: int, new: bytes) -> bytes:
    return (data[:place] + new + data[place + len(new) :])[: len(data)]


def _page(data: bytes, number: int) -> bytes:
    size = int.from_bytes(data[16:18], "big")
    return data[number * size : (number + 1) * size]


def _exchange(data: bytes, chance: random.Random, both: bool) -> bytes:
    size = int.from_bytes(data[16:18], "big")
    first, second = chance.sample(range(len(data) // size), 2)
    changed = _over(data, first * size, _page(data, second))
    return _over(changed, second * size, _page(data, first)) if both else changed


RANDOM: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "a bit": lambda data, chance: flip(data, _place(data, chance), chance.randrange(8)),
    "a byte": lambda data, chance: _over(data, _place(data, chance), bytes([chance.randrange(256)])),
    "bits": lambda data, chance: _over(data, at := _place(data, chance), bytes([data[at] ^ chance.randrange(1, 256)])),
    "three bits": lambda data, chance: RANDOM["a bit"](
        RANDOM["a bit"](RANDOM["a bit"](data, chance), chance), chance
    ),
    "zeros": lambda data, chance: _over(data, _place(data, chance), bytes(chance.choice([4, 16, 64, 512, 4096]))),
    "ones": lambda data, chance: _over(data, _place(data, chance), b"\xff" * chance.choice([2, 8, 64])),
    "noise": lambda data, chance: _over(data, _place(data, chance), chance.randbytes(chance.choice([4, 32, 512]))),
    "pages exchanged": lambda data, chance: _exchange(data, chance, both=True),
    "a page twice": lambda data, chance: _exchange(data, chance, both=False),
    "cut": lambda data, chance: data[: chance.randrange(len(data))],
    "cut at a page": lambda data, chance: data[: len(data) // 4096 // 2 * chance.randrange(2, 4096)],
}  # fmt: skip


def flip(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def damaged(data: bytes, description: Sequence[Any]) -> tuple[str, bytes]:
    """The kind of damage, and the bytes that it leaves."""
    kind, *values = description
    if kind == "any":
        chance = random.Random(values[0])
        kind = chance.choice(sorted(RANDOM))
        return kind, RANDOM[kind](data, chance)
    return kind, {"cut": lambda length: data[:length], "flip": lambda place, bit: flip(data, place, bit)}[kind](*values)


# -- what a copy is asked

ASKED: dict[str, Callable[[Searcher, np.ndarray, list[str]], Any]] = {
    "search": lambda searcher, queries, _: _hits(searcher.search(queries, 10**6)),
    "few": lambda searcher, queries, _: _hits(searcher.search(queries, 3)),
    "where": lambda searcher, queries, _: _hits(searcher.search(queries, 10**6, "lang = 'en' and not n is null")),
    "where not": lambda searcher, queries, _: _hits(searcher.search(queries, 10**6, {"lang": ["de", None]})),
    "where id": lambda searcher, queries, keys: _hits(searcher.search(queries, 10**6, {"id": keys[:2]})),
    "where line": lambda searcher, queries, _: _hits(
        searcher.search(queries, 10**6, "line > 1 or section is not null")
    ),
    "similar": lambda searcher, _, keys: _hits([searcher.similar(keys[0], 10**6)]),
    "document": lambda searcher, _, keys: [str(searcher.document(key)) for key in keys],
    "passages": lambda searcher, _, keys: [str(row) for key in keys for row in searcher.passages(key)],
    "status": lambda searcher, *_: searcher.status()["documents"],
    "check": lambda searcher, *_: searcher.check(),
    "write": lambda searcher, queries, keys: _written(searcher, queries, keys),
}


def _hits(answers: list[list[Passage]]) -> list[str]:
    """All but the rank, which says nothing that the order does not."""
    return [f"{number}: {replace(hit, rank=0)}" for number, hits in enumerate(answers) for hit in hits]


def _written(searcher: Searcher, queries: np.ndarray, keys: list[str]) -> list[str]:
    """What else there is after a text was added and another removed."""
    searcher.add_texts(["near the river"], ids=["new"])
    searcher.remove(ids=keys[1])
    return [hit for hit in _hits(searcher.search(queries, 10**6)) if "id='new'" not in hit]


def answers(searcher: Searcher, job: dict[str, Any]) -> dict[str, Any]:
    """Question → answer, "error" where it is one of ours; any other exception is named."""
    found: dict[str, Any] = {}
    for name in job.get("questions", ASKED):
        try:
            found[name] = ASKED[name](searcher, np.array(job["queries"]), job["keys"])
        except SearcherError as fault:
            found[name] = "error" if "\n" not in str(fault) else f"more than a line: {fault}"
        except Exception as fault:
            found[name] = f"{type(fault).__name__}: {fault}"
    return found


def opened(folder: Path, job: dict[str, Any]) -> tuple[Searcher | None, dict[str, Any]]:
    """A Searcher, or why there is none, for each question."""
    try:
        return Searcher(folder), {}
    except SearcherError:
        return None, dict.fromkeys(job.get("questions", ASKED), "error")
    except Exception as fault:
        return None, {"open": f"{type(fault).__name__}: {fault}"}


def content(folder: Path) -> Any:
    """All rows that `check` answers for as SQLite reads them, None where it cannot."""
    connection = sqlite3.connect(folder / DATABASE)
    connection.text_factory = bytes
    try:
        return {table: connection.execute(query).fetchall() for table, query in CHECKED.items()}
    except (sqlite3.Error, UnicodeDecodeError, MemoryError):  # the error's own text; a length that is damaged
        return None
    finally:
        connection.close()


def faults(sound: dict[str, Any], found: dict[str, Any], changed: bool, may_fail: bool) -> dict[str, str]:
    """Question → what is wrong with its answer."""
    wrong = {}
    for name, answer in found.items():
        if answer == "error":
            if not may_fail:
                wrong[name] = "an error"
        elif isinstance(answer, str):
            wrong[name] = answer
        elif name == "check":
            if changed and not answer:
                wrong[name] = "nothing found"
            elif answer and not may_fail:
                wrong[name] = f"found {answer}"
        elif name != "status" and answer != sound[name]:
            rest = iter(sound[name])
            wrong[name] = "misses some" if all(each in rest for each in answer) else "another answer"
    return wrong


# -- the script


def main(job: dict[str, Any]) -> None:
    """Make and ask each copy; a line of JSON before it, and one with what is wrong after it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    whole, work, file = Path(job["folder"]), Path(job["work"]), job["file"]
    rows, data = content(whole), (whole / file).read_bytes()
    sound = answers(Searcher(_copied(whole, work)), job)  # a copy: asking may write
    for description in job["descriptions"]:
        sys.stdout.write(json.dumps({"begun": description}) + "\n")
        sys.stdout.flush()
        signal.alarm(SECONDS)
        _copied(whole, work)
        searcher = None
        if job["live"]:
            searcher = Searcher(work)
            answers(searcher, job)
        kind, changed = damaged(data, description)
        (work / file).write_bytes(changed)
        if file == DATABASE and description[-1] % 2:
            for cache in work.glob("vectors*"):
                cache.unlink()
        differs = file == DATABASE and content(work) != rows
        found: dict[str, Any] = {}
        if searcher is None:
            searcher, found = opened(work, job)
        if searcher is not None:
            found = answers(searcher, job)
            searcher.close()
        wrong = faults(sound, found, differs, job["may_fail"])
        line = {"kind": kind, "outcome": outcome(found), "wrong": wrong}
        sys.stdout.write(json.dumps(line) + "\n")


def outcome(found: dict[str, Any]) -> str:
    """How far the damage was felt."""
    failed = [name for name, answer in found.items() if answer == "error"]
    if len(failed) == len(found):
        return "nothing works"
    return (
        "search fails"
        if "search" in failed
        else "others fail"
        if failed
        else "found by check"
        if found.get("check")
        else "unnoticed"
    )


def _copied(whole: Path, work: Path) -> Path:
    shutil.rmtree(work, ignore_errors=True)
    return shutil.copytree(whole, work)


def ask_in_a_child(job: dict[str, Any]) -> list[dict[str, Any]]:
    """What the script finds of each description; one that killed it, or took too long, has that as its fault."""
    lines: list[dict[str, Any]] = []
    left = list(job["descriptions"])
    while left:
        command = [sys.executable, "-W", "ignore", __file__]
        child = subprocess.run(
            command, input=json.dumps(job | {"descriptions": left}), capture_output=True, text=True, check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        found = [json.loads(line) for line in child.stdout.splitlines()]
        done = [line | begun for begun, line in zip(found[::2], found[1::2], strict=False)]
        lines += done
        left = left[len(done) :]
        if child.returncode:
            assert len(found) % 2, child.stderr
            lines.append(found[-1] | {"wrong": {"process": f"ended with {child.returncode}: {child.stderr[-5000:]}"}})
            left = left[1:]
    return lines


if __name__ == "__main__":
    main(json.load(sys.stdin))
