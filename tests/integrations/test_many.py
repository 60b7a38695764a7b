"""Ten thousand documents are deleted by a filter in one call, and five hundred questions are awaited at once."""

import asyncio
from pathlib import Path

import numpy as np

from searcher import AsyncSearcher, Searcher


def test_ten_thousand_documents_go_in_one_call_and_five_hundred_questions_are_answered_at_once(tmp_path: Path) -> None:
    index = Searcher(tmp_path / "index", vectors="theirs")
    vectors = np.random.default_rng(0).standard_normal((10_100, 4))
    names = [str(number) for number in range(10_100)]
    index.put(names, names, [{"old": number < 10_000} for number in range(10_100)], vectors=vectors)
    assert index.delete(where="old = true") == 10_000
    assert [each.id for each in index.iterate()] == names[10_000:]

    async def run() -> list[str]:
        async with AsyncSearcher(index) as awaited:
            found = await asyncio.gather(*(awaited.search(vector=vectors[10_000 + n % 100], k=1) for n in range(500)))
        return [hits[0].id for hits in found]

    assert asyncio.run(run()) == [names[10_000 + n % 100] for n in range(500)]
