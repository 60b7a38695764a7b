"""How the server fares: for people, for what watches it, and for Prometheus."""

from typing import Any

from fastapi import APIRouter, Request, Response

from searcher import __version__
from searcher.serving.asked import Serving
from searcher.serving.replies import reply

router = APIRouter(tags=["health"])


@router.get("/status", summary="What the index holds")
async def status(service: Serving) -> Response:
    """As `searcher status --json`, and what this server allows; only `exists` false where there is no index yet."""

    def work() -> dict[str, Any]:
        searcher = service.searcher
        if not searcher.exists():
            return {"exists": False, "folder": searcher.place}
        far = searcher.under_way()
        return {"exists": True, **searcher.status(), "under_way": None if far is None else str(far)}

    allowed = {"version": __version__, "writes": service.options.writes, "most_body": service.options.most_body}
    return reply(await service.read(work) | {"server": allowed})


@router.get("/healthz", summary="Whether it answers")
async def healthz(service: Serving) -> Response:
    """200 where the index can be read; it needs no token and says nothing of what is there."""
    await service.read(lambda: service.searcher.exists() and service.searcher.engine.head())
    return reply({"status": "ok"})


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """Requests by route and status with their times, what waits in each lane, and what the index holds."""
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    return Response(generate_latest(request.app.state.figures.registry), media_type=CONTENT_TYPE_LATEST)
