"""Requests and what comes back: which are asked again, and a problem as the error that it was at the server.

httpx2 does the talking. A request is asked again only where nothing was done: the server was not reached, or says that
it has too much to do; and one that changes nothing, where the connection broke.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

try:
    import httpx2
except ImportError as fault:
    raise ImportError("a client needs httpx2: pip install 'searcher[client]'") from fault

from searcher import errors
from searcher.errors import BadValue, IndexUnavailable, SearcherError

__all__ = ["Failed", "Outcome", "Request", "connections", "error_of", "reply_of", "seconds_to_wait",
           "waiting_connections"]  # fmt: skip

TRIES = 3
PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds
CONNECTING = 5.0  # seconds
LOOPBACK = ("localhost", "127.0.0.1", "::1")
WRONG = (400, 404, 413, 415, 422)  # a wrong argument, where the server does not name the class of its error
BUSY = 429
LONGEST = 60_000  # bytes of an address: a server reads 65,535
Failed = httpx2.TransportError
Outcome = httpx2.Response | Failed


@dataclass(frozen=True)
class Request:
    """parameters: of the address. body: JSON; data: bytes. safe: whether it changes nothing."""

    method: str
    path: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    data: bytes | None = None
    safe: bool = True

    @property
    def arguments(self) -> dict[str, Any]:
        """As httpx2 takes it. BadValue for more than goes into an address."""
        wanted = {name: value for name, value in self.parameters.items() if value is not None}
        if (length := len(urlencode(wanted, doseq=True, errors="replace"))) > LONGEST:
            raise BadValue(
                f"a filter, names or ids that take {length:,} bytes of an address; at most {LONGEST:,} go there"
            )
        sent: dict[str, Any] = {"method": self.method, "url": self.path, "params": wanted}
        if self.data is not None:
            sent |= {"content": self.data, "headers": {"Content-Type": "application/octet-stream"}}
        elif self.body is not None:
            # In ASCII, so that half a character comes to the server and is told as what it is.
            sent |= {"content": json.dumps(self.body), "headers": {"Content-Type": "application/json"}}
        return sent


def connections(url: str, token: str | None, timeout: float) -> httpx2.Client:
    """What requests go through. BadValue for an address, a token or a time that cannot be."""
    return httpx2.Client(**_options(url, token, timeout))


def waiting_connections(url: str, token: str | None, timeout: float) -> httpx2.AsyncClient:
    """The same for an event loop."""
    return httpx2.AsyncClient(**_options(url, token, timeout))


def _options(url: str, token: str | None, timeout: float) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except (AttributeError, TypeError, ValueError):
        sound = False
    if not sound or parts.query or parts.fragment:
        raise BadValue(f"the server is {url!r:.200}; good: an address such as http://127.0.0.1:8917")
    if token is not None and not (token and token.isascii() and token.isprintable() and " " not in token):
        raise BadValue("the token has a space, a control character or a letter beyond ASCII in it, or is empty")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout < float("inf"):
        raise BadValue(f"timeout is {timeout!r}; good: seconds, such as 60")
    return {
        "base_url": url,
        "headers": {"Authorization": f"Bearer {token}"} if token else {},
        "timeout": httpx2.Timeout(timeout, connect=min(CONNECTING, timeout)),
        "verify": parts.scheme == "https",  # else certificates would be loaded for nothing; no redirect is followed
        "trust_env": parts.hostname not in LOOPBACK,  # no proxy stands before this machine
    }  # fmt: skip


def seconds_to_wait(request: Request, tries: int, outcome: Outcome) -> float | None:
    """Until a request is asked again after so many tries, None where it is not."""
    if tries >= TRIES:
        return None
    if isinstance(outcome, httpx2.Response):
        if outcome.status_code != BUSY:
            return None
        given = outcome.headers.get("Retry-After", "")
        return min(LONGEST_PAUSE, float(given)) if given.isascii() and given.isdigit() else PAUSE * 2**tries
    if isinstance(outcome, httpx2.ConnectError | httpx2.ConnectTimeout):
        return PAUSE * 2**tries if isinstance(outcome, httpx2.ConnectTimeout) else None  # nobody listens there
    broken = isinstance(outcome, httpx2.RemoteProtocolError | httpx2.ReadError | httpx2.WriteError)
    return 0.0 if broken and request.safe else None


def reply_of(response: httpx2.Response) -> Any:
    """The JSON of a reply that is none of an error. SearcherError where it is none."""
    try:
        return response.json()
    except ValueError:
        raise _stranger(response) from None


def error_of(url: str, outcome: Outcome) -> SearcherError:
    """The error that an outcome is."""
    if isinstance(outcome, httpx2.ConnectError | httpx2.ConnectTimeout):
        return IndexUnavailable(f"no server at {url}: {_line(outcome)}; start one: searcher serve")
    if isinstance(outcome, httpx2.TimeoutException):
        return IndexUnavailable(f"the server at {url} did not answer in time; timeout is how long is waited")
    if isinstance(outcome, httpx2.TransportError):
        return IndexUnavailable(f"the connection to {url} broke: {_line(outcome)}")
    try:
        problem = outcome.json()
        line, status = str(problem["detail"]), outcome.status_code
        kind = getattr(errors, str((problem.get("error") or {}).get("type", "")), None)
    except (AttributeError, KeyError, TypeError, ValueError):
        return _stranger(outcome)
    if not (isinstance(kind, type) and issubclass(kind, SearcherError)):
        kind = BadValue if status in WRONG else IndexUnavailable if status in (BUSY, 503) else SearcherError
    return _made(kind, line, problem)


def _made(kind: type[SearcherError], line: str, problem: Mapping[str, Any]) -> SearcherError:
    """An error with the line that it has at the server: its own constructor would make another one."""
    fault = kind.__new__(kind, line)
    fault.args = (line,)
    source, _, reason = line.partition(": ")
    known = {"source": source, "reason": reason, "position": problem.get("position")}
    own = {errors.FilterError: ["position"], errors.UnreadableFile: ["source", "reason"]}.get(kind, [])
    fault.__dict__.update({name: known[name] for name in own})
    return fault


def _stranger(response: httpx2.Response) -> SearcherError:
    said = f"{response.status_code} {response.reason_phrase}".strip()
    return SearcherError(f"{response.url.copy_with(query=None)} answers {said}, and not as a server of searcher does")


def _line(fault: Exception) -> str:
    return " ".join(str(fault).split()) or type(fault).__name__
