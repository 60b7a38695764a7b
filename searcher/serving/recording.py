"""What is kept of each request: a line of JSON in the log, and figures for Prometheus. No text of a question, unless
the server was started so, and never a token.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from searcher.serving.guard import Application, Receive, Scope, Send
from searcher.serving.service import Service

__all__ = ["Figures", "JsonLines", "Recorded", "all_told", "log"]

log = logging.getLogger("searcher.serving")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)  # seconds
UNKNOWN = "other"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
DESCRIBED = ("documents", "passages")
AFTER = 0.002  # seconds after its answer that a request stands in the log: who asks again at once is heard first


class Figures:
    """The figures of one server. Labels are routes as they are declared, so that nobody can make new ones."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route")
        self.requests = Counter("searcher_requests", "Requests answered.", (*labels, "status"), registry=self.registry)
        self.seconds = Histogram(
            "searcher_request_seconds", "From a request's head to the end of its answer.", labels,
            registry=self.registry, buckets=BUCKETS,
        )  # fmt: skip
        waiting = Gauge("searcher_waiting", "Requests that wait in a lane.", ("lane",), registry=self.registry)
        for lane in service.lanes:
            waiting.labels(lane.name).set_function(lane.__len__)
        holds = Gauge("searcher_index", "What the index holds.", ("what",), registry=self.registry)
        for what in DESCRIBED:
            holds.labels(what).set_function(lambda what=what: service.searcher.counts()[what])  # type: ignore[misc]


class Recorded:
    """Times each request of an application, and tells log and figures of it."""

    def __init__(self, app: Application, figures: Figures, questions_logged: bool) -> None:
        self.app, self.figures, self.questions_logged = app, figures, questions_logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record a request (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 0

        async def told(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, told)
        finally:
            self._record(scope, status or 500, time.perf_counter() - begun)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in METHODS else UNKNOWN
        route = getattr(scope.get("route"), "path", UNKNOWN)
        self.figures.requests.labels(method, route, str(status)).inc()
        self.figures.seconds.labels(method, route).observe(seconds)
        if not log.isEnabledFor(logging.INFO):
            return
        line = {"method": method, "route": route, "status": status, "milliseconds": round(1_000 * seconds, 2)}
        if self.questions_logged and (question := scope.get("searcher.question")) is not None:
            line["question"] = question
        asyncio.get_running_loop().call_later(AFTER, _tell, line)


def _tell(line: Mapping[str, Any]) -> None:
    log.info("request", extra={"told": line})


async def all_told() -> None:
    """Wait until the log has every request that was answered."""
    await asyncio.sleep(AFTER)  # behind all that waits as long already


class JsonLines(logging.Formatter):
    """A record as an object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": at, "level": record.levelname.lower(), "message": " ".join(record.getMessage().split())}
        line |= getattr(record, "told", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line)
