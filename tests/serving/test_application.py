"""What an application takes in of others is behind the same guard, and begins and ends with it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from searcher import Searcher
from searcher.errors import BadValue
from searcher.serving import Options, Service, application
from searcher.serving.service import CHANGES, SMALL

TOKEN = "0123456789abcdef"


async def ask(app: Any, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of a GET."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": pairs,
    }
    await app(
        scope | {"http_version": "1.1", "scheme": "http", "root_path": "", "asgi": {"version": "3.0"}}, receive, send
    )
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_the_routes_of_another_application_are_guarded_and_live_as_long(tmp_path: Path) -> None:
    life: list[str] = []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        life.append("begun")
        yield
        life.append("ended")

    async def hello(request: Request) -> PlainTextResponse:
        return PlainTextResponse("hello")

    other = Starlette(routes=[Route("/other", hello)], lifespan=lifespan)
    app = application(Service(Searcher(tmp_path / "index"), Options(token=TOKEN)), [other])

    async def main() -> list[tuple[int, bytes]]:
        events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        living = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, events.get, told.put))
        await events.put({"type": "lifespan.startup"})
        assert (await told.get())["type"] == "lifespan.startup.complete"
        assert life == ["begun"]
        own, bearer = {"Host": "localhost"}, {"Authorization": f"Bearer {TOKEN}"}
        found = [
            await ask(app, "/other", own | bearer), await ask(app, "/other", own), await ask(app, "/other", bearer | {"Host": "e"}),
            await ask(app, "/healthz", own),
        ]  # fmt: skip
        await events.put({"type": "lifespan.shutdown"})
        await living
        return found

    found = asyncio.run(main())
    assert [status for status, _ in found] == [200, 401, 403, 200]
    assert found[0][1] == b"hello"
    assert life == ["begun", "ended"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "0.0.0.0"},
        {"host": "example.org"},
        {"host": ""},
        {"token": "short"},
        {"token": "ä" * 20},
        {"token": "a" * 20 + "\n"},
    ],
)
def test_options_that_would_open_a_server_to_all_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadValue, match="token"):
        Options(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_on_the_loopback_no_token_is_needed(host: str) -> None:
    assert Options(host=host).is_loopback


def test_a_server_that_is_written_to_gives_memory_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    monkeypatch.setattr("searcher.serving.service.give_memory_back", lambda: given.append(len(made)))
    made: list[int] = []
    service = Service(Searcher(tmp_path / "index"), Options(writes=True))

    async def main() -> None:
        for number in range(2 * CHANGES + 1):
            await service.write(lambda number=number: made.append(number))
        await service.write(lambda: made.append(0), SMALL + 1)

    asyncio.run(main())
    service.close()
    assert given == [CHANGES, 2 * CHANGES, 2 * CHANGES + 2]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("search.example.org", "search.example.org"),
        ("Search.Example.ORG.", "search.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("192.168.1.5", "192.168.1.5"),
        ("2001:DB8::0001", "[2001:db8::1]"),
        ("[2001:db8:0:0::1]", "[2001:db8::1]"),
    ],
)
def test_a_name_to_be_reached_by_is_known_as_browsers_send_it(given: str, sent: str) -> None:
    assert sent in (Options(hosts=(given,)).names or ())


@pytest.mark.parametrize(
    "wrong", ["https://search.example.org", "search.example.org:443", "a/b", "", "*", "two names", "a..b", "[::1]:80"]
)
def test_what_is_no_name_to_be_reached_by_is_refused(wrong: str) -> None:
    with pytest.raises(BadValue, match=re.escape(f"a name to be reached by is {wrong!r}; good: one alone, such as ")):
        Options(hosts=(wrong,))
