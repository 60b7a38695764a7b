"""HTTP as others speak it: heads that never end, methods, paths and bodies that the server's own clients never send."""

import asyncio
import http.client
import json
import socket
from typing import Any

import pytest
import uvicorn
from served import Server

from searcher.serving import guard, wire


def answer_of(server: Server, *pieces: bytes) -> tuple[int, dict[str, Any]]:
    """Status and problem of what is sent as it stands; the connection is closed after it."""
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        for piece in pieces:
            try:
                connection.sendall(piece)
            except ConnectionError:
                break  # it was refused while more was sent
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.headers["Content-Type"] == "application/problem+json"
        body = json.loads(answer.read())
        assert connection.recv(1) == b""
    return answer.status, body


HOST = b"Host: 127.0.0.1\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "line"),
    [
        (
            b"GET /search?q=" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
            414,
            "the address is over 65,535 bytes",
        ),
        (b"nonsense\r\n\r\n", 400, "this is no request in HTTP"),
        (
            b"POST /search HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            400,
            "this is",
        ),
    ],
    ids=["address", "nonsense", "two lengths"],
)
def test_what_is_no_request_is_told_in_a_line(server: Server, sent: bytes, status: int, line: str) -> None:
    got, problem = answer_of(server, sent)
    assert (got, problem["status"]) == (status, status)
    assert problem["detail"].startswith(line)


class Transport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = asyncio.Event()

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return self.closed.is_set()

    def close(self) -> None:
        self.closed.set()

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def forbidden(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def spoken(*pieces: bytes) -> tuple[wire.Protocol, Transport]:
    """A connection to which pieces were sent, one after the other."""
    config = uvicorn.Config(forbidden, http=wire.Protocol, ws="none", log_config=None, access_log=False)
    config.load()
    state = uvicorn.Server(config).server_state
    protocol, transport = wire.Protocol(config, state, {}), Transport()
    protocol.connection_made(transport)
    for piece in pieces:
        if not transport.is_closing():
            protocol.data_received(piece)
    await asyncio.gather(*state.tasks)
    await asyncio.sleep(0)
    return protocol, transport


@pytest.mark.parametrize(
    ("line", "most"), [(b"X-Long: ", b"a" * 1_000), (b"", b"X-Many: 1\r\n" * 100)], ids=["one long", "many"]
)
def test_a_head_without_end_is_refused_before_it_is_complete(line: bytes, most: bytes) -> None:
    pieces = wire.LONGEST_HEAD // len(most) + 2
    _, transport = asyncio.run(spoken(b"GET / HTTP/1.1\r\n" + HOST + line, *[most] * pieces))
    assert transport.sent.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b"the head of the request is over 256 KiB" in transport.sent
    assert transport.closed.is_set()


def test_a_long_body_behind_its_head_is_no_head() -> None:
    head = b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000\r\n\r\n"
    _, transport = asyncio.run(spoken(head, *[b"a" * 100_000] * 10, b"GET / HTTP/1.1\r\n", HOST + b"\r\n"))
    assert transport.sent.count(b"HTTP/1.1 403 Forbidden\r\n") == 2
    assert not transport.closed.is_set()


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nHo", b"HTTP/1.1 408 Request Timeout\r\n"),
        (b"PUT / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\na", b"HTTP/1.1 403 Forbidden\r\n"),
    ],
    ids=["nothing", "half a head", "a body after its answer"],
)
def test_who_sends_nothing_more_keeps_no_connection(
    sent: bytes, answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def until_closed() -> Transport:
        _, transport = await spoken(*[sent] if sent else [])
        await transport.closed.wait()
        return transport

    monkeypatch.setattr(wire, "SECONDS", 0.05)
    assert asyncio.run(until_closed()).sent[: len(answer) or 1] == answer


def test_a_body_has_the_time_that_its_length_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(pause: float) -> int:
        pieces = iter([b"a" * 1_000] * 5)
        taken = 0

        async def receive() -> dict[str, Any]:
            await asyncio.sleep(pause)
            piece = next(pieces, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        limited = guard._limited(receive, 10_000)
        while (message := await limited())["more_body"]:
            taken += len(message["body"])
        return taken

    monkeypatch.setattr(guard, "BODY_SECONDS", 1.0)
    monkeypatch.setattr(guard, "BODY_SPEED", 100)  # bytes a second: 10 s for each piece
    assert asyncio.run(read(0.3)) == 5_000
    monkeypatch.setattr(guard, "BODY_SPEED", 10**9)
    with pytest.raises(guard.Refused, match=r"^the body did not come in 1 seconds$"):
        asyncio.run(read(0.3))


PATHS = {
    "/": "GET, HEAD",
    "/healthz": "GET, HEAD",
    "/page/main.js": "GET, HEAD",
    "/search": "GET, HEAD, POST",
    "/documents": "DELETE, GET, HEAD, PATCH, POST",
    "/files/a.md": "PUT",
    "/v1/models/any/name": "GET, HEAD",
    "/status": "GET, HEAD",
    "/openapi.json": "GET, HEAD",
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_says_all_the_methods_that_it_knows(server: Server, path: str) -> None:
    reply = server.ask("OPTIONS", path)
    assert reply.status == 405
    assert ", ".join(sorted(reply.headers["Allow"].split(", "))) == PATHS[path]


@pytest.mark.parametrize("path", ["/", "/healthz", "/page/look.css", "/search?q=bank", "/documents?limit=2", "/keys"])
def test_head_is_get_without_its_body(server: Server, path: str) -> None:
    head, whole = server.ask("HEAD", path), server.get(path)
    assert (head.status, head.body) == (200, b"")
    for name in ("Content-Length", "Content-Type", "Cache-Control", "Content-Security-Policy"):
        assert head.headers[name] == whole.headers[name]


def test_head_is_guarded_as_get_is(server: Server) -> None:
    assert server.ask("HEAD", "/status", headers={"Host": "evil.test"}).status == 403
    assert server.ask("HEAD", "/search").status == 422
    assert server.ask("HEAD", "/context").status == 405
    assert server.ask("HEAD", "/mcp").status == 405


def test_a_slash_at_the_end_of_a_path_changes_nothing_and_leads_nowhere_else(server: Server) -> None:
    for path in ("/status", "/healthz", "/keys"):
        reply = server.get(f"{path}/")
        assert (reply.status, reply.headers["Location"]) == (200, None)
    assert (
        server.post("/search/", {"query": "bank", "k": 1}).json
        == server.post("/search", {"query": "bank", "k": 1}).json
    )
    assert server.get("//evil.test/").status == 404


@pytest.mark.parametrize(
    ("name", "value", "status", "line"),
    [
        ("Content-Encoding", "gzip", 415, "the body is compressed (Content-Encoding); send it as it is"),
        ("Content-Encoding", "br", 415, "the body is compressed (Content-Encoding); send it as it is"),
        ("Content-Range", "bytes 3-5/6", 400, "a part of a file (Content-Range) is not taken; send all of it"),
    ],
)
def test_a_body_that_is_not_all_or_not_as_it_is_is_refused(
    writable: Server, name: str, value: str, status: int, line: str
) -> None:
    replies = [
        writable.ask("PUT", "/files/part.md", b"# a part\n", {name: value}),
        writable.post("/search", {"query": "a part"}, **{name: value}),
    ]
    assert [(reply.status, reply.json["detail"]) for reply in replies] == [(status, line)] * 2
    assert writable.get("/documents/text?source=part.md").status == 404


def test_changes_are_counted_by_their_method(writable: Server) -> None:
    writable.post("/texts", {"texts": ["a text"], "ids": ["counted"]})
    before = writable.counted("PATCH", "/documents", 200)
    assert writable.ask("PATCH", "/documents", {"where": "id = 'counted'", "changes": {"a": 1}}).json == {"changed": 1}
    assert writable.counted("PATCH", "/documents", 200) == before + 1
    assert writable.ask("DELETE", "/documents?id=counted").json == {"removed": 1}


def test_a_fault_within_a_list_is_told_without_the_names_of_types(server: Server) -> None:
    told = server.post("/search", {"query": ["a", ""]}).json["detail"]
    assert told == "query: input should be a valid string; query.1: string should have at least 1 character"


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
QUESTION = b'{"query": "bank", "k": 1}'
ASKED = b"POST /search HTTP/1.1\r\n" + HOST + UPGRADE + b"Content-Type: application/json\r\n"
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + QUESTION[:5] + b"\r\n14\r\n" + QUESTION[5:] + b"\r\n0\r\n\r\n"
MORE = b"GET /healthz HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n"


@pytest.mark.parametrize("step", [1, 7, 10**6])
@pytest.mark.parametrize(
    "body", [b"Content-Length: %d\r\n\r\n%b" % (len(QUESTION), QUESTION), CHUNKS], ids=["whole", "in chunks"]
)
def test_who_would_rather_speak_http_2_is_answered_in_http_1(server: Server, body: bytes, step: int) -> None:
    sent = ASKED + body + MORE + ASKED + body
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(sent), step):
            connection.sendall(sent[at : at + step])
        answers = []
        with connection.makefile("rb") as stream:
            for _ in range(3):
                assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
                length = http.client.parse_headers(stream)["Content-Length"]
                answers.append(json.loads(stream.read(int(length))))
    assert answers[0] == answers[2] == server.post("/search", json.loads(QUESTION)).json
    assert answers[1] == {"status": "ok"}


def test_a_body_behind_an_upgrade_may_be_empty_or_wrong(server: Server) -> None:
    status, problem = answer_of(server, ASKED + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    assert (status, problem["detail"]) == (422, "body: field required")
    status, problem = answer_of(server, ASKED + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert (status, problem["detail"]) == (400, "this is no request in HTTP that can be read")


def test_who_gives_up_is_not_waited_for_and_breaks_nothing(writable: Server) -> None:
    before = writable.log.read_text()
    ask = b"%b HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    body = b'{"query": "bank", "k": 5, "highlight": true}'
    for sent in (ask % (b"PUT /files/cut.md", 100, b"# half of"), *[ask % (b"POST /search", len(body), body)] * 50):
        with socket.create_connection(("127.0.0.1", writable.port), 60) as connection:
            connection.sendall(sent)
    assert writable.post("/search", json.loads(body)).status == 200
    assert writable.get("/documents/text?source=cut.md").status == 404
    told = writable.log.read_text().removeprefix(before)
    assert '"status": 499' in told
    assert '"status": 500' not in told
    assert '"trace"' not in told
