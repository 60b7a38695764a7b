"""Ctrl-C between any two steps of a transaction, and what the thread that goes on meets then."""

import contextlib
import gc
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import searcher.store.database
import searcher.store.locks
import searcher.store.transactions
from searcher import Searcher
from searcher.store.database import Database

STEPPED = {
    module.__file__
    for module in (searcher.store.database, searcher.store.locks, searcher.store.transactions, contextlib, threading)
}


@pytest.fixture
def index(tiny_bert: Path, tmp_path: Path) -> Iterator[Searcher]:
    with Searcher(tmp_path / "index", tiny_bert) as made:
        made.add_texts(["hello river"], ids=["a"])
        yield made


def begins_a_thread(frame: FrameType) -> bool:
    """Whether it is one of `Thread.start`, whose lock a Ctrl-C may leave taken for ever (github.com/python/cpython #74174)."""
    each: FrameType | None = frame if frame.f_code.co_filename == threading.__file__ else None
    while each and each.f_code is not threading.Thread.start.__code__:
        each = each.f_back
    return each is not None


def interrupted(act: Callable[[], object], step: int) -> KeyboardInterrupt | None:
    """Do it with a Ctrl-C at that step within the files of transactions; None if it has fewer.

    A step is where Python looks whether a signal came: where a function begins, and where one of C has returned.
    """
    left = step

    def stepped(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left
        if event in ("call", "c_return") and frame.f_code.co_filename in STEPPED and not begins_a_thread(frame):
            left -= 1
            if left == 0:
                raise KeyboardInterrupt

    before = sys.getprofile()
    gc.disable()  # what other tests left is not to be closed amid this one, where nobody would see the Ctrl-C
    sys.setprofile(stepped)
    try:
        act()
    except KeyboardInterrupt as stop:
        return stop
    except RuntimeError as fault:  # what threading makes of one within its own `with`
        if isinstance(fault.__context__, KeyboardInterrupt):
            return fault.__context__
        raise
    finally:
        sys.setprofile(before)
        gc.enable()
    assert left > 0
    return None


def held(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute("SELECT number FROM numbers").fetchone()[0])


def write(database: Database, number: int) -> None:
    with database.writing() as connection:
        connection.execute("UPDATE numbers SET number = ?", [number])
        assert held(database) == number  # within the write


@pytest.mark.parametrize("act", [held, lambda database: write(database, -1)], ids=["a read", "a write"])
def test_a_transaction_that_ctrl_c_cut_at_any_step_neither_lasts_nor_hides_what_came_after(
    act: Callable[[Database], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCHER_BUSY_SECONDS", "0")
    heads = "CREATE TABLE heads (generation INTEGER PRIMARY KEY, nonce TEXT)", "INSERT INTO heads VALUES (1, 'x')"
    numbers = "CREATE TABLE numbers (number INTEGER)", "INSERT INTO numbers VALUES (0)"
    database, another = (Database(tmp_path / "numbers.db", (*heads, *numbers)) for _ in range(2))
    kept = []  # a notebook keeps the last one, and with it every frame that it went through
    for step in count(1):
        stop = interrupted(lambda: act(database), step)
        if stop is None:
            break
        kept.append(stop)
        if step % 2:
            held(database)
            write(another, step)
        else:
            write(database, step)
        assert held(database) == held(another) == step
    assert len(kept) > 50
    database.close()
    another.close()


@pytest.mark.slow
@pytest.mark.parametrize("what", ["a search", "a write"])
def test_after_ctrl_c_at_any_step_the_thread_reads_what_is_there_and_writes(index: Searcher, what: str) -> None:
    acts: dict[str, Callable[[], object]] = {
        "a search": lambda: index.search("hello", mode="keyword"),
        "a write": lambda: index.add_texts(["hello water"], ids=["a"]),
    }
    kept = []  # a notebook keeps the last one, and with it every frame that it went through
    for step in count(1):
        stop = interrupted(acts[what], step)
        if stop is None:
            break
        kept.append(stop)
        other = sqlite3.connect(index.folder / "searcher.db", timeout=0)
        text = f"hello bank {step}"
        if step % 2:
            index.add_texts([text], ids=["a"])
        else:
            with Searcher(index.folder) as writer:  # another thread's or process's, which must not be kept waiting
                assert index.search("hello", mode="keyword")
                writer.add_texts([text], ids=["a"])
        assert [hit.text for hit in index.search("hello", mode="keyword")] == [text]
        other.execute("BEGIN IMMEDIATE")
        other.close()
    assert len(kept) > 50
    assert index.check() == []
