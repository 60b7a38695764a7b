"""What finds a bug: power cuts, damage, a foreign cache, another writer. Each gives a line for each promise broken.

    python tests/faults/bugs_found.py DETECTOR [--bug NAME]

Every detector runs on the product as it is too, and must find nothing there.
"""

import argparse
import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from bugs import BUGS, broken
from powercut import power_cuts
from powercut_judge import one_thread, place, settled
from tiny import save_tiny_bert
from workload import opened

from searcher import Searcher
from searcher.errors import SearcherError

TEXTS = {f"text-{n}": f"{word} is near the river {n}" for n, word in enumerate("bank boat town we open".split())}
MORE = {f"more-{n}": f"{word} passage of the vector index" for n, word in enumerate("one two three".split())}
OTHERS = {f"more-{n}": f"{word} account and money" for n, word in enumerate("our question answer".split())}

Answers = list[list[tuple[str, float]]]


def cut(bug: str | None, journal: str) -> list[str]:
    """Power cuts in a workload: a few disks at every moment, then many at some, until one is bad."""
    for moments, disks in ((None, 6), (40, 150)):
        found = power_cuts(0, journal, at=moments, disks=disks, bug=bug, enough=1).violations
        if found:
            return [f"{where}: {line}" for where, lines in found for line in lines]
    return []


@contextmanager
def made(bug: str | None) -> Iterator[tuple[Path, Path]]:
    """An index of a few texts and its model, in a product with a bug."""
    folder = place()
    try:
        with broken(bug), settled("delete", folder), one_thread():
            model = save_tiny_bert(folder / "model")
            with opened(folder / "index", model) as searcher:
                searcher.add_texts(list(TEXTS.values()), ids=list(TEXTS))
            yield folder / "index", model
    finally:
        shutil.rmtree(folder)


def answers(searcher: Searcher, queries: np.ndarray) -> Answers:
    """The three nearest texts to each query."""
    return [[(hit.text, round(hit.score, 5)) for hit in hits] for hits in searcher.search(queries, k=3)]


def exact(searcher: Searcher, queries: np.ndarray) -> Answers:
    """The same by numpy, from the rows."""
    rows = list(searcher.engine.rows(searcher.engine.passage_ids()).values())
    scores = queries @ np.stack([row.vector for row in rows]).T
    return [
        [(rows[at].text, round(float(line[at]), 5)) for at in np.argsort(-line, kind="stable")[:3]] for line in scores
    ]


def damaged_cache(bug: str | None) -> list[str]:
    """Bits of the vectors in the cache file flipped: no answer may change."""
    return _flipped(bug, "vectors.faiss", lambda vector, text: vector)


def damaged_rows(bug: str | None) -> list[str]:
    """Bits of the texts and vectors in the database flipped: the answer, or an error that says so."""
    return [
        *_flipped(bug, "searcher.db", lambda v, text: text),
        *_flipped(bug, "searcher.db", lambda vector, t: vector),
    ]


def _flipped(bug: str | None, name: str, part: Callable[[bytes, bytes], bytes]) -> list[str]:
    chance, found = random.Random(0), []
    with made(bug) as (folder, model):
        with opened(folder, model) as searcher:
            _, queries = searcher.engine.vectors()
            right = answers(searcher, queries)
            parts = [part(row.vector.tobytes(), row.text.encode()) for key in TEXTS for row in searcher.passages(key)]
        whole = (folder / name).read_bytes()
        for _ in range(150):
            piece = chance.choice(parts)
            at, bit = chance.choice(_places(whole, piece)) + chance.randrange(len(piece)), chance.randrange(8)
            (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            try:
                with opened(folder, model) as searcher:
                    given = answers(searcher, queries)
            except SearcherError:
                if name == "searcher.db":
                    continue
                given = []
            if given != right:
                found.append(f"bit {bit} of byte {at} of {name}: {given} instead of {right}")
    return found


def _places(whole: bytes, piece: bytes) -> list[int]:
    places, at = [], whole.find(piece)
    while at >= 0:
        places.append(at)
        at = whole.find(piece, at + 1)
    return places


def foreign_cache(bug: str | None) -> list[str]:
    """Two copies of an index, to each of which something else is added; the cache of one put into the other."""
    with made(bug) as (folder, model):
        twin = Path(shutil.copytree(folder, folder.with_name("twin")))
        for copy, texts in ((folder, MORE), (twin, OTHERS)):
            with opened(copy, model) as searcher:
                searcher.add_texts(list(texts.values()), ids=list(texts))
                searcher.reindex()
        shutil.copy(twin / "vectors.faiss", folder / "vectors.faiss")
        with opened(folder, model) as searcher:
            _, queries = searcher.engine.vectors()
            given, right = answers(searcher, queries), exact(searcher, queries)
        return [f"{one} instead of {other}" for one, other in zip(given, right, strict=True) if one != other]


def another_writer(bug: str | None) -> list[str]:
    """One has searched already when another adds and removes."""
    with made(bug) as (folder, model), opened(folder, model) as reader, opened(folder, model) as writer:
        found = []
        for change in (
            lambda: writer.add_texts(list(MORE.values()), ids=list(MORE)),
            lambda: writer.remove(ids=["text-0", "more-1"]),
        ):
            reader.search("river", k=3)
            change()
            _, queries = writer.engine.vectors()
            try:
                given, right = answers(reader, queries), exact(reader, queries)
                found += [f"{one} instead of {other}" for one, other in zip(given, right, strict=True) if one != other]
            except SearcherError as fault:
                found.append(str(fault))
        return found


DETECTORS: dict[str, Callable[[str | None], list[str]]] = {
    "power cut, delete": partial(cut, journal="delete"),
    "power cut, wal": partial(cut, journal="wal"),
    "damaged cache": damaged_cache,
    "damaged rows": damaged_rows,
    "cache of another history": foreign_cache,
    "another writer": another_writer,
}


def main() -> None:
    """What was found, line by line, and one JSON object at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("detector", choices=DETECTORS)
    parser.add_argument("--bug", choices=BUGS)
    given = parser.parse_args()
    found = DETECTORS[given.detector](given.bug)
    sys.stdout.write("".join(f"{line}\n" for line in found[:20]) + json.dumps({"found": len(found)}) + "\n")


if __name__ == "__main__":
    main()
