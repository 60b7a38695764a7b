"""Short work runs on the calling thread alone, and afterwards numpy has the threads that it had."""

import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from searcher import Embedder, Searcher
from searcher.system import one_thread
from searcher.system.threads import Threads, _numpys

QUESTIONS = [f"which of the {number} rivers runs by the old bank" for number in range(12)]


@pytest.fixture
def threads() -> Iterator[Threads]:
    """Numpy's, of which there are three."""
    found = _numpys()
    if found is None:
        pytest.skip("numpy has no OpenBLAS with threads of its own")
    before = found.get()
    found.set(3)
    yield found
    found.set(before)


def test_it_is_the_blas_of_numpy_that_is_asked(threads: Threads) -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    counts = {each["filepath"]: each["num_threads"] for each in threadpoolctl.threadpool_info()}
    assert [count for file, count in counts.items() if "numpy.libs" in file] in ([], [3])  # none: it is the system's


def test_there_is_one_thread_inside_and_as_many_as_before_afterwards(threads: Threads) -> None:
    with one_thread():
        assert threads.get() == 1
        with one_thread():
            assert threads.get() == 1
        assert threads.get() == 1
    assert threads.get() == 3
    with pytest.raises(ZeroDivisionError), one_thread():
        _ = 1 / 0
    assert threads.get() == 3


def test_it_works_as_a_decorator(threads: Threads) -> None:
    @one_thread()
    def count() -> int:
        return threads.get()

    assert [count(), count(), threads.get()] == [1, 1, 3]


def test_the_last_of_several_at_a_time_restores_the_number(threads: Threads) -> None:
    inside, leave = threading.Barrier(2), threading.Event()

    def wait() -> None:
        with one_thread():
            inside.wait()
            leave.wait()

    other = threading.Thread(target=wait)
    with one_thread():
        other.start()
        inside.wait()
    assert threads.get() == 1
    leave.set()
    other.join()
    assert threads.get() == 3


def test_what_somebody_sets_meanwhile_stays(threads: Threads) -> None:
    with one_thread():
        threads.set(2)
    assert threads.get() == 2


def test_one_thread_from_the_beginning_stays_one(threads: Threads) -> None:
    threads.set(1)
    with one_thread():
        pass
    assert threads.get() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_a_fork_has_the_number_from_before(threads: Threads) -> None:
    reader, writer = os.pipe()
    with one_thread():
        if not (child := os.fork()):
            before = threads.get()
            with one_thread():
                during = threads.get()
            os.write(writer, json.dumps([before, during, threads.get()]).encode())
            os._exit(0)
        os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert json.load(pipe) == [3, 1, 3]
    assert threads.get() == 3


def test_products_of_many_threads_are_right_while_the_number_goes_up_and_down(threads: Threads) -> None:
    generator = np.random.default_rng(0)
    a, b = (generator.standard_normal((96, 200), dtype=np.float32) for _ in range(2))
    wanted = a.astype(np.float64) @ b.T.astype(np.float64)

    def is_right(product: np.ndarray) -> bool:
        return bool(np.abs(product - wanted).max() < 1e-4)  # of sums of 200: rounding alone makes 4e-5

    def work(number: int) -> bool:
        if number % 2:
            return is_right(a @ b.T)
        with one_thread():
            return is_right(a @ b.T)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(400)))
    assert threads.get() == 3


def test_a_search_leaves_the_number_of_threads_as_it_was(threads: Threads, tiny_bert: Path, tmp_path: Path) -> None:
    with Searcher(tmp_path / "index", model=tiny_bert) as s:
        s.add_texts(["the river", "the bank", "the boat"])
        for mode in ("dense", "keyword", "hybrid"):
            s.search("river", mode=mode)  # type: ignore[arg-type]
            s.search(QUESTIONS, mode=mode, highlight=True)  # type: ignore[arg-type]
            assert threads.get() == 3
        assert s.answer("river") is None
        assert threads.get() == 3


def test_questions_asked_by_several_threads_have_the_hits_they_have_alone(
    threads: Threads, bundled: str, tmp_path: Path
) -> None:
    with Searcher(tmp_path / "index", model=bundled) as s:
        s.add_texts([f"{question}, and so do {len(question)} boats" for question in QUESTIONS])

        def ask(question: str) -> list[tuple[int, float]]:
            return [(hit.passage_id, hit.score) for hit in s.search(question, mode="hybrid")]

        alone = list(map(ask, QUESTIONS))
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, QUESTIONS)) == alone


@pytest.mark.parametrize("questions", [["river"], QUESTIONS[:1], QUESTIONS[:5], QUESTIONS * 3], ids=len)
def test_a_warm_process_gives_the_vectors_of_a_cold_one_to_the_bit(bundled: str, questions: list[str]) -> None:
    embedder = Embedder(bundled)
    cold, *warm = (embedder.embed(questions, "query").tobytes() for _ in range(6))
    assert set(warm) == {cold}
    assert np.frombuffer(cold, np.float32).any()
