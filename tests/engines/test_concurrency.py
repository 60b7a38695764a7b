"""Crowds on one index: threads, processes and forks, each search over one state, nothing acknowledged lost (I1, I5)."""

import faulthandler
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from searcher import Searcher
from searcher.embedding import Embedder
from searcher.errors import BadValue, IndexUnavailable
from searcher.records import Document

TEXTS = [
    f"{noun} {verb} {kind}" for noun in ("bank", "river", "boat") for verb in ("flows", "opens") for kind in "abcd"
]
KEPT = 6  # documents that no writer touches
QUERY = "the boat flows near the river"
LENGTHS = [5, pytest.param(120, marks=pytest.mark.faults)]


def state(writer: int, version: int) -> list[Document]:
    """What a writer replaces its file by in one transaction: 2 to 8 documents that all tell the version and how many."""
    size = 2 + (5 * version) % 7
    return [
        Document(
            f"w{writer}/{part}",
            TEXTS[(7 * writer + 3 * version + part) % len(TEXTS)],
            metadata={"writer": writer, "version": version, "size": size},
        )
        for part in range(size)
    ]


class Crowd:
    """One index with writers that change coupled documents, and what readers check it by.

    acknowledged: (writers,) int64 in a file that all processes map: the newest version that a writer was told is stored.
    """

    def __init__(self, folder: Path, model: Path, writers: int) -> None:
        self.folder, self.model, self.writers = folder, model, writers
        self.acknowledged = np.memmap(folder.parent / "acknowledged", np.int64, "r+", shape=(writers,))
        embedder = Embedder(model)
        self.vector = dict(zip(TEXTS, embedder.embed(TEXTS, "passage"), strict=True))
        [self.query] = embedder.embed([QUERY], "query")

    @classmethod
    def new(cls, folder: Path, model: Path, writers: int) -> "Crowd":
        np.zeros(writers, np.int64).tofile(folder.parent / "acknowledged")
        with Searcher(folder, model) as searcher:
            searcher.add_texts(TEXTS[:KEPT], ids=[f"kept{n}" for n in range(KEPT)])
            for writer in range(writers):
                searcher.add_documents(state(writer, 0), file=f"w{writer}")
        return cls(folder, model, writers)

    def write(self, searcher: Searcher, writer: int, until: float) -> list[str]:
        """Versions one after the other until that time, with other writes between; ids of the documents just added."""
        added: list[str] = []
        while time.time() < until:
            version = int(self.acknowledged[writer]) + 1
            report = searcher.add_documents(state(writer, version), file=f"w{writer}")
            assert report.failed == []
            self.acknowledged[writer] = version
            if version % 4 == 0:
                searcher.add_texts([TEXTS[version % len(TEXTS)]], ids=[f"added{writer}/{version}"])
                added.append(f"added{writer}/{version}")
            if version % 12 == 0:
                assert searcher.remove(ids=[added.pop(0)]) == 1
        return added

    def read(self, searcher: Searcher, until: float) -> int:
        """Searches until that time, each of them checked; how many."""
        seen, searches = np.zeros(self.writers, np.int64), 0
        while time.time() < until:
            before = np.maximum(self.acknowledged, seen)
            asked: Any = QUERY if searches % 5 == 0 else self.query
            hits = searcher.search(asked, k=100_000)
            seen = self.versions(hits)
            assert (seen >= before).all(), f"{seen} found after {before} was acknowledged or seen"
            self.check_best(searcher)
            self.check_filter(searcher, int(seen[0]))
            searches += 3
        return searches

    def versions(self, hits: list[Any]) -> np.ndarray:
        """The version of each writer in the hits of a search for everything, which must be of one state."""
        assert len({hit.passage_id for hit in hits}) == len(hits)
        assert {hit.id for hit in hits} >= {f"kept{n}" for n in range(KEPT)}
        for hit in hits:
            assert hit.score == pytest.approx(float(self.vector[hit.text] @ self.query), abs=1e-5)
        assert [-hit.score for hit in hits] == sorted(-hit.score for hit in hits)
        found = []
        for writer in range(self.writers):
            own = {hit.source: (hit.text, hit.metadata) for hit in hits if hit.metadata.get("writer") == writer}
            version = next(iter(own.values()))[1]["version"]
            assert own == {item.source: (item.text, dict(item.metadata)) for item in state(writer, version)}
            found.append(version)
        return np.array(found)

    def check_best(self, searcher: Searcher) -> None:
        """The three best of a writer's documents are those of brute force over the version that they tell."""
        hits = searcher.search(self.query, k=3, where={"writer": 0})
        texts = [item.text for item in state(0, hits[0].metadata["version"])]
        best = sorted((float(self.vector[text] @ self.query) for text in texts), reverse=True)[:3]
        assert {hit.metadata["version"] for hit in hits} == {hits[0].metadata["version"]}
        assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)

    def check_filter(self, searcher: Searcher, version: int) -> None:
        """A filter for a version finds all of its documents, or none once it is replaced."""
        hits = searcher.search(self.query, k=50, where=f"writer = 0 and version = {version}")
        assert len(hits) in (0, len(state(0, version)))

    def check_end(self, added: list[str]) -> None:
        """What is stored is what was acknowledged, as plain SQLite and a new Searcher find it."""
        connection = sqlite3.connect(self.folder / "searcher.db")
        stored = {source for (source,) in connection.execute("SELECT source FROM documents")}
        connection.close()
        newest = {
            item.source for writer, version in enumerate(self.acknowledged) for item in state(writer, int(version))
        }
        assert stored == newest | set(added) | {f"kept{n}" for n in range(KEPT)}
        with Searcher(self.folder, self.model) as searcher:
            assert searcher.check() == []
            assert (self.versions(searcher.search(self.query, k=100_000)) == self.acknowledged).all()


@pytest.fixture(autouse=True)
def small_delta(monkeypatch: pytest.MonkeyPatch) -> None:
    """New rows are merged into the index after three, so that every way of catching up is taken."""
    monkeypatch.setenv("SEARCHER_DELTA", "3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


def results(futures: list[Future[Any]]) -> list[Any]:
    """What they return; the first to fail raises."""
    for future in as_completed(futures):
        future.result()
    return [future.result() for future in futures]


# -- threads


@pytest.mark.parametrize("seconds", LENGTHS)
def test_threads_each_search_one_state_and_find_what_was_acknowledged(
    folder: Path, tiny_bert: Path, seconds: int
) -> None:
    crowd, until = Crowd.new(folder, tiny_bert, writers=1), time.time() + seconds
    with Searcher(folder) as searcher, ThreadPoolExecutor(9) as pool:
        writing = pool.submit(crowd.write, searcher, 0, until)
        searches = results([writing, *(pool.submit(crowd.read, searcher, until) for _ in range(8))])[1:]
    print(f"{sum(searches)} searches by 8 threads, {crowd.acknowledged[0]} versions")  # noqa: T201 - for -s
    assert min(searches) > 0
    assert crowd.acknowledged[0] > 0
    crowd.check_end(writing.result())


def test_questions_embedded_while_the_index_changed_its_pooling_are_embedded_again(
    folder: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded, reindexed = Event(), Event()
    embed = Embedder.embed

    def embed_and_wait(self: Embedder, texts: Any, kind: Any = "passage", **options: Any) -> Any:
        vectors = embed(self, texts, kind, **options)
        if kind == "query" and not embedded.is_set():
            embedded.set()
            assert reindexed.wait(60)
        return vectors

    with Searcher(folder, tiny_bert, pooling="mean") as searcher:
        searcher.add_texts(TEXTS[:5])
    with Searcher(folder) as searcher, ThreadPoolExecutor(1) as pool:  # which insists on no pooling
        monkeypatch.setattr(Embedder, "embed", embed_and_wait)
        searching = pool.submit(searcher.search, QUERY, 5)
        assert embedded.wait(60)
        with Searcher(folder) as another:
            another.reindex(pooling="cls")
        reindexed.set()
        embedder = Embedder(tiny_bert, pooling="cls")
        scores = embedder.embed(TEXTS[:5], "passage") @ embedder.embed([QUERY], "query")[0]
        assert {hit.text: hit.score for hit in searching.result()} == pytest.approx(
            dict(zip(TEXTS[:5], scores.tolist(), strict=True)), abs=1e-4
        )


# -- processes


def write_alone(folder: Path, model: Path, writers: int, writer: int, until: float) -> list[str]:
    with Searcher(folder) as searcher:
        return Crowd(folder, model, writers).write(searcher, writer, until)


def read_alone(folder: Path, model: Path, writers: int, until: float) -> int:
    with Searcher(folder) as searcher:
        return Crowd(folder, model, writers).read(searcher, until)


@pytest.mark.parametrize("seconds", LENGTHS)
def test_processes_each_search_one_state_and_find_what_was_acknowledged(
    folder: Path, tiny_bert: Path, seconds: int
) -> None:
    crowd = Crowd.new(folder, tiny_bert, writers=2)
    until = time.time() + seconds + 10  # to start them all
    with ProcessPoolExecutor(6, multiprocessing.get_context("spawn")) as pool:
        writing = [pool.submit(write_alone, folder, tiny_bert, 2, writer, until) for writer in range(2)]
        reading = [pool.submit(read_alone, folder, tiny_bert, 2, until) for _ in range(4)]
        searches = results([*writing, *reading])[2:]
    print(f"{sum(searches)} searches by 4 processes, {crowd.acknowledged.tolist()} versions")  # noqa: T201 - for -s
    assert min(searches) > 0
    assert crowd.acknowledged.min() > 0
    crowd.check_end([name for future in writing for name in future.result()])


# -- forks


def forked(work: Callable[[], object], seconds: int = 30) -> int:
    """The process id of a child that does the work; one that fails or hangs ends with another status than 0."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.alarm(seconds)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


inherited: list[
    Callable[[str], None]
] = []  # what the processes of a pool find in the memory that they were forked with


def do_inherited(name: str) -> None:
    inherited[0](name)


def fork_of_one_in_use(folder: Path, model: Path) -> None:
    with Searcher(folder, model) as searcher:

        def add_and_search(name: str) -> None:
            for number in range(5):
                searcher.add_texts([TEXTS[number], f"hello {name}"], ids=[f"{name}{number}", f"{name}{number}+"])
                ids = [hit.id for hit in searcher.search(f"hello {name} {number}", k=1000)]
                assert len(set(ids)) == len(ids)
                assert {f"{name}{before}" for before in range(number + 1)} <= set(ids)

        add_and_search("before")
        children = [forked(lambda name=f"child{n}": add_and_search(name)) for n in range(2)]  # type: ignore[misc]
        add_and_search("parent")
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
        add_and_search("after")
        inherited.append(add_and_search)
        with multiprocessing.get_context("fork").Pool(3) as pool:
            pool.map(do_inherited, [f"pool{n}" for n in range(6)])
        names = ["before", "child0", "child1", "parent", "after", *(f"pool{n}" for n in range(6))]
        ids = sorted(str(hit.id) for hit in searcher.search("hello", k=1000))
        assert ids == sorted(f"{name}{n}{mark}" for name in names for n in range(5) for mark in ("", "+"))
        assert searcher.check() == []


def forks_amid_searches_and_writes(folder: Path, model: Path, seconds: int) -> None:
    crowd, until = Crowd(folder, model, 1), time.time() + seconds
    with Searcher(folder) as searcher, ThreadPoolExecutor(3) as pool:

        def search() -> None:
            for _ in range(3):
                crowd.versions(searcher.search(crowd.query, k=100_000))
            crowd.versions(searcher.search(QUERY, k=100_000))

        work = [pool.submit(crowd.write, searcher, 0, until), *(pool.submit(crowd.read, searcher, until) for _ in "ab")]
        statuses = []
        search()
        while not crowd.acknowledged[
            0
        ]:  # a thread that is importing leaves Python's own lock of that module to the child
            time.sleep(0.01)
        while time.time() < until:
            statuses.append(os.waitpid(forked(search), 0)[1])
        assert set(statuses) == {0}, statuses
        assert len(statuses) > 2
        crowd.check_end(results(work)[0])


def alone(work: Callable[..., None], *given: Any, seconds: int = 0) -> None:
    """In a process of its own: pytest's has threads of many libraries by now, and a fork that hangs is to end."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(faulthandler.dump_traceback_later, 50 + 2 * seconds, exit=True)
        pool.submit(work, *given).result()


def test_a_searcher_in_use_works_on_both_sides_of_a_fork(folder: Path, tiny_bert: Path) -> None:
    alone(fork_of_one_in_use, folder, tiny_bert)


@pytest.mark.parametrize("seconds", LENGTHS)
def test_a_fork_amid_searches_and_writes_searches_one_state(folder: Path, tiny_bert: Path, seconds: int) -> None:
    Crowd.new(folder, tiny_bert, writers=1)
    alone(forks_amid_searches_and_writes, folder, tiny_bert, seconds, seconds=seconds)


# -- waiting

HOLDER = """import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("SELECT count(*) FROM documents").fetchone()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(("begin", "doing"), [("BEGIN IMMEDIATE", "writing"), ("BEGIN", "reading")])
def test_who_holds_the_lock_is_named_when_a_writer_has_waited_in_vain(
    folder: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, begin: str, doing: str
) -> None:
    monkeypatch.setenv("SEARCHER_BUSY_SECONDS", "0.2")
    with Searcher(folder, tiny_bert) as searcher:
        searcher.add_texts(["hello river"], ids=["a"])
        command = [sys.executable, "-c", HOLDER, str(folder / "searcher.db"), begin]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(IndexUnavailable) as fault:
                searcher.add_texts(["hello bank"], ids=["a"])
            said = str(fault.value)
            assert [hit.text for hit in searcher.search("hello")] == ["hello river"]
            holder.communicate()
        assert said.startswith(f"{folder / 'searcher.db'}: pid {holder.pid} ({sys.executable} -c import sqlite3, sys")
        assert said.endswith(f"did not finish {doing} in 0.2 seconds (database is locked)")
        assert "\n" not in said
        searcher.add_texts(["hello bank"], ids=["a"])
        assert [hit.text for hit in searcher.search("hello")] == ["hello bank"]


@pytest.mark.parametrize("given", ["soon", "-1", "nan", "inf"])
def test_seconds_to_wait_that_are_no_number_of_seconds_are_refused(
    folder: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv("SEARCHER_BUSY_SECONDS", given)
    with pytest.raises(BadValue, match=f"SEARCHER_BUSY_SECONDS is '{given}'; good: a number of seconds"):
        Searcher(folder, tiny_bert).add_texts(["hello"])
