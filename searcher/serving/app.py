"""The application: routes, errors and guard put together around one service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRouter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from searcher import __version__
from searcher.serving import problems
from searcher.serving.guard import Application, Guard
from searcher.serving.recording import Figures, Recorded
from searcher.serving.routes import answering, compatible, documents, health, looking, page, searching
from searcher.serving.service import Service

__all__ = ["application"]

ROUTERS: Sequence[APIRouter] = (
    searching.router, answering.router, documents.router, looking.router, compatible.router, health.router, page.router,
)  # fmt: skip
ABOUT = "Semantic search over your own text. Errors are application/problem+json, their line in `detail`."
ERRORS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "What is wrong with the request, in one line.",
        "content": {
            "application/problem+json": {
                "example": {
                    "type": "about:blank", "title": "Unprocessable Content", "status": 422,
                    "detail": "filter 'year >', position 7: a value is missing",
                    "error": {"type": "FilterError", "message": "filter 'year >', position 7: a value is missing"},
                }
            }
        },
    }
}  # fmt: skip


def application(service: Service) -> Application:
    """The ASGI application of a service, which it warms when it starts and closes when it ends."""
    tools = _tools(service)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await service.warm()
        async with AsyncExitStack() as running:
            if tools is not None:
                await running.enter_async_context(tools.router.lifespan_context(tools))
            yield
        await run_in_threadpool(service.close)

    app = FastAPI(
        title="searcher", version=__version__, description=ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None,
        responses=ERRORS,
    )  # fmt: skip
    app.state.service, app.state.figures = service, Figures(service)
    for router in ROUTERS:
        app.include_router(router)
    if tools is not None:
        app.router.routes.extend(tools.routes)
    problems.install(app)
    return Recorded(Guard(app, service.options), app.state.figures, service.options.questions_logged)


def _tools(service: Service) -> Starlette | None:
    """The Model Context Protocol at /mcp, behind the same guard; None where its package is not installed."""
    if find_spec("mcp") is None:
        return None
    from searcher.mcp import streamable_http_app

    return streamable_http_app(service.searcher, allow_writes=service.options.writes)
