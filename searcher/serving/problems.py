"""Every error as problem+json (RFC 9457): a status, and the line that the command line would print."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from searcher import errors
from searcher.search import Searcher

__all__ = ["KNOWN", "TITLES", "Busy", "GivenUp", "Refused", "install", "of_fault", "of_lookup", "of_unknown", "problem"]

TYPE = "application/problem+json"
T = TypeVar("T")
SHOWN = 5  # faults of a body that are named
RETRY = "1"  # seconds

# The nearest class of an error says its status.
STATUSES: dict[type[Exception], int] = {
    errors.BadValue: 422,
    errors.UnreadableFile: 422,
    errors.SettingsMismatch: 409,
    errors.IndexUnavailable: 503,
    errors.ModelError: 503,
    errors.DamagedIndex: 500,
    errors.SearcherError: 500,
    RecursionError: 422,
}
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 409: "Conflict", 413: "Content Too Large", 415: "Unsupported Media Type",
    414: "URI Too Long", 422: "Unprocessable Content", 429: "Too Many Requests", 431: "Request Header Fields Too Large",
    499: "Client Closed Request", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
DEEP = "it is nested too deeply"
INNER = re.compile(r"(function|constrained)-|(list|dict)\[")  # what pydantic calls the kinds that a value may have


class Refused(HTTPException):
    """A request that is not answered: its status, and why in one line.

    Of HTTP's own kind, for FastAPI lets no other through that comes while it reads a body.
    """

    def __init__(self, status: int, line: str) -> None:
        super().__init__(status, line)
        self.status = status

    def __str__(self) -> str:
        return self.detail


class Busy(Refused):
    """Too much waits already."""

    def __init__(self, line: str) -> None:
        super().__init__(429, line)


class GivenUp(Refused):
    """Nobody waits for the answer any more; the log has it so."""

    def __init__(self) -> None:
        super().__init__(499, "whoever asked is gone")


KNOWN: tuple[type[Exception], ...] = (Refused, *STATUSES)  # errors that have a line for whoever asked


def problem(status: int, line: str, kind: str = "", headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """The response for an error. kind: the name of its class, where it is one of searcher's.

    The line stands under `detail`, and under `error.message`, where clients of OpenAI's interface look for it.
    """
    said = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": line, **more}
    said["error"] = {"type": kind or said["title"], "message": line}
    waits = {"Retry-After": RETRY} if status in (429, 503) else {}
    # In ASCII: a line may quote what is no text.
    return Response(json.dumps(said), status, {**waits, **(headers or {})}, TYPE)


def install(app: FastAPI) -> None:
    """Have an application answer so."""
    for kind in KNOWN:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unknown)


def of_fault(fault: Exception) -> Response:
    """The response for an error of one of the KNOWN classes."""
    if isinstance(fault, Refused):
        return problem(fault.status, str(fault))
    status = next(STATUSES[kind] for kind in type(fault).__mro__ if kind in STATUSES)
    line = DEEP if isinstance(fault, RecursionError) else " ".join(str(fault).split("\n"))
    more: dict[str, Any] = {"position": fault.position} if isinstance(fault, errors.FilterError) else {}
    return problem(status, line, type(fault).__name__, **more)


async def _known(request: Request, fault: Exception) -> Response:
    return of_fault(fault)


async def _http(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    lines = {
        404: f"there is nothing at {request.url.path!r:.200}; /openapi.json lists what there is",
        405: f"{request.method} is not for this path",
        400: "the body is no JSON that can be read",
    }
    return problem(fault.status_code, lines.get(fault.status_code, str(fault.detail)), headers=fault.headers)


async def _invalid(request: Request, fault: Exception) -> Response:
    """What is wrong with a request; nothing of it is quoted, for it may be no JSON: NaN, or half a character."""
    assert isinstance(fault, RequestValidationError)
    faults = fault.errors()
    if any(each["type"] == "json_invalid" for each in faults):
        return problem(400, "the body is no JSON that can be read")
    lines = list(dict.fromkeys(_line(each["loc"], each["msg"]) for each in faults))
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return problem(422, "; ".join(lines[:SHOWN]) + more, "BadValue")


def _line(place: Sequence[Any], message: str) -> str:
    """A fault, and where it is."""
    where = ".".join(f"{part!s:.60}" for part in place[1:] if not INNER.match(str(part)))
    said = message.removeprefix("Value error, ")
    return f"{where or place[0]}: {said[:1].lower()}{said[1:]}"


async def _gone(request: Request, fault: Exception) -> Response:
    return of_fault(GivenUp())


def of_unknown() -> Response:
    """The response for an error that nobody foresaw."""
    return problem(500, "a fault of the server; its log has more")


async def _unknown(request: Request, fault: Exception) -> Response:
    return of_unknown()


def of_lookup(searcher: Searcher, work: Callable[[], T]) -> Callable[[], T]:
    """A work that looks for something by name: what is not there is 404."""

    def looked_up() -> T:
        if not searcher.exists():
            raise Refused(404, "there are no documents yet")
        try:
            return work()
        except errors.BadValue as fault:
            raise Refused(404, str(fault)) from None

    return looked_up
