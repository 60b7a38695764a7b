"""The guard: what may come in at all, decided before anything else looks at a request."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from hmac import compare_digest
from typing import Any

from searcher.serving.lanes import GONE
from searcher.serving.options import Options
from searcher.serving.problems import Refused, problem

__all__ = ["Guard"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_SECONDS = 60.0  # for all of a body to come, and one more
BODY_SPEED = 2**14  # for each so many bytes that came
DRAINED = 4  # times the longest body are read of one that is too long
READING = ("GET", "HEAD")
SENDING = ("POST", "PATCH")  # what comes as JSON
JSON = ("application/json",)
HOST = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]+)(:[0-9]*)?")  # a name, and a port
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
UNCACHED = (b"cache-control", b"no-store")


class Guard:
    """Lets a request through to an application, or answers it with a problem.

    A page of somebody else's, opened in a browser on this machine, must reach nothing: neither under a name of its own
    that leads here (DNS rebinding: Host), nor with a form or a script (CSRF: Origin, Sec-Fetch-Site, the type of a
    body). No CORS header is ever sent.
    """

    def __init__(self, app: Application, options: Options) -> None:
        self.app, self.options, self.names = app, options, options.names
        self.token = None if options.token is None else options.token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Guard a request (ASGI)."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def answered(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                cached = any(name.lower() == UNCACHED[0] for name, _ in given)
                message = {**message, "headers": given + HEADERS + ([] if cached else [UNCACHED])}
            await send(message)

        if gone := scope.get(GONE.name):
            GONE.set(gone)
        try:
            if scope["type"] != "http":
                raise Refused(403, "only HTTP is spoken here")
            self._check(scope)
            await self.app(scope, _limited(receive, self.options.most_body), answered)
        except Refused as fault:
            headers = {"WWW-Authenticate": "Bearer"} if fault.status == 401 else {}
            if fault.status in (408, 413):
                headers["Connection"] = "close"
            if fault.status == 413:
                await _drained(receive, DRAINED * self.options.most_body)
            await problem(fault.status, str(fault), headers=headers)(scope, receive, answered)

    def _check(self, scope: Scope) -> None:
        """Refused for what may not come in."""
        several: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            several.setdefault(name.lower(), []).append(value)
        host = self._host(several.get(b"host", []))
        if not is_open(scope):
            _check_origin(several, host)
            self._check_token(several.get(b"authorization", []))
        _check_body(scope["method"], several, self.options.most_body)

    def _host(self, given: list[bytes]) -> str:
        """The name that we were reached by."""
        host = given[0].decode("latin-1").lower() if len(given) == 1 else ""
        name = found[1] if (found := HOST.fullmatch(host)) else ""
        if not name or (self.names is not None and name.rstrip(".") not in self.names):
            raise Refused(403, "the Host header names another server; searcher serve --allow-host NAME makes one ours")
        return host

    def _check_token(self, given: list[bytes]) -> None:
        if self.token is None:
            return
        scheme, _, token = (given[0] if len(given) == 1 else b"").partition(b" ")
        if scheme.lower() != b"bearer" or not compare_digest(token.strip(), self.token):
            raise Refused(401, "a token is needed: Authorization: Bearer TOKEN")


def is_open(scope: Scope) -> bool:
    """Whether it is the page itself, or the question whether we live: neither says anything of the index."""
    path = scope["path"]
    return scope["method"] in READING and (path in ("/", "/healthz") or path.startswith("/page/"))


def _check_origin(headers: dict[bytes, list[bytes]], host: str) -> None:
    for origin in headers.get(b"origin", []):
        if origin.decode("latin-1").lower().partition("://")[2] != host:
            raise Refused(403, "a page of another origin may not ask here")
    if any(site not in (b"same-origin", b"none") for site in headers.get(b"sec-fetch-site", [])):
        raise Refused(403, "a page of another site may not ask here")


def _check_body(method: str, headers: dict[bytes, list[bytes]], most: int) -> None:
    """A form of another page can send some types without being asked; JSON is none of them, nor is PUT."""
    kinds = [kind.partition(b";")[0].strip().lower().decode("latin-1") for kind in headers.get(b"content-type", [])]
    if method in SENDING and (len(kinds) != 1 or kinds[0] not in JSON):
        raise Refused(415, "the body must be JSON: Content-Type: application/json")
    if any(coding.strip().lower() not in (b"", b"identity") for coding in headers.get(b"content-encoding", [])):
        raise Refused(415, "the body is compressed (Content-Encoding); send it as it is")
    if b"content-range" in headers:
        raise Refused(400, "a part of a file (Content-Range) is not taken; send all of it")
    for length in headers.get(b"content-length", []):
        if not length.isdigit() or len(length) > 20 or int(length) > most:
            raise Refused(413, _too_long(most))


def _limited(receive: Receive, most: int) -> Receive:
    """The body, as long as it is not longer than that, and comes in time."""
    loop = asyncio.get_running_loop()
    begun, taken, whole = loop.time(), 0, False

    async def limited() -> MutableMapping[str, Any]:
        nonlocal taken, whole
        if whole:
            return await receive()
        try:
            async with asyncio.timeout_at(begun + BODY_SECONDS + taken / BODY_SPEED):
                message = await receive()
        except TimeoutError:
            raise Refused(408, f"the body did not come in {loop.time() - begun:.0f} seconds") from None
        taken += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if taken > most:
            raise Refused(413, _too_long(most))
        return message

    return limited


async def _drained(receive: Receive, most: int) -> None:
    """Read on for a while: who is still sending would never see the answer."""
    taken, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(BODY_SECONDS):
            while more and taken <= most:
                message = await receive()
                taken += len(message.get("body", b""))
                more = bool(message.get("more_body", False))


def _too_long(most: int) -> str:
    return f"the body is over {most / 2**20:g} MiB; searcher serve --max-body MIB allows more"
