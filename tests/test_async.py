"""AsyncSearcher does what Searcher does, off the event loop: bounded, cancelled, questions together."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from searcher import AsyncSearcher, Searcher
from searcher.errors import BadValue, IndexUnavailable


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    folder = tmp_path_factory.mktemp("async") / "index"
    with Searcher(folder, tiny_bert) as made:
        made.put(["the river bank", "money in the bank", "hello world"], ["a", "b", "c"], [{"n": n} for n in range(3)])
    return folder


class Slow(Searcher):
    """Counts its calls and can be held up."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.calls: list[Any] = []
        self.most = self.running = 0
        self.go = threading.Event()
        self.go.set()
        self.count_lock = threading.Lock()

    def search(self, query: Any = None, *arguments: Any, **how: Any) -> Any:
        with self.count_lock:
            self.calls.append(query)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            self.go.wait(20)
            return super().search(query, *arguments, **how)
        finally:
            with self.count_lock:
                self.running -= 1


def plain(hits: list[Any]) -> list[tuple[Any, ...]]:
    return [(hit.id, hit.text, round(hit.score, 4), hit.rank) for hit in hits]


def test_everything_can_be_awaited(tmp_path: Path) -> None:
    async def run() -> None:
        async with AsyncSearcher(tmp_path / "index", vectors="theirs", dimension=2) as index:
            assert await index.search("x", mode="keyword") == await index.get(["a"]) == []
            assert await index.put(["one", "two"], ["a", "b"], vectors=np.eye(2)) == ["a", "b"]
            assert [hit.id for hit in await index.search(vector=[1, 0])] == ["a", "b"]
            assert [each.id async for each in index.iterate()] == ["a", "b"]
            assert await index.count("id = 'a'") == 1
            assert (await index.context("two", vector=[0, 1])).citations[0].id == "b"
            assert await index.update_metadata(None, {"n": 1}) == 2
            assert await index.values("n") == [(1, 2)]
            assert await index.delete(ids=["a"]) == 1
            assert (await index.status())["documents"] == 1
            with pytest.raises(BadValue):
                await index.delete()
            with pytest.raises(AttributeError, match="no method 'nothing'"):
                _ = index.nothing
            with pytest.raises(AttributeError, match="no method 'engine'"):
                _ = index.engine
        with pytest.raises(IndexUnavailable, match="was closed"):
            await index.count()
        with pytest.raises(IndexUnavailable, match="was closed"):
            await index.search("x")

    asyncio.run(run())


def test_five_hundred_questions_at_once_are_answered_as_one_by_one(folder: Path) -> None:
    questions = [f"{word} {number % 50}" for number in range(125) for word in ("river", "money", "hello", "world")]
    with Searcher(folder) as one_by_one:
        expected = {text: plain(one_by_one.search(text, k=2, where="n < 2")) for text in sorted(set(questions))}

    async def run() -> tuple[list[Any], Slow]:
        searcher = Slow(folder)
        async with AsyncSearcher(searcher, workers=2) as index:
            asked = [index.search(text, k=2, where="n < 2") for text in questions]
            return await asyncio.gather(*asked), searcher

    answers, searcher = asyncio.run(run())
    assert [plain(hits) for hits in answers] == [expected[text] for text in questions]
    assert len(searcher.calls) <= 1 + -(-499 // 64) + 1
    assert searcher.most <= 2


def test_the_loop_goes_on_and_questions_that_wait_are_asked_together(folder: Path) -> None:
    async def run() -> None:
        searcher = Slow(folder)
        searcher.go.clear()
        async with AsyncSearcher(searcher, workers=2) as index:
            tasks = [asyncio.create_task(index.search(text)) for text in ("first", "one", "two", "three")]
            other = asyncio.create_task(index.search("otherwise", k=1))
            while len(searcher.calls) < 2:
                await asyncio.sleep(0.01)
            searcher.go.set()
            await asyncio.gather(*tasks, other)
        assert sorted(searcher.calls[:2]) == [["first"], ["otherwise"]]
        assert searcher.calls[2:] == [["one", "two", "three"]]

    asyncio.run(run())


def test_what_is_cancelled_while_it_waits_is_never_asked(folder: Path) -> None:
    async def run() -> None:
        searcher = Slow(folder)
        searcher.go.clear()
        async with AsyncSearcher(searcher, workers=1) as index:
            running, given_up, kept = (asyncio.create_task(index.search(text)) for text in ("first", "never", "kept"))
            put = asyncio.create_task(index.put(["never put"], ["never"]))
            while not searcher.calls:
                await asyncio.sleep(0.01)
            for task in (running, given_up, put):
                task.cancel()
            results = await asyncio.gather(running, given_up, put, return_exceptions=True)
            assert [type(result) for result in results] == [asyncio.CancelledError] * 3
            searcher.go.set()
            assert len(await kept) == 3
            assert await index.get("never") == []
        assert searcher.calls == [["first"], ["kept"]]

    asyncio.run(run())


def test_what_is_wrong_with_one_question_is_not_the_others_fault(folder: Path) -> None:
    async def run() -> None:
        searcher = Slow(folder)
        original = searcher.engine.nearest
        searcher.go.clear()
        async with AsyncSearcher(searcher, workers=1) as index:
            tasks = [
                asyncio.create_task(index.search(text, where="n >= 0")) for text in ("first", "good", "bad", "fine")
            ]
            while not searcher.calls:
                await asyncio.sleep(0.01)

            def failing(vectors: Any, *arguments: Any, **named: Any) -> Any:
                if len(vectors) > 1:
                    raise BadValue("one of them is bad")
                return original(vectors, *arguments, **named)

            searcher.engine.nearest = failing  # type: ignore[method-assign]
            searcher.go.set()
            assert [len(hits) for hits in await asyncio.gather(*tasks)] == [3] * 4
            with pytest.raises(BadValue, match="the query is empty"):
                await index.search(" ")
            with pytest.raises(BadValue, match="k is 0"):
                await index.search("x", k=0)

    asyncio.run(run())


def test_closing_gives_up_what_waits(folder: Path) -> None:
    async def run() -> None:
        searcher = Slow(folder)
        searcher.go.clear()
        index = AsyncSearcher(searcher, workers=1)
        tasks = [asyncio.create_task(index.search(text)) for text in ("first", "waits")]
        counting = asyncio.create_task(index.count())
        while not searcher.calls:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(index.close())
        await asyncio.sleep(0.05)
        searcher.go.set()
        await closing
        results = await asyncio.gather(*tasks, counting, return_exceptions=True)
        assert len(results[0]) == 3
        assert [type(result) for result in results[1:]] == [asyncio.CancelledError] * 2

    asyncio.run(run())


def test_a_watch_keeps_neither_the_loop_nor_a_worker_and_ends_with_the_searcher(
    tiny_bert: Path, tmp_path: Path
) -> None:
    pytest.importorskip("watchfiles", reason="the extra 'watch' is not installed")
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "one.txt").write_text("the river bank")

    async def main() -> list[int]:
        index = AsyncSearcher(tmp_path / "index", model=tiny_bert, workers=1)
        with pytest.raises(BadValue, match="is not there; good: folders"):
            await anext(index.watch(tmp_path / "nowhere"))
        found = []
        async for report in index.watch(notes):
            found.append(report.documents)
            assert [hit.text for hit in await index.search("hello river", k=1, mode="keyword")] != []
            if len(found) == 2:
                break
            (notes / "two.txt").write_text("hello world")
        going_on = index.watch(notes)
        await anext(going_on)
        waiting = asyncio.create_task(anext(going_on, None))
        await asyncio.sleep(0.2)
        await index.close()
        assert await waiting is None
        return found

    assert asyncio.run(asyncio.wait_for(main(), 60)) == [1, 1]


def test_one_searcher_serves_several_loops(folder: Path) -> None:
    index = AsyncSearcher(folder)
    for _ in range(2):
        assert [hit.id for hit in asyncio.run(index.search("money in the bank", k=1))] == ["b"]
    several = asyncio.run(index.search(["money in the bank", "hello world"], k=1, where={"n": np.int64(2)}))
    assert [[hit.id for hit in hits] for hits in several] == [["c"], ["c"]]
    assert [hit.id for hit in asyncio.run(index.search("money", where={"n": np.arange(900)}, k=9))] != []
    asyncio.run(index.close())


def test_wrong_settings_are_refused(folder: Path) -> None:
    for arguments, message in [
        ({"workers": 0}, "workers is 0"), ({"workers": True}, "workers is True"), ({"pool": 1}, "unknown setting 'pool'"),
    ]:  # fmt: skip
        with pytest.raises(BadValue, match=message):
            AsyncSearcher(folder, **arguments)
    with pytest.raises(BadValue, match="leave out model"):
        AsyncSearcher(Searcher(folder), model="x")
