"""What does a filter cost, from its text to the ids of the passages that it lets through, among 600,000 passages?

    python benchmarks/filters.py [--documents 100000] [--keep DIR] [--rounds 9]

Documents of six passages with metadata that was drawn: nothing is embedded, vectors have four numbers, no data is needed.
Each filter is asked of SQLite anew in every round, with what is kept between questions (the spans of all documents) in
memory, as in a searcher that has been asked before. It is the time of the CPU, of one core. A filter that this version cannot read is left out, so that versions
can be compared: the same command on either, in turn.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
from common import report

from searcher import filters
from searcher.embedding import IndexSettings
from searcher.errors import SearcherError
from searcher.records import Chunk, Document, Prepared
from searcher.store import Store

PER_DOCUMENT = 6  # passages
BATCH = 5_000  # documents written in one transaction
LANGUAGES = ["en", "de", "fr", "es", "ja"]
SETTINGS = IndexSettings(
    "drawn", "", "", {}, "mean", [-1], "", True, "", "", True, dimension=4, chunk_tokens=64, overlap=0
)  # fmt: skip
WHERE: dict[str, Any] = {
    "equal, 1 of all": "number = 4711",
    "equal, a fifth": "lang = 'en'",
    "unequal, four fifths": "lang != 'en'",
    "range, 0.1 %": "share <= 0.1",
    "range, 10 %": "share <= 10",
    "range, all": "share <= 100",
    "like": "title like '%99%'",
    "of passages": "line >= 1",
    "and": "lang = 'en' and share <= 10 and not number < 50000",
    "in, 1,000 ids": {"id": [f"id {number}" for number in range(1000)]},
    "in, 10,000 ids": {"id": [f"id {number}" for number in range(10_000)]},
    "in, 10,000 ids as text": "id in (" + ", ".join(f"'id {number}'" for number in range(10_000)) + ")",
    "in, 200,000 ids": {"id": [f"id {number}" for number in range(200_000)]},
    "in, 200,000 ids as text": "id in (" + ", ".join(f"'id {number}'" for number in range(200_000)) + ")",
    "element of a list": "'tag 7' in tags",
    "no element of a list": "tags != 'tag 7'",
    "contains": "title contains '99'",
    "icontains": "title icontains 'DOCUMENT 99'",
    "moment, 10 %": "date(created) < '2021-02-01T00:00+02:00'",
    "moment, all": "date(created) >= '2019-12-31T00:00+02:00'",
    "all elements": "all(tags) like 'tag 1%'",
    "empty": "tags is empty",
}


def main() -> None:
    """Make the index unless it is there, then ask."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--keep", type=Path, help="the index is made or found here")
    options = parser.parse_args()
    store, results = Store(options.keep or Path(tempfile.mkdtemp()), create=True), {}
    written = write(store, options.documents) if store.settings() is None else None
    for name, where in WHERE.items():
        try:
            filters.parse(where)
        except SearcherError as fault:
            print(f"{name}: {fault!s:.100}", file=sys.stderr)
        else:
            results[name] = measured(store, where, options.rounds)
            print(name, results[name], file=sys.stderr)
    passages = options.documents * PER_DOCUMENT
    report("filters", {"passages": passages, "written_s": written, "results": results})


def measured(store: Store, where: Any, rounds: int) -> dict[str, float]:
    """Milliseconds from the filter as it is given to its tree, and from the tree to ids: medians; how many ids."""
    reading, asking = [], []
    for _ in range(rounds + 1):
        begun = time.process_time()
        tree = filters.parse(where)
        read = time.process_time()
        with store.database.reading():
            ids = store.filtered(tree)
        asking.append(1000 * (time.process_time() - read))
        reading.append(1000 * (read - begun))
    middle = {"parse_ms": statistics.median(reading[1:]), "ids_ms": statistics.median(asking[1:])}
    return {name: round(value, 2) for name, value in middle.items()} | {"allowed": len(ids)}


def write(store: Store, count: int) -> float:
    """So many documents, as an `add` writes them. -> seconds"""
    store.settle(SETTINGS)
    begun, prepared = time.process_time(), []
    for document in documents(count):
        parts = [Chunk(at, at + 8, (), 2) for at in range(0, 8 * PER_DOCUMENT, 8)]
        vectors = np.tile(np.float32([0.5, 0.5, 0.5, 0.5]), (PER_DOCUMENT, 1))
        prepared.append(Prepared(document, document.digest(), None, parts, vectors))
        if len(prepared) == BATCH:
            store.write(prepared)
            prepared = []
    store.write(prepared)
    return round(time.process_time() - begun, 1)


def documents(count: int) -> Iterator[Document]:
    """Documents of 8 characters a passage, with values that are drawn."""
    chance = np.random.default_rng(0)
    shares, tags = np.round(chance.random(count) * 100, 6), chance.integers(0, 1000, (count, 3))
    zones = [timezone(timedelta(hours=hours)) for hours in (-5, 0, 2)]
    start = datetime(2020, 1, 1, tzinfo=UTC)
    for number in range(count):
        moment = (start + timedelta(minutes=60 * number)).astimezone(zones[number % 3])
        yield Document(
            f"source {number}", "passage " * PER_DOCUMENT, f"document {number}", f"id {number}",
            {
                "number": number, "share": float(shares[number]), "lang": LANGUAGES[number % 5],
                "created": moment.isoformat(), "tags": [f"tag {tag}" for tag in tags[number]],
            },
        )  # fmt: skip


if __name__ == "__main__":
    main()
