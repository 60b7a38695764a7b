"""Searches: a question, or several at once; what is like a document; hits as points on a map."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from searcher.serving.asked import Serving, note
from searcher.serving.mapping import mapped
from searcher.serving.models import Globs, Mapping, Searching, SearchingByAddress, Short, Shown, Whole
from searcher.serving.problems import of_lookup
from searcher.serving.replies import hits_of, reply
from searcher.serving.service import Service

router = APIRouter(tags=["search"])

HIT = {
    "rank": 1, "score": 0.71, "id": None, "passage_id": 12, "source": "/home/me/notes/boiler.md", "title": "Boiler",
    "section": "Boiler > Faults", "start": 120, "end": 310, "line": 9, "page": None,
    "text": "It goes off when the pressure falls below 1 bar.", "metadata": {"lang": "en"},
    "highlight": {"text": "It goes off when the pressure falls below 1 bar.", "start": 120, "end": 168, "line": 9},
}  # fmt: skip
FOUND: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The hits as `searcher search --json` prints them, best first; of several questions `results`, "
        "an object with `hits` for each, in their order.",
        "content": {"application/json": {"example": {"hits": [HIT]}}},
    }
}


async def _found(service: Service, query: str | list[str] | None, asked: Shown) -> Response:
    how, stand = asked.how(), asked.stands
    if isinstance(query, str) and "vector" not in how:
        return reply(hits_of(await service.search(query, **how), stand))
    found = await service.work(lambda: service.searcher.search(query, **how))
    several = isinstance(query, list) or isinstance((how.get("vector") or [0])[0], list)
    return reply({"results": [hits_of(own, stand) for own in found]} if several else hits_of(found, stand))


async def answered(service: Service, scope: Scope, asked: Searching) -> Response:
    """The answer to a search."""
    note(scope, asked.query)
    return await _found(service, asked.query, asked)


@router.post("/search", responses=FOUND, summary="Search")
async def search(asked: Searching, request: Request, service: Serving) -> Response:
    """The passages that answer a question best, or each of up to 64 questions."""
    return await answered(service, request.scope, asked)


ROUTE = next(route for route in router.routes if isinstance(route, APIRoute) and route.endpoint is search)


@router.get("/search", responses=FOUND, summary="Search, by address")
async def search_by_address(
    asked: Annotated[SearchingByAddress, Query()], request: Request, service: Serving
) -> Response:
    """The same for one question."""
    note(request.scope, asked.q)
    return await _found(service, asked.q, asked)


@router.get("/similar", responses=FOUND, summary="Passages of other documents that are like a document")
async def similar(
    service: Serving,
    source: Annotated[Short, Query(description="A path, the end of one, a label, a title or an id.")],
    k: Whole = 10,
    where: str | None = None,
    include: Annotated[Globs, Query()] = [],  # noqa: B006 - pydantic copies it
    exclude: Annotated[Globs, Query()] = [],  # noqa: B006
) -> Response:
    """Nearest to the mean of its passages' vectors."""
    work = of_lookup(service.searcher, lambda: service.searcher.document(source).source)
    own = await service.read(work)
    return reply(hits_of(await service.read(lambda: service.searcher.similar(own, k, where, include, exclude))))


@router.post("/map", summary="Hits among their neighbours, as points in the plane")
async def as_map(asked: Mapping, request: Request, service: Serving) -> Response:
    """The question, its k hits and so many passages that come after them, put where their vectors lie: the two
    directions in which these differ most (PCA). `spread` is the share of their differences that the plane shows.
    """
    note(request.scope, asked.query)
    how = {name: value for name, value in asked.how().items() if name != "neighbours"}
    return reply(await service.work(lambda: mapped(service.searcher, asked.query, asked.neighbours, **how)))
