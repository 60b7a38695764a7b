"""Documents: which there are, what they say, adding and removing them."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from searcher.errors import BadValue, UnreadableFile
from searcher.serving.asked import Serving
from searcher.serving.models import Adding, Changing, Filter, Globs, Keeping, Short
from searcher.serving.problems import of_lookup
from searcher.serving.replies import reply
from searcher.serving.uploads import check_name
from searcher.text import line_at

router = APIRouter(tags=["documents"])

MOST_LISTED = 1_000
LEAST_FILE = 100_000  # bytes as which a file counts: it may be compressed, and takes a process to read
AROUND = 600  # characters before and after a hit
Source = Annotated[Short, Query(description="A path, the end of one, a label, a title or an id.")]
Offset = Annotated[int, Query(ge=0, le=2**31)]


@router.get("/documents", summary="List the documents")
async def documents(
    service: Serving,
    where: Filter | None = None,
    include: Annotated[Globs, Query()] = [],  # noqa: B006 - pydantic copies it
    exclude: Annotated[Globs, Query()] = [],  # noqa: B006
    offset: Offset = 0,
    limit: Annotated[int, Query(ge=0, le=MOST_LISTED)] = 100,
) -> Response:
    """`documents` in the order of sources, as `searcher list --json` prints them; `total`: how many there are."""
    found = await service.read(lambda: service.searcher.listing(where, include, exclude))
    return reply({"documents": found[offset : offset + limit], "total": len(found)})


@router.post("/documents", summary="Keep texts")
async def keep(given: Keeping, service: Serving) -> Response:
    """Each text under its id; `ids` are those of all, in their order. Where one cannot be stored, none is."""
    kept = given.documents
    vectors = None if all(each.vector is None for each in kept) else [each.vector for each in kept]

    def work() -> list[str]:
        return service.searcher.put(
            [each.text for each in kept], [each.id for each in kept], [each.metadata for each in kept],
            vectors=vectors, payloads=[each.payload for each in kept], whole=given.whole, exists=given.exists,
        )  # fmt: skip

    return reply({"ids": await service.write(work, sum(len(each.text) for each in kept))})


@router.post("/texts", summary="Add texts")
async def add_texts(given: Adding, service: Serving) -> Response:
    """The report is that of `searcher add --json`. Where one cannot be stored, none is."""

    def work() -> dict[str, Any]:
        return service.searcher.add_texts(given.texts, given.ids, given.metadatas).as_dict()

    return reply(await service.write(work, sum(map(len, given.texts))))


@router.patch("/documents", summary="Change metadata")
async def change(given: Changing, service: Serving) -> Response:
    """Of the documents that a filter allows, without embedding them again. `changed`: how many."""

    def work() -> int:
        return service.searcher.update_metadata(given.where, given.changes)

    return reply({"changed": await service.write(work)})


@router.delete("/documents", summary="Remove documents")
async def remove(
    service: Serving,
    source: Annotated[list[Short], Query(max_length=MOST_LISTED)] = [],  # noqa: B006
    id: Annotated[list[Short], Query(max_length=MOST_LISTED)] = [],  # noqa: B006
    where: Filter | None = None,
) -> Response:
    """Those of a source or an id, which must be there; or those that a filter allows. `removed`: how many."""
    if (source and where is not None) or not (source or id or where is not None):
        raise BadValue("name sources or ids, or a filter in where; a filter with ids removes those that it allows")

    def work() -> int:
        if where is not None:
            return service.searcher.delete(id or None, where)
        return service.searcher.remove(source, id)

    return reply({"removed": await service.write(of_lookup(service.searcher, work) if where is None else work)})


@router.get("/documents/text", summary="A document as it is stored")
async def text(service: Serving, source: Source, passages: bool = False) -> Response:
    """As `searcher show --json` prints it; with `passages`, where each of its passages is."""

    def work() -> dict[str, Any]:
        found = service.searcher.document(source)
        told = {name: getattr(found, name) for name in ("source", "id", "title", "kind")}
        told |= {"metadata": dict(found.metadata), "payload": found.payload, "text": found.text}
        if passages:
            names = ("passage_id", "start", "end", "line", "section")
            rows = service.searcher.passages(found.source)
            told["passages"] = [{name: getattr(row, name) for name in names} for row in rows]
        return told

    return reply(await service.read(of_lookup(service.searcher, work)))


@router.get("/documents/around", summary="What stands around a hit")
async def around(
    service: Serving,
    source: Source,
    start: Offset,
    end: Offset,
    characters: Annotated[int, Query(ge=0, le=20_000)] = AROUND,
) -> Response:
    """`before`, `text` (the document's from start to end) and `after`, so many characters of each; `line` is that on
    which `before` begins. `more_before`, `more_after`: whether the document goes on there.
    """

    def work() -> dict[str, Any]:
        found = service.searcher.document(source)
        last = min(end, len(found.text))
        first = min(start, last)
        a, b = max(0, first - characters), min(len(found.text), last + characters)
        return {
            "source": found.source, "title": found.title, "start": first, "end": last,
            "line": line_at(found, a), "before": found.text[a:first], "text": found.text[first:last],
            "after": found.text[last:b], "more_before": a > 0, "more_after": b < len(found.text),
        }  # fmt: skip

    return reply(await service.read(of_lookup(service.searcher, work)))


@router.put("/files/{name}", summary="Add a file", openapi_extra={
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string",
                    "format": "binary"}}}},
})  # fmt: skip
async def put_file(name: str, request: Request, service: Serving) -> Response:
    """The bytes of a file, under a name that is a label and no path: its ending says how it is read. What came from a
    file of that name before is replaced. It is parsed in a process that may open, write and reach nothing.

    The report is that of `searcher add --json`; 422 where nothing of the file could be read.
    """
    suffix = check_name(name)
    data = await request.body()
    report = await service.write(
        lambda: service.searcher.add_bytes(data, name, suffix=suffix, apart=True), max(len(data), LEAST_FILE)
    )
    if report.failed and not report.documents and not report.unchanged:
        raise UnreadableFile(name, report.failed[0].reason)
    return reply(report.as_dict())
