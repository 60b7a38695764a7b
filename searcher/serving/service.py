"""One index and the lanes to it: whatever answers a request asks here, so nothing stands in the way of a question."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from searcher.embedding import on_one_core
from searcher.errors import SearcherError
from searcher.search import Searcher
from searcher.serving.lanes import Lane
from searcher.serving.options import Options
from searcher.serving.problems import Refused
from searcher.system import give_way

__all__ = ["Service"]

HEAVY = 5  # niceness of heavy work
TOGETHER = 32  # questions that are embedded at once: with 16 or 64 it is hardly slower
T = TypeVar("T")
Work = Callable[[], Any]


class Service:
    """searcher: the index. options: what the server was started with.

    Lanes: questions, which are embedded together; reading, what is looked up; heavy, what takes tenths of a second;
    writing, one change after the other.
    """

    def __init__(self, searcher: Searcher, options: Options) -> None:
        self.searcher, self.options = searcher, options
        self.questions = Lane("questions", self._answered, threads=2, together=TOGETHER, begin=on_one_core)
        self.reading = Lane("reading", _done, begin=on_one_core)
        self.heavy = Lane("heavy work", _done, begin=_slowly)
        self.writing = Lane("writing", _done, begin=give_way)  # and what embeds for it, whose threads it starts

    @property
    def lanes(self) -> list[Lane[Any, Any]]:
        """All of them."""
        return [self.questions, self.reading, self.heavy, self.writing]

    async def search(self, query: str, **how: Any) -> Any:
        """The hits of a question, as `Searcher.search`."""
        if how.get("highlight") or how.get("rerank"):
            return await self.work(lambda: self.searcher.search(query, **how))
        return await self.questions.do({"query": query, **how})

    async def read(self, work: Callable[[], T]) -> T:
        """What is looked up."""
        return await self.reading.do(work)

    async def work(self, work: Callable[[], T]) -> T:
        """What takes a while."""
        return await self.heavy.do(work)

    async def write(self, work: Callable[[], T]) -> T:
        """A change. Refused where none is allowed."""
        if not self.options.writes:
            raise Refused(403, "this server only reads; searcher serve --allow-writes lets it be written to")
        return await self.writing.do(work)

    async def warm(self) -> None:
        """Load the model, so that nobody waits for it; where it cannot be, whoever asks is told why."""
        with suppress(SearcherError):
            await self.read(self._warm)

    def _warm(self) -> None:
        if self.searcher.exists() and not self.searcher.settings.given:
            self.searcher.embedder.embed(["warm"], "query")
            self.searcher.search("warm", 1)

    def close(self) -> None:
        """Do what waits, then close the index."""
        for lane in self.lanes:
            lane.close()
        self.searcher.close()

    def _answered(self, asked: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        return self.searcher.search_each(asked)


def _done(works: Sequence[Work]) -> list[Any]:
    return [work() for work in works]


def _slowly() -> None:
    """Begin a thread that questions may overtake."""
    give_way(HEAVY)
    on_one_core()
