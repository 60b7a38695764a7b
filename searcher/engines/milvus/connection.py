"""One server asked: with a deadline, again with growing pauses where that may help, in pieces that a call can carry."""

import json
import logging
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from searcher.engines.milvus.address import Access, Address
from searcher.engines.milvus.faults import late, passes, raised, told
from searcher.engines.milvus.tls import check, options
from searcher.errors import SearcherError

__all__ = ["AT_ONCE", "CALL_BYTES", "Connection"]

AT_ONCE = 1000  # rows that are asked for, or ids that are named, in one call
CALL_BYTES = 16 * 2**20  # of the 64 MiB that a call may take; pymilvus writes vectors as text in none of it
STRONG = "Strong"
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0  # seconds
# Answered in moments, else, after so many seconds, asked once more: a proxy waits up to a minute for a query node that
# died, while another has the answer.
QUESTIONS, PATIENCE = ("search", "query"), 10.0
Row = Mapping[str, Any]


class Connection:
    """The client of one address; safe to share between threads, made anew after a fork."""

    def __init__(self, address: Address, access: Access) -> None:
        self.address, self.access = address, access
        self._client: Any = None
        self._pid = 0
        self._lock = threading.Lock()

    def ask(self, method: str, *given: Any, **named: Any) -> Any:
        """A method of `MilvusClient`. IndexUnavailable, in a line, for what fails or takes too long."""
        patience = PATIENCE if method in QUESTIONS else self.access.deadline
        return self._trying(
            lambda left: getattr(self._connected(left), method)(*given, timeout=left, **named), patience
        )

    def _trying(self, call: Callable[[float], Any], patience: float = float("inf")) -> Any:
        """What a call gives, which is told how many seconds it has; made again where that may help.

        patience: seconds after which it is made once more, with all the time that is left.
        """
        try:
            faults = raised()
        except ImportError:
            advice = "pip install 'searcher[milvus]'"
            raise SearcherError(f"the engine {self.address} needs pymilvus: {advice}") from None

        ends, pause = time.monotonic() + self.access.deadline, FIRST_PAUSE
        while True:
            left = max(0.05, ends - time.monotonic())
            try:
                return call(min(left, patience))
            except faults as fault:
                was_late = patience < left and late(fault)
                if time.monotonic() + pause >= ends or not (was_late or passes(fault, self.address)):
                    raise told(fault, self.address, self.access) from None
            if was_late:
                patience = float("inf")
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, LONGEST_PAUSE)

    def query(
        self, collection: str, expression: str, fields: Sequence[str], level: str | None = None, most: int = 2 * AT_ONCE
    ) -> list[dict[str, Any]]:
        """Rows that an expression lets through, so many at most. level: of consistency, else Strong."""
        return list(
            self.ask(
                "query", collection, filter=expression, output_fields=list(fields), limit=most,
                consistency_level=level or STRONG,
            )
        )  # fmt: skip

    def of_ids(
        self, collection: str, ids: Iterable[Any], fields: Sequence[str], level: str | None = None, size: int = AT_ONCE
    ) -> Iterator[dict[str, Any]]:
        """Rows by their ids, those that are there, so many in a call."""
        for some in _pieces(ids, size):
            yield from self.query(collection, f"id in {_listed(some)}", fields, level, size)

    def each(
        self, collection: str, expression: str, fields: Sequence[str], size: int = AT_ONCE
    ) -> Iterator[list[dict[str, Any]]]:
        """All rows that an expression lets through, so many at a time, rising by id; one piece is in memory."""
        walk = self.ask(
            "query_iterator", collection, batch_size=size, filter=expression, output_fields=list(fields),
            consistency_level=STRONG,
        )  # fmt: skip
        try:
            while rows := self._trying(lambda _: walk.next()):
                yield list(rows)
        finally:
            walk.close()

    def count(self, collection: str, expression: str = "", level: str | None = None) -> int:
        """How many rows there are."""
        found = self.ask("query", collection, filter=expression, output_fields=["count(*)"],
                         consistency_level=level or STRONG)  # fmt: skip
        return int(found[0]["count(*)"])

    def put(self, collection: str, rows: Iterable[Row]) -> None:
        """Rows written, in the place of those with the same ids, in calls of bounded size."""
        batch, size = list[Row](), 0
        for row in rows:
            own = _bytes(row)
            if batch and (size + own > CALL_BYTES or len(batch) == AT_ONCE):
                self.ask("upsert", collection, batch)
                batch, size = [], 0
            batch.append(row)
            size += own
        if batch:
            self.ask("upsert", collection, batch)

    def take_out(self, collection: str, ids: Iterable[Any]) -> None:
        """Rows deleted by their ids; one that is not there is none."""
        for some in _pieces(ids, AT_ONCE):
            self.ask("delete", collection, ids=list(some))

    def client(self) -> Any:
        """The client itself, for what asks nothing of the server."""
        return self._trying(self._connected)

    def close(self) -> None:
        """Let go of the client; the next question makes another."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()
            if self.address.is_lite:
                _release(self.address.uri)

    def _connected(self, seconds: float) -> Any:
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                from pymilvus import MilvusClient

                # It prints the traces of what it raises; who asks says it in a line.
                logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
                logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)
                self._client = self._made(MilvusClient, seconds)
                self._pid = os.getpid()
                if self.address.is_lite:
                    _open[self.address.uri] += 1
            return self._client

    def _made(self, kind: Any, seconds: float) -> Any:
        """A client, of that class, of a database that is there."""
        check(self.address, self.access.tls)
        client = kind(
            self.address.uri, token=self.access.token, db_name=self.access.database, timeout=seconds,
            # Else it takes any that was made to that host and port, with whatever TLS or none.
            dedicated=not self.address.is_lite, **options(self.access.tls),
        )  # fmt: skip
        if self.access.database:  # 2.3 says of one that is not there, too, that a collection is not in it
            client.list_collections(timeout=seconds)
        return client


_open: Counter[str] = Counter()  # folders of Milvus Lite, and how many of these connections have each
_releasing = threading.Lock()


def _release(path: str) -> None:
    """Let other processes have a folder of Milvus Lite, once nobody here has it."""
    from milvus_lite.server_manager import server_manager_instance

    with _releasing:
        _open[path] -= 1
        if not _open[path]:
            server_manager_instance.release_server(path)


def _pieces(items: Iterable[Any], size: int) -> Iterator[tuple[Any, ...]]:
    walk = iter(items)
    while piece := tuple(islice(walk, size)):
        yield piece


def _listed(ids: Iterable[Any]) -> str:
    """Ids of ours, whole numbers or letters and digits, as a list of an expression."""
    return f"[{', '.join(json.dumps(own) for own in ids)}]"


def _bytes(row: Row) -> int:
    """About what a row takes in a call."""
    return 200 + sum(len(value) * 4 if hasattr(value, "dtype") else len(str(value).encode()) for value in row.values())
