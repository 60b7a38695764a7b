"""What comes over stdin and is no message: the SDK passes it over in silence, and whoever asked would wait for ever."""

import json
from typing import Any

from anyio import EndOfStream
from mcp import types
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

__all__ = ["Answered"]

SHORT = 18  # digits of a number that an id may be


class Answered:
    """A stream of the SDK without what is no message, which is answered with an error.

    incoming: gives messages, and an exception for what was none. outgoing: takes what is sent.
    """

    def __init__(self, incoming: Any, outgoing: Any) -> None:
        self._incoming, self._outgoing = incoming, outgoing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._incoming, name)

    def __aiter__(self) -> "Answered":
        return self

    async def __anext__(self) -> Any:
        while isinstance(found := await anext(self._incoming), Exception):
            if error := _error(found):
                await self._outgoing.send(SessionMessage(error))
        return found

    async def receive(self) -> Any:
        """The next message. EndOfStream at the end."""
        try:
            return await anext(self)
        except StopAsyncIteration:
            raise EndOfStream from None

    async def __aenter__(self) -> "Answered":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._incoming.aclose()


def _error(fault: Exception) -> types.JSONRPCError | None:
    """The error that answers; None for an empty line."""
    faults = fault.errors(include_url=False) if isinstance(fault, ValidationError) else []
    if faults and faults[0]["type"] == "json_invalid":
        line = str(faults[0]["input"])
        if not line.strip():
            return None
        code, said, message = types.PARSE_ERROR, faults[0]["msg"], _read(line)
    else:
        code, said = types.INVALID_REQUEST, "this is no message of JSON-RPC 2.0"
        message = next((each["input"] for each in faults if isinstance(each["input"], dict)), None)
    given = message.get("id") if isinstance(message, dict) else None
    own = given if isinstance(given, int | str) and not isinstance(given, bool) else None
    return types.JSONRPCError(jsonrpc="2.0", id=own, error=types.ErrorData(code=code, message=said))


def _read(line: str) -> Any:
    """A line that is JSON after all to Python, which takes half a character; its large numbers are left out."""
    try:
        return json.loads(line, parse_int=lambda digits: int(digits) if len(digits) <= SHORT else None)
    except (ValueError, RecursionError):
        return None
