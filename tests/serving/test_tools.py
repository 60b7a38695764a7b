"""The tools of the Model Context Protocol under a running server: the SDK's client over HTTP, behind the guard."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from conftest import Server

from searcher import Searcher

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp import Client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_model_asks_over_http(server: Server, index: Path, mode: Any) -> None:
    async def run() -> Any:
        async with Client(f"{server.url}/mcp", mode=mode) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert names == ["search", "fetch", "answer", "context", "list"]
            assert (await client.call_tool("search", {"query": " "})).is_error
            return await client.call_tool("search", {"query": "money in the bank", "k": 2})

    found = asyncio.run(run()).structured_content["results"]
    assert [hit["text"] for hit in found] == [hit.text for hit in Searcher(index).search("money in the bank", 2)]


def test_only_a_server_that_may_be_written_to_offers_writing(writable: Server) -> None:
    async def run() -> list[str]:
        async with Client(f"{writable.url}/mcp") as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    assert asyncio.run(run())[-2:] == ["add", "remove"]


def test_the_guard_stands_before_the_tools_too(server: Server) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    assert server.ask("POST", "/mcp", call, accept | {"Origin": "http://evil.test"}).status == 403
    assert server.ask("POST", "/mcp", call, accept | {"Host": "evil.test"}).status == 403
    assert server.ask("POST", "/mcp", call, accept | {"Content-Type": "text/plain"}).status == 415
