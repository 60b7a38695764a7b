"""What means the same as another request: HEAD, which is GET without a body, and a slash at the end of a path."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Alike"]


class Alike:
    """Asks an application in the way that its routes know, and says which methods a path knows where it lacks one.

    A redirect in the place of the slash would name the scheme that is spoken here: behind a proxy with TLS, one that
    shows tokens. Of paths that are in none of these routes nothing is known: their GET may never end.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self.app, self.routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["path"] = scope["path"].removesuffix("/") or "/"

        async def answered(message: Message) -> None:
            if message.get("status") == 405 and (known := self._methods(scope)):
                MutableHeaders(raw=message["headers"])["Allow"] = ", ".join(sorted(known))
            await send(message)

        if scope["method"] != "HEAD" or "GET" not in self._methods(scope):
            await self.app(scope, receive, answered)
            return
        asked = {**scope, "method": "GET"}  # another one: what sends the answer leaves out its body by the method
        try:
            await self.app(asked, receive, answered)
        finally:
            scope.update({name: value for name, value in asked.items() if name != "method"})

    def _methods(self, scope: Scope) -> set[str]:
        """Those that a path knows."""
        fitting = [route for route in self.routes if route.matches(scope)[0] is not Match.NONE]
        known = {method for route in fitting for method in getattr(route, "methods", None) or ()}
        return known | ({"HEAD"} if "GET" in known else set())
