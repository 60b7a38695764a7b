"""What there is to choose from, and what the model makes of a text."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from searcher.embedding import inspect_text
from searcher.serving.asked import Serving
from searcher.serving.models import Filter, Question, Short
from searcher.serving.replies import reply

router = APIRouter(tags=["looking"])

MOST_VALUES = 1_000
PLAIN = ("text", "number", "boolean", "list")  # kinds of values that can be counted


@router.get("/facets", summary="What filters can choose from")
async def facets(
    service: Serving,
    where: Filter | None = None,
    key: Annotated[list[Short], Query(max_length=100, description="Only these; else all that there are.")] = [],  # noqa: B006
    most: Annotated[int, Query(ge=1, le=MOST_VALUES, description="Values of a key, the commonest first.")] = 20,
) -> Response:
    """Each key of the documents' metadata with the kinds of its values, its commonest values and in how many documents
    each stands; `more` says how many other values there are. where: count only the documents that it allows.
    """

    def work() -> list[dict[str, Any]]:
        searcher, found = service.searcher, []
        known = searcher.metadata_keys()
        for name in key or [name for name, kinds in known.items() if set(kinds) & set(PLAIN)]:
            counts = searcher.values(name, where)
            values = [{"value": value, "documents": count} for value, count in counts[:most]]
            more = max(0, len(counts) - most)
            found.append({"key": name, "kinds": known.get(name, ["text"]), "values": values, "more": more})
        return found

    return reply({"facets": await service.read(work)})


@router.get("/keys", summary="What filters can name")
async def keys(service: Serving) -> Response:
    """Each key of the documents' metadata with the kinds of its values."""
    return reply({"keys": await service.read(service.searcher.metadata_keys)})


@router.get("/tokens", summary="How a text is tokenised")
async def tokens(service: Serving, text: Question) -> Response:
    """Its tokens with their places in it, and the windows that it would be cut into, as `searcher inspect --json`."""
    return reply(await service.work(lambda: inspect_text(service.searcher.embedder, text)))


@router.get("/attention", summary="Who looks at whom in a text")
async def attention(
    service: Serving,
    text: Annotated[str, Query(min_length=1, max_length=4_096)],
    layer: Annotated[int, Query(ge=-1_000, le=1_000)] = -1,
    head: Annotated[int | None, Query(ge=0, le=1_000)] = None,
) -> Response:
    """`weights`: row i is what token i looks at, of one head, or the mean of a layer's; `layers`, `heads`: how many."""

    def work() -> dict[str, Any]:
        found = service.searcher.embedder.attentions(text)
        weights = found.weights(layer, head)
        return {
            "layer": layer, "head": head, "layers": len(found.layers), "heads": len(found.layers[0]),
            "tokens": [vars(row) for row in found.tokens], "weights": weights.round(5).tolist(),
        }  # fmt: skip

    return reply(await service.work(work))
