"""Routes that clients of other servers speak: OpenAI, Cohere's and Jina's rerank, bert-as-service, TEI, Ollama.

What they say beside the texts is ignored, the name of a model above all: one model is here, that of the index.
"""

import base64
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi import APIRouter, Response

from searcher import __version__
from searcher.errors import BadValue
from searcher.serving.asked import Serving
from searcher.serving.foreign import Embedding, Encoding, Ollama, Reranking, Tei
from searcher.serving.replies import reply
from searcher.serving.service import Service
from searcher.serving.texts import closeness, embedded

router = APIRouter(tags=["compatible"])

FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "float": lambda vector: vector.tolist(),
    "base64": lambda vector: base64.b64encode(vector.astype("<f4").tobytes()).decode(),
}


def _name(service: Service) -> str:
    return service.searcher.embedder.model.name


@router.post("/v1/embeddings", summary="Embeddings, as OpenAI has them")
async def embeddings(asked: Embedding, service: Serving) -> Response:
    """Of a text, of several, or of token ids; as numbers, or base64 of little-endian float32."""

    def work() -> dict[str, Any]:
        vectors, tokens = embedded(service.searcher.embedder, asked.texts, asked.kind)
        if asked.dimensions not in (None, vectors.shape[1]):
            raise BadValue(
                f"dimensions {asked.dimensions}: the vectors of {_name(service)!r} have {vectors.shape[1]} numbers and "
                "are not shortened"
            )
        form = FORMS[asked.encoding_format]
        data = [{"object": "embedding", "index": place, "embedding": form(own)} for place, own in enumerate(vectors)]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": _name(service), "usage": usage}

    return reply(await service.work(work))


@router.get("/v1/models", summary="The model, as OpenAI lists them")
async def models(service: Serving) -> Response:
    """One: that of the index."""
    name = await service.read(lambda: _name(service))
    return reply({"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "searcher"}]})


@router.get("/v1/models/{name:path}", summary="The model, as OpenAI shows it")
async def model(name: str, service: Serving) -> Response:
    """The same, by whatever name."""
    own = await service.read(lambda: _name(service))
    return reply({"id": own, "object": "model", "created": 0, "owned_by": "searcher"})


@router.post("/v1/rerank", summary="Texts by how well they answer, as Cohere and Jina have it")
@router.post("/rerank", summary="The same")
async def rerank(asked: Reranking, service: Serving) -> Response:
    """`results`, best first: `index` in the given order, and `relevance_score`, the cosine with the query, -1 … 1. A
    body with `texts`, which is TEI's, gets TEI's answer: a list of `index` and `score`.
    """
    texts = asked.given

    def work() -> Any:
        scores = closeness(service.searcher.embedder, asked.query, texts)
        order = np.argsort(-scores, kind="stable").tolist()[: asked.top_n]
        if asked.texts is not None:
            own: list[dict[str, Any]] = [{"text": texts[n]} if asked.return_text else {} for n in order]
            return [{"index": n, "score": float(scores[n]), **more} for n, more in zip(order, own, strict=True)]
        own = [{"document": {"text": texts[n]}} if asked.return_documents else {} for n in order]
        results = [
            {"index": n, "relevance_score": float(scores[n]), **more} for n, more in zip(order, own, strict=True)
        ]
        return {"id": "rerank", "model": _name(service), "results": results}

    return reply(await service.work(work))


@router.post("/encode", summary="Vectors, as bert-as-service has them")
async def encode(asked: Encoding, service: Serving) -> Response:
    """`result`: a vector for each text; with `is_tokenized` a text is a list of its tokens."""
    vectors, _ = await service.work(lambda: embedded(service.searcher.embedder, asked.given, "passage"))
    return reply({"id": asked.id, "result": vectors.tolist(), "status": 200})


@router.get("/status/server", summary="The server, as bert-as-service tells of it")
async def server_status(service: Serving) -> Response:
    """What its clients look at."""

    def work() -> dict[str, Any]:
        embedder = service.searcher.embedder
        return {
            "status": 200, "server_version": __version__, "model_dir": embedder.model.name,
            "max_seq_len": embedder.max_seq_length, "pooling_strategy": embedder.pooling.name,
            "pooling_layer": list(embedder.pooling.layers), "num_worker": 1, "device_map": [],
            "num_concurrent_socket": 0, "show_tokens_to_client": False,
        }  # fmt: skip

    return reply(await service.read(work))


@router.get("/status/client", summary="The client, as bert-as-service tells of it")
async def client_status() -> Response:
    """There is none between: it is asked by HTTP alone."""
    return reply({"status": 200, "client_version": __version__, "protocol": "http"})


@router.post("/embed", summary="Embeddings, as text-embeddings-inference has them")
async def embed(asked: Tei, service: Serving) -> Response:
    """A list of vectors."""
    vectors, _ = await service.work(lambda: embedded(service.searcher.embedder, asked.texts, asked.kind))
    return reply(vectors.tolist())


@router.post("/api/embed", summary="Embeddings, as Ollama has them")
async def ollama(asked: Ollama, service: Serving) -> Response:
    """`embeddings`, a vector for each text."""
    begun = time.perf_counter_ns()

    def work() -> dict[str, Any]:
        vectors, tokens = embedded(service.searcher.embedder, asked.texts, "passage", whole=not asked.truncate)
        return {"model": _name(service), "embeddings": vectors.tolist(), "prompt_eval_count": tokens}

    found = await service.work(work)
    return reply(found | {"total_duration": time.perf_counter_ns() - begun, "load_duration": 0})
