"""What an index holds, what it was made with, and what it is kept in."""

from typing import Any

from searcher.embedding import IndexSettings
from searcher.engines.engine import Engine

__all__ = ["status"]


def status(place: str, engine: Engine, settings: IndexSettings) -> dict[str, Any]:
    """The values that `searcher status` shows."""
    return {
        "folder": place, **engine.counts(),
        "model": settings.model, "weights": settings.weights, "pooling": settings.pooling,
        "layers": settings.layers, "combine": settings.combine or None, "special_tokens": settings.special_tokens,
        "query_prompt": settings.query_prompt, "passage_prompt": settings.passage_prompt,
        "dimension": settings.dimension, "dtype": settings.dtype,
        "chunk_tokens": settings.chunk_tokens, "overlap": settings.overlap, "context": settings.context,
        "generation": engine.head().generation, **engine.described(),
    }  # fmt: skip
