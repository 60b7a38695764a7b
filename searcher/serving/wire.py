"""What goes over the wire: a request's head of some length in some time, an answer's head and body in one piece."""

import asyncio
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from searcher.serving.lanes import GONE
from searcher.serving.problems import TITLES, problem

__all__ = ["Protocol"]

SECONDS = 30.0  # for what nobody works on yet, or any more: a head to come, the rest of a body after its answer
LONGEST_ADDRESS = 65_535  # bytes; its parser counts no further
LONGEST_HEAD = 2**18  # bytes, the address included
FRAMING = (b"content-length", b"transfer-encoding")  # the headers that say where a body ends


class Protocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, over a transport that joins.

    The guard sees a request when its head is complete. So that nobody takes memory or a connection without end before
    that, or behind an answer, what comes then is bounded here.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._coming = "nothing"  # of a request: nothing, its head, its body
        self._head = 0  # bytes of it
        self._timer: asyncio.TimerHandle | None = None
        self._framing: list[tuple[bytes, bytes]] = []  # of a body that its parser passed over
        self._again = False  # whether a head is parsed that was there already
        self.parser = _Parser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        super().connection_made(_Joining(transport, self.loop))  # type: ignore[arg-type]
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End it."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what comes."""
        began = self._coming
        super().data_received(data)
        if began == "head" == self._coming:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self._refuse(431, f"the head of the request is over {LONGEST_HEAD // 1024} KiB")
        if self._coming != "nothing" and self._timer is None:
            self._wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._again:
            return
        self._coming, self._head = "head", 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Its address, or a part of it."""
        if not self._again:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        if not self._again:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is there."""
        if self._again:
            return
        self._coming = "body"
        self._framing = [each for each in self.headers if each[0] in FRAMING] if self.parser.should_upgrade() else []
        super().on_headers_complete()
        scope: Any = self.scope
        cycle = self.cycle
        scope[GONE.name] = lambda: cycle.disconnected

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self._framing:
            return  # the body is still to come
        self._coming = "nothing"
        self._wait_no_more()
        super().on_message_complete()

    def go_on(self, rest: bytes) -> None:
        """Take what comes behind the head of a request that would rather speak something else than HTTP/1.1."""
        framing, self._framing, self.parser = self._framing, [], _Parser(self)
        if framing:
            self._again = True
            self.parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *(b"%s: %s" % each for each in framing), b"", b""]))
            self._again = False
        self.parser.feed_data(rest)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        if len(getattr(self, "url", b"")) > LONGEST_ADDRESS:
            self._refuse(414, f"the address is over {LONGEST_ADDRESS:,} bytes; what is long goes by POST")
        else:
            self._refuse(400, "this is no request in HTTP that can be read")

    def _refuse(self, status: int, line: str) -> None:
        """Answer with a problem, outside of any request, and close."""
        self._wait_no_more()
        if self.transport.is_closing():
            return
        answer = problem(status, line, headers={"Connection": "close"})
        head = [b"HTTP/1.1 %d %s" % (status, TITLES[status].encode())]
        head += [b"%s: %s" % pair for pair in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"", answer.body]))
        self.transport.close()

    # -- time

    def _wait(self) -> None:
        self._timer = self.loop.call_later(SECONDS, self._waited)

    def _wait_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _waited(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait()  # it is worked on, and whoever reads a body sees to its time
        elif self._coming == "head":
            self._refuse(408, f"the head of the request did not come within {SECONDS:.0f} seconds")
        else:
            self.transport.close()


class _Parser(HttpRequestParser):
    """A parser for which Upgrade is a header like others.

    Java's own client and curl --http2 ask with every request whether HTTP/2 is spoken here. The parser takes that for
    the end of HTTP: it passes over the body, so that whoever asked would be told that there is none.
    """

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self._protocol = protocol
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it

    def feed_data(self, data: Any) -> None:
        """Parse what comes."""
        try:
            super().feed_data(data)
        except HttpParserUpgrade as end:
            self._protocol.go_on(data[end.args[0] :])


class _Joining:
    """A transport that keeps what is written to it until more comes, or until the loop turns.

    uvicorn writes a head, and at once the body: sent apart, they cost a client that waits two awakenings, and on a busy
    machine the server its core in between.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._kept = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, perhaps a moment later."""
        if self._kept:
            self._flush(data)
        elif data:
            self._kept = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Send what is kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self, data: bytes = b"") -> None:
        if kept := self._kept + data:
            self._kept = b""
            self._transport.write(kept)
