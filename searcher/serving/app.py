"""The application: routes, errors and guard put together around one service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRouter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from searcher import __version__
from searcher.serving import problems
from searcher.serving.alike import Alike
from searcher.serving.direct import Direct
from searcher.serving.guard import Application, Guard
from searcher.serving.recording import Figures, Recorded, all_told
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


def application(service: Service, others: Sequence[Starlette] = ()) -> Application:
    """The ASGI application of a service, which it warms when it starts and closes when it ends.

    others: applications whose routes it takes in, behind the same guard; each begins and ends with it.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for other in others:
                await stack.enter_async_context(other.router.lifespan_context(other))
            await service.warm()
            yield
        await run_in_threadpool(service.close)
        await all_told()

    app = FastAPI(
        title="searcher", version=__version__, description=ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None,
        responses=ERRORS, redirect_slashes=False,
    )  # fmt: skip
    app.state.service, app.state.figures = service, Figures(service)
    for router in ROUTERS:
        app.include_router(router)
    for other in others:
        app.router.routes.extend(other.routes)
    problems.install(app)
    inner = Alike(Direct(app, service), [route for router in ROUTERS for route in router.routes])
    return Recorded(Guard(inner, service.options), app.state.figures, service.options.questions_logged)
