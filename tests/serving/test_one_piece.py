"""What is sent: an answer in one piece, a stream at once, and all of it before a connection is closed."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn

from searcher.serving.wire import Protocol


class Recording(asyncio.Transport):
    """A transport that keeps what is written to it, piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}


async def whole(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": b"body"})


async def streamed(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"bo", "more_body": True})
    await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"dy"})


async def answered(app: Callable[..., Any], request: bytes) -> Recording:
    config = uvicorn.Config(app, http=Protocol, ws="none", log_config=None, access_log=False, date_header=False)
    config.load()
    state = uvicorn.Server(config).server_state
    protocol, transport = Protocol(config, state, {}), Recording()
    protocol.connection_made(transport)
    protocol.data_received(request)
    await asyncio.gather(*state.tasks)
    await asyncio.sleep(0)
    return transport


ASKED = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n"


@pytest.mark.parametrize(
    ("app", "request_", "pieces", "closed"),
    [
        (whole, ASKED, [HEAD + b"\r\nbody"], False),
        (streamed, ASKED, [HEAD + b"\r\n", b"bo", b"dy"], False),
        (whole, ASKED.replace(b"1.1", b"1.0"), [HEAD + b"connection: close\r\n\r\nbody"], True),
        (whole, ASKED.replace(b"GET", b"HEAD"), [HEAD + b"\r\n"], False),
    ],
    ids=["whole", "streamed", "closed behind", "head alone"],
)
def test_an_answer_is_sent_in_one_piece_and_a_stream_as_it_comes(
    app: Callable[..., Any], request_: bytes, pieces: list[bytes], closed: bool
) -> None:
    transport = asyncio.run(answered(app, request_))
    assert transport.sent == pieces
    assert transport.closed == closed


def test_what_is_no_http_is_answered_before_the_connection_is_closed() -> None:
    transport = asyncio.run(answered(whole, b"nonsense\r\n\r\n"))
    assert b"".join(transport.sent).startswith(b"HTTP/1.1 400 ")
    assert transport.closed
