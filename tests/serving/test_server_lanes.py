"""Lanes: what waits is taken together, what nobody waits for is not done, what is too much is told at once."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from searcher.serving.lanes import GONE, Lane
from searcher.serving.problems import Busy, GivenUp


class Work:
    """Doubles numbers, but waits with the first until it may go on; remembers what it was given at once."""

    def __init__(self) -> None:
        self.taken: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.taken.append(list(items))
        if items == [0]:
            self.begun.set()
            assert self.go_on.wait(30)
        if 13 in items:
            raise RuntimeError("thirteen")
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]


async def begun(lane: "Lane[int, int]", work: Work) -> "asyncio.Task[int]":
    """A lane that is busy."""
    first = asyncio.create_task(lane.do(0))
    await asyncio.to_thread(work.begun.wait, 30)
    return first


def test_those_that_wait_are_taken_together_and_each_gets_its_own_result() -> None:
    work = Work()
    lane = Lane("test", work, together=3)

    async def main() -> list[object]:
        first = await begun(lane, work)
        others = [asyncio.create_task(lane.do(item)) for item in (1, -2, 3, 4)]
        await asyncio.sleep(0)
        assert len(lane) == 4
        work.go_on.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    zero, one, wrong, three, four = asyncio.run(main())
    lane.close()
    assert (zero, one, three, four) == (0, 2, 6, 8)
    assert isinstance(wrong, ValueError)
    assert work.taken == [[0], [1, -2, 3], [4]]


def test_what_nobody_waits_for_any_more_is_not_done() -> None:
    work = Work()
    lane = Lane("test", work, together=9)

    async def main() -> None:
        first = await begun(lane, work)
        given_up, kept = asyncio.create_task(lane.do(1)), asyncio.create_task(lane.do(2))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        work.go_on.set()
        assert (await first, await kept) == (0, 4)

    asyncio.run(main())
    lane.close()
    assert work.taken == [[0], [2]]


@pytest.mark.parametrize("keeps", [False, True])
def test_what_was_asked_by_somebody_who_is_gone_is_done_only_where_it_is_to_be_kept(keeps: bool) -> None:
    work = Work()
    lane = Lane("test", work, together=9, keeps=keeps)
    gone: set[int] = set()

    async def asked(item: int) -> int:
        GONE.set(lambda: item in gone)
        return await lane.do(item)

    async def main() -> list[object]:
        first = await begun(lane, work)
        others = [asyncio.create_task(asked(item)) for item in (1, 2, 3)]
        await asyncio.sleep(0)
        gone.update({1, 3})
        work.go_on.set()
        assert await first == 0
        return await asyncio.gather(*others, return_exceptions=True)

    one, two, three = asyncio.run(main())
    lane.close()
    assert two == 4
    if keeps:
        assert (one, three, work.taken) == (2, 6, [[0], [1, 2, 3]])
    else:
        assert (type(one), type(three), work.taken) == (GivenUp, GivenUp, [[0], [2]])


def test_more_than_there_is_room_for_is_refused_and_so_is_what_comes_after_the_end() -> None:
    work = Work()
    lane = Lane("tests", work, room=2)

    async def main() -> None:
        first = await begun(lane, work)
        waiting = [asyncio.create_task(lane.do(item)) for item in (1, 2)]
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 requests wait already for tests"):
            await lane.do(3)
        work.go_on.set()
        await asyncio.to_thread(lane.close)
        assert [await task for task in (first, *waiting)] == [0, 2, 4]  # what waited is done
        with pytest.raises(Busy, match="stopping"):
            await lane.do(4)

    asyncio.run(main())


def test_a_fault_of_the_work_is_everybodys_result_and_the_lane_goes_on() -> None:
    work = Work()
    lane = Lane("test", work)

    async def main() -> None:
        with pytest.raises(RuntimeError, match="thirteen"):
            await lane.do(13)
        assert await lane.do(5) == 10

    asyncio.run(main())
    lane.close()
