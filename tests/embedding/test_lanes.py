"""A question waits for nobody's bulk: where it is embedded, and in which thread."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import searcher.embedding.encoder.choosing as door
from searcher.embedding import on_one_core
from searcher.embedding.encoder import Encoder, Hidden, Sequence_, devices
from searcher.embedding.models import load_model
from searcher.system import cores

FEW, MANY = [Sequence_([2, 40, 3])], [Sequence_([2, *[40] * 60, 3])] * 64


@pytest.fixture
def encoder(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """On two cores, with torch, which it needs for bulk."""
    monkeypatch.setattr(devices, "workers", lambda: 2)
    encoder = Encoder(load_model(tiny_bert))
    list(encoder.run(MANY, (4,), False, lambda hidden: None))
    return encoder


def test_a_question_is_answered_while_every_thread_for_bulk_is_taken(encoder: Encoder) -> None:
    go_on, begun = threading.Event(), threading.Barrier(3)

    def slow(hidden: Hidden) -> None:
        if not go_on.is_set():
            begun.wait(30)
            go_on.wait(30)

    with ThreadPoolExecutor(1) as other:
        bulk = other.submit(lambda: list(encoder.run(MANY, (4,), False, slow)))
        begun.wait(30)  # both are in it
        [(_, shape)] = encoder.run(FEW, (4,), False, lambda hidden: hidden.layers[4].shape)
        assert not bulk.done()
        go_on.set()
        assert len(bulk.result(30)) > 2
    assert shape == (3, 32)


def test_a_thread_on_one_core_embeds_by_itself_and_leaves_torch_to_others_as_it_was(encoder: Encoder) -> None:
    before = torch.get_num_threads()

    def lane() -> tuple[set[str], int, np.ndarray]:
        on_one_core()
        names, found = set(), list[np.ndarray]()
        for sequences in (FEW, MANY):
            for _, states in encoder.run(sequences, (4,), False, _named(names)):
                found.append(states)
        return names, torch.get_num_threads(), found[0]

    with ThreadPoolExecutor(1, "lane") as pool:
        names, threads, states = pool.submit(lane).result()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == before
    assert torch.get_num_threads() == before
    assert (names, threads) == ({"lane_0"}, 1)
    [(_, expected)] = encoder.run(FEW, (4,), False, lambda hidden: hidden.layers[4])
    np.testing.assert_allclose(states, expected, atol=1e-5)


@pytest.fixture
def _two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Torch is told to use two threads, and no thread keeps to one yet."""
    before = torch.get_num_threads()
    monkeypatch.setattr(devices, "_elsewhere", [])
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("_two_threads")
def test_every_thread_for_bulk_keeps_to_one_core(encoder: Encoder) -> None:
    found = {threads for _, threads in encoder.run(MANY, (4,), False, lambda hidden: torch.get_num_threads())}
    assert found == {1}
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("_two_threads")
def test_every_thread_on_one_core_keeps_to_it_however_many_there_are() -> None:
    together = threading.Barrier(3)

    def lane(_: int) -> int:
        on_one_core()
        together.wait(30)  # all have said so before any of them asks torch for anything
        return torch.get_num_threads()

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(lane, range(3))) == [1, 1, 1]
    assert torch.get_num_threads() == 2


def _named(names: set[str]):  # type: ignore[no-untyped-def]
    def states(hidden: Hidden) -> np.ndarray:
        names.add(threading.current_thread().name)
        return hidden.layers[4]

    return states


def test_a_thread_on_one_core_never_takes_the_way_of_a_cold_process(tiny_bert: Path) -> None:
    encoder = Encoder(load_model(tiny_bert))
    with ThreadPoolExecutor(1, initializer=on_one_core) as pool:
        pool.submit(lambda: list(encoder.run(FEW, (4,), False, lambda hidden: None))).result()
        workers = pool.submit(devices.workers).result()
    assert encoder._choice._asked == 0
    assert encoder._choice._bulk is not None
    assert workers == devices.workers() == max(1, min(cores(), torch.get_num_threads()))  # for others' bulk
    assert door.SMALL_TOKENS >= 3
