"""`Client` and `AsyncClient`: the methods of `Searcher` on an index that a server keeps."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from searcher.cited import Context
from searcher.client import steps
from searcher.client.steps import STEPS, Steps, sent
from searcher.client.transport import (
    Failed,
    Outcome,
    Request,
    connections,
    error_of,
    reply_of,
    seconds_to_wait,
    waiting_connections,
)
from searcher.records import AddReport, Answer, Document, Hits, Passage, ValueCount

if TYPE_CHECKING:
    from searcher.ranking import Mode

__all__ = ["AsyncClient", "Client"]

Where = str | Mapping[Any, Any] | None
T = TypeVar("T")
TIMEOUT = 60.0  # seconds


class Client:
    """An index behind a server (`searcher serve`), asked as a `Searcher`; safe to share between threads.

    url: such as http://127.0.0.1:8917. token: the server's, where it wants one. timeout: seconds that an answer may
    take. `close`, or `with`, ends its connections.

    Every method raises what that of `Searcher` does, with the line of the server; IndexUnavailable where the server
    cannot be reached, does not answer in time or has too much to do. What changes nothing is asked again where the
    connection broke, everything where the server was busy, three times at most.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout: float = TIMEOUT) -> None:
        self.url = url
        self._http = connections(url, token, timeout)

    # -- questions

    @overload
    def search(
        self, query: str, k: int = 10, where: Where = None, min_score: float | None = None, *, vector: Any = None,
        **how: Any,
    ) -> list[Passage]: ...  # fmt: skip
    @overload
    def search(
        self, query: Iterable[str], k: int = 10, where: Where = None, min_score: float | None = None, *,
        vector: Any = None, **how: Any,
    ) -> list[list[Passage]]: ...  # fmt: skip
    @overload
    def search(
        self, query: Any = None, k: int = 10, where: Where = None, min_score: float | None = None, *,
        vector: Any = None, **how: Any,
    ) -> Any: ...  # fmt: skip
    def search(
        self, query: Any = None, k: int = 10, where: Where = None, min_score: float | None = None, *,
        vector: Any = None, **how: Any,
    ) -> Any:  # fmt: skip
        """As `Searcher.search`; how: mode, mmr, per_document, highlight, whole, vectors, exact, ef, nprobe, phrasings,
        literal, include, exclude, and rerank, which is "maxsim" or nothing.
        """
        return self._run(steps.search(query, k, where, min_score, vector=vector, **how))

    def similar(
        self, source: str | Path, k: int = 10, where: Where = None, include: Sequence[str] = (),
        exclude: Sequence[str] = (),
    ) -> Hits:  # fmt: skip
        """As `Searcher.similar`."""
        return self._run(steps.similar(source, k, where, include, exclude))

    @overload
    def answer(  # type: ignore[overload-overlap]
        self, question: str, min_score: float | None = None, min_probability: float | None = None
    ) -> Answer | None: ...
    @overload
    def answer(
        self, question: Iterable[str], min_score: float | None = None, min_probability: float | None = None
    ) -> list[Answer | None]: ...
    def answer(self, question: Any, min_score: float | None = None, min_probability: float | None = None) -> Any:
        """As `Searcher.answer`."""
        return self._run(steps.answer(question, min_score, min_probability))

    def verdicts(
        self, questions: Sequence[str], min_score: float | None = None, min_probability: float | None = None
    ) -> list[tuple[Answer | None, str | None]]:
        """The answer of each question; where there is none, None and why."""
        return self._run(steps.verdicts(questions, min_score, min_probability))

    def context(
        self, question: str, tokens: int = 2000, where: Where = None, min_score: float | None = None, *,
        k: int | None = None, mode: "Mode" = "dense", **how: Any,
    ) -> Context:  # fmt: skip
        """As `Searcher.context`, with tokens as the index's own model counts them."""
        return self._run(steps.context(question, tokens, where, min_score, k=k, mode=mode, **how))

    # -- documents

    def put(
        self, texts: Iterable[str], ids: Iterable[str | None] | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None, *, vectors: Any = None,
        payloads: Iterable[Any] | None = None, whole: bool = False,
        exists: Literal["replace", "skip", "error"] = "replace",
    ) -> list[str]:  # fmt: skip
        """As `Searcher.put`, in requests of at most 500 texts, each kept as a whole or not at all.

        More than one request needs ids.
        """
        how: dict[str, Any] = {"vectors": vectors, "payloads": payloads, "whole": whole, "exists": exists}
        return self._run(steps.put(texts, ids, metadatas, **how))

    def add_texts(
        self, texts: Iterable[str], ids: Iterable[str] | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
    ) -> AddReport:  # fmt: skip
        """As `Searcher.add_texts`, in requests of at most 500 texts, each kept as a whole or not at all."""
        return self._run(steps.add_texts(texts, ids, metadatas))

    def add_bytes(self, data: bytes, label: str) -> AddReport:
        """As `Searcher.add_bytes`: a file's content under a name, whose ending says how it is read."""
        return self._run(steps.add_bytes(data, label))

    def update_metadata(self, where: Where, changes: Mapping[str, Any]) -> int:
        """As `Searcher.update_metadata`."""
        return self._run(steps.update_metadata(where, changes))

    def remove(self, sources: str | Path | Sequence[str | Path] = (), ids: str | Sequence[str] = ()) -> int:
        """As `Searcher.remove`."""
        return self._run(steps.remove(sources, ids))

    def delete(self, ids: str | Sequence[str] | None = None, where: Where = None) -> int:
        """As `Searcher.delete`."""
        return self._run(steps.delete(ids, where))

    def get(self, ids: str | Sequence[str]) -> list[Document]:
        """As `Searcher.get`; documents as `document` gives them."""
        return self._run(steps.get(ids))

    def document(self, source: str | Path) -> Document:
        """As `Searcher.document`, without sections and places."""
        return self._run(steps.document(source))

    def show(self, source: str, passages: bool = False) -> dict[str, Any]:
        """A document as `searcher show --json` prints it; passages: with those that it was cut into."""
        return self._run(steps.show(source, passages))

    def listing(
        self, where: Where = None, include: Sequence[str] = (), exclude: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """As `Searcher.listing`."""
        return self._run(steps.listing(where, include, exclude))

    def count(self, where: Where = None) -> int:
        """As `Searcher.count`; of a filter of passages, the documents that hold one."""
        return self._run(steps.count(where))

    def values(self, key: str, where: Where = None, *, most: int | None = None) -> list[ValueCount]:
        """As `Searcher.values`, a thousand at most: BadValue where there are more and most says nothing."""
        return self._run(steps.values(key, where, most=most))

    def metadata_keys(self) -> dict[str, list[str]]:
        """As `Searcher.metadata_keys`."""
        return self._run(steps.metadata_keys())

    def exists(self) -> bool:
        """As `Searcher.exists`: whether there is an index where the server keeps it."""
        return self._run(steps.exists())

    def counts(self) -> dict[str, int]:
        """As `Searcher.counts`."""
        return self._run(steps.counts())

    def status(self) -> dict[str, Any]:
        """As `Searcher.status`, and under `server` what the server allows."""
        return self._run(steps.status())

    # -- connections

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, asked: Steps[T]) -> T:
        try:
            request = next(asked)
            while True:
                request = sent(asked, self._asked(request), self.url)
        except StopIteration as stop:
            return stop.value

    def _asked(self, request: Request) -> Any:
        tries = 0
        while True:
            outcome: Outcome
            try:
                outcome = self._http.request(**request.arguments)
                if outcome.is_success:
                    return reply_of(outcome)
            except Failed as fault:
                outcome = fault
            tries += 1
            if (seconds := seconds_to_wait(request, tries, outcome)) is None:
                raise error_of(self.url, outcome) from None
            sleep(seconds)


class AsyncClient:
    """A `Client` for an event loop: every method of it, with `await`. `aclose`, or `async with`, ends its connections.

    It belongs to the loop in which it is first used.
    """

    def __init__(self, url: str, *, token: str | None = None, timeout: float = TIMEOUT) -> None:
        self.url = url
        self._http = waiting_connections(url, token, timeout)

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Any method of `Client`."""
        if name not in STEPS:
            raise AttributeError(f"AsyncClient has no method {name!r}; it has {', '.join(STEPS)}")
        return partial(self._run, STEPS[name])

    async def aclose(self) -> None:
        """End the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _run(self, ask: Callable[..., Steps[T]], /, *arguments: Any, **named: Any) -> T:
        asked = ask(*arguments, **named)
        try:
            request = next(asked)
            while True:
                request = sent(asked, await self._asked(request), self.url)
        except StopIteration as stop:
            return stop.value

    async def _asked(self, request: Request) -> Any:
        from asyncio import sleep as pause

        tries = 0
        while True:
            outcome: Outcome
            try:
                outcome = await self._http.request(**request.arguments)
                if outcome.is_success:
                    return reply_of(outcome)
            except Failed as fault:
                outcome = fault
            tries += 1
            if (seconds := seconds_to_wait(request, tries, outcome)) is None:
                raise error_of(self.url, outcome) from None
            await pause(seconds)
