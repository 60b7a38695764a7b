"""Where the parts meet: `Searcher`, an index folder with its model, to add to, to ask, to look after, and to await."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

from searcher.engines import Surrounding, Where
from searcher.errors import BadValue, IndexUnavailable
from searcher.ingest import Putting, Upkeep
from searcher.ranking import Citing, Together, query_texts
from searcher.records import AddReport, Answer, Document

if TYPE_CHECKING:
    from searcher.faq import Faq

__all__ = ["AsyncSearcher", "Searcher"]

WORKERS = 4
PIECE = 256  # documents that are handed over at once


class Searcher(Citing, Putting, Surrounding, Upkeep):
    """Search over one index folder; safe to share between threads.

    folder: made at the first `add`. engine: "milvus:URI[#collection]" for an index on a server. settings: model,
    pooling, layers, combine, special_tokens, prompts, chunk_tokens, overlap, truncate, device, torch_weights, dtype, as
    in `Wanted`; what is left out is the index's own, or for a new index the model's own.

    Raises SettingsMismatch when the index was made with other settings than those given.
    """

    @property
    def faq(self) -> "Faq":
        """The FAQ entries: `faq.rank`, `faq.calibrate`, `faq.lint`, `faq.log`."""
        from searcher.faq import Faq  # for which a search need not wait

        return Faq(self.engine, self._fitting)

    @overload
    def answer(  # type: ignore[overload-overlap]  # a text is an iterable of texts
        self, question: str, min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | None: ...
    @overload
    def answer(
        self, question: Iterable[str], min_score: float | None = None, min_probability: float | None = None
    ) -> list[Answer | None]: ...
    def answer(
        self, question: str | Iterable[str], min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | list[Answer | None] | None:
        """The answer of the FAQ entry that fits a question best; None if there is none, or it is below what is asked.

        question: a text; of several the answers are a list, in their order.
        min_score: about 0 … 1. min_probability: that the answer is right; needs an index that was calibrated, but for
        0, which any entry reaches. With neither the entry must fit better than one fits a question of another world.
        """
        if not self.exists():
            return None if isinstance(question, str) else [None for _ in query_texts(question)]
        faq = self.faq
        if isinstance(question, str) or not isinstance(question, Iterable):
            return faq.answer(question, min_score, min_probability)
        verdicts = faq.verdicts(query_texts(question), min_score, min_probability)
        return [verdict.answer for verdict in verdicts]


class AsyncSearcher:
    """A `Searcher` for an event loop: every method of it, with `await`; the loop goes on meanwhile.

    folder, settings: as for `Searcher`, or a Searcher that is there already. workers: threads of its own, so many at
    most work at a time and everything else waits. Questions that wait are embedded together. What is cancelled while
    it waits is never done; what is being done already is, and nobody learns of it.
    `close`, or `async with`, ends it.
    """

    def __init__(
        self, folder: str | Path | Searcher = "index_data", *, workers: int = WORKERS, **settings: Any
    ) -> None:
        if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
            raise BadValue(f"workers is {workers!r}; it must be a whole number of at least 1")
        if isinstance(folder, Searcher) and settings:
            raise BadValue(f"a Searcher has its settings already; leave out {', '.join(sorted(settings))}")
        self.searcher = folder if isinstance(folder, Searcher) else Searcher(folder, **settings)
        self._closed = False
        self._watches: dict[ThreadPoolExecutor, Event] = {}
        self._pool = ThreadPoolExecutor(workers, "searcher")
        self._together = Together(self._pool, self.searcher.search)

    async def search(self, query: Any = None, k: int = 10, where: Where = None, **how: Any) -> Any:
        """As `Searcher.search`. Questions that are asked alike while others are answered are asked in one call."""
        how |= {"k": k, "where": where}
        if not isinstance(query, str) or how.get("vector") is not None:
            return await self._run(self.searcher.search, query, **how)
        [text] = query_texts([query])
        try:
            kind = json.dumps(how, sort_keys=True)
        except (TypeError, ValueError):  # of values that JSON does not know it is hard to tell whether they are alike
            return await self._run(self.searcher.search, text, **how)
        from asyncio import wrap_future

        self._check_open()
        return await wrap_future(self._together.submit(text, kind, how))

    async def iterate(self, where: Where = None, *, vectors: bool = False) -> AsyncIterator[Document]:
        """As `Searcher.iterate`."""
        documents = self.searcher.iterate(where, vectors=vectors)
        while piece := await self._run(lambda: list(islice(documents, PIECE))):
            for document in piece:
                yield document

    async def watch(self, folders: Any, *, stop: Event | None = None, **how: Any) -> AsyncIterator[AddReport]:
        """As `Searcher.watch`, in a thread beside the workers. `stop`, `aclose` and `close` of the searcher end it."""
        from asyncio import get_running_loop

        self._check_open()
        stop, thread = stop or Event(), ThreadPoolExecutor(1, "watch")
        reports = self.searcher.watch(folders, stop=stop, **how)
        self._watches[thread] = stop
        try:
            while (report := await get_running_loop().run_in_executor(thread, next, reports, None)) is not None:
                yield report
        finally:
            stop.set()
            thread.shutdown(wait=False)
            self._watches.pop(thread, None)

    async def close(self) -> None:
        """Wait for what is being done, give up what waits, and close the index."""
        from asyncio import to_thread

        self._closed = True
        self._together.cancel()
        for thread, stop in list(self._watches.items()):
            stop.set()
            await to_thread(thread.shutdown)
        await to_thread(self._pool.shutdown, cancel_futures=True)
        self._together.cancel()  # what came in the same moment
        self.searcher.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Any other method of `Searcher`."""
        method = None if name.startswith("_") else getattr(Searcher, name, None)
        if not callable(method):  # properties such as `embedder` are the Searcher's
            raise AttributeError(f"AsyncSearcher has no method {name!r}; its Searcher is `searcher`")
        return partial(self._run, getattr(self.searcher, name))

    async def _run(self, method: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        from asyncio import get_running_loop  # as wrap_future and to_thread: 30 ms that no command line has to wait

        self._check_open()
        return await get_running_loop().run_in_executor(self._pool, partial(method, *arguments, **named))

    def _check_open(self) -> None:
        if self._closed:
            raise IndexUnavailable(f"this AsyncSearcher of {self.searcher.place} was closed")
