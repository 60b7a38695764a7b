"""What every route is given: the service, and where it says what was asked for the log."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from searcher.serving.service import Service

__all__ = ["Serving", "note"]


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Serving = Annotated[Service, Depends(_service)]


def note(scope: Scope, question: str | Sequence[str] | None) -> None:
    """Tell the log what was asked; it keeps that only where the server was started so."""
    scope["searcher.question"] = question
