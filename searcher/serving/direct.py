"""A way of its own for what nearly every request is, a search: the same answer, without a framework's detours."""

from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from searcher.serving.models import Searching
from searcher.serving.problems import KNOWN, of_fault, of_unknown
from searcher.serving.routes import searching
from searcher.serving.service import Service

__all__ = ["Direct"]


class Direct:
    """Answers a search by POST; all else goes on to the application, and so does a body that is not as it should be.

    Finding a route, its dependencies and their exit stacks takes FastAPI longer than the index takes to be searched.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI), or pass it on."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] != searching.ROUTE.path:
            await self.app(scope, receive, send)
            return
        messages = await _whole(receive)
        try:
            asked = Searching.model_validate_json(b"".join(message.get("body", b"") for message in messages))
        except ValidationError:
            await self.app(scope, _again(messages, receive), send)
            return
        scope["route"] = searching.ROUTE
        try:
            response = await searching.answered(self.service, scope, asked)
        except KNOWN as fault:
            response = of_fault(fault)
        except Exception:
            await of_unknown()(scope, receive, send)
            raise  # for the log
        await response(scope, receive, send)


async def _whole(receive: Receive) -> list[Message]:
    """All of a body, or what came of it."""
    messages = [await receive()]
    while messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    """The same once more, then what comes."""
    left = iter(messages)

    async def received() -> Message:
        return next(left, None) or await receive()

    return received
