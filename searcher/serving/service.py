"""One index and the lanes to it: whatever answers a request asks here, so nothing stands in the way of a question."""

from asyncio import to_thread
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from searcher.embedding import on_one_core
from searcher.errors import SearcherError
from searcher.search import Searcher
from searcher.serving.lanes import Lane
from searcher.serving.options import Options
from searcher.serving.problems import Refused
from searcher.system import give_memory_back, give_way

__all__ = ["Service"]

HEAVY = 5  # niceness of heavy work
SMALL = 20_000  # characters of a change that nobody waits long for: some tenths of a second
CHANGES = 64  # small ones after which memory is given back: each has all that was added lately copied
TOGETHER = 32  # questions that are embedded at once: with 16 or 64 it is hardly slower
T = TypeVar("T")
Work = Callable[[], Any]


class Service:
    """searcher: the index. options: what the server was started with.

    Lanes: questions, which are embedded together; reading, what is looked up; heavy, what takes tenths of a second;
    writing, one small change after the other; bulk, large ones, which take the time that the others leave.
    """

    def __init__(self, searcher: Searcher, options: Options) -> None:
        self.searcher, self.options = searcher, options
        self.questions = Lane("questions", self._answered, threads=2, together=TOGETHER, begin=on_one_core)
        self.reading = Lane("reading", _done, begin=on_one_core)
        self.heavy = Lane("heavy work", _done, begin=_slowly)
        self.writing = Lane("writing", _Changes(CHANGES), keeps=True)
        # Its threads start those that embed for it, which give way too.
        self.bulk = Lane("bulk writing", _Changes(1), begin=give_way, keeps=True)

    @property
    def lanes(self) -> list[Lane[Any, Any]]:
        """All of them."""
        return [self.questions, self.reading, self.heavy, self.writing, self.bulk]

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

    async def write(self, work: Callable[[], T], size: int = 0) -> T:
        """A change; size: in characters or bytes. Refused where none is allowed."""
        if not self.options.writes:
            raise Refused(403, "this server only reads; searcher serve --allow-writes lets it be written to")
        return await (self.bulk if size > SMALL else self.writing).do(work)

    async def warm(self) -> None:
        """Load the model, so that nobody waits for it; where it cannot be, whoever asks is told why."""
        with suppress(SearcherError):
            await self.read(self._warm)
            await to_thread(self._warm)  # what small changes are embedded by is started here, and does not give way

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


class _Changes:
    """Does changes, one thread's; after every so many it gives back the memory that they no longer need, which a server
    that is written to for long would else hold more and more of.
    """

    def __init__(self, every: int) -> None:
        self.every, self.made = every, 0

    def __call__(self, works: Sequence[Work]) -> list[Any]:
        try:
            return _done(works)
        finally:
            self.made += len(works)
            if self.made >= self.every:
                self.made = 0
                give_memory_back()


def _slowly() -> None:
    """Begin a thread that questions may overtake."""
    give_way(HEAVY)
    on_one_core()
