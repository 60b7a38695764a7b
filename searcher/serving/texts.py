"""Texts or token ids of somebody's → their vectors, and how near they are to a question."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from searcher.embedding import Embedder, Kind, Sequence_
from searcher.errors import BadValue

__all__ = ["closeness", "embedded"]

NOT_OURS = (
    "token ids are taken only between the model's own first and last ones ({}), for those of another tokenizer would "
    "be other words: send texts; with LangChain's OpenAIEmbeddings check_embedding_ctx_length=False"
)


def embedded(embedder: Embedder, texts: Sequence[Any], kind: Kind, whole: bool = False) -> tuple[np.ndarray, int]:
    """The vectors of texts or lists of token ids, (n, d) float32, and how many tokens they have, special ones included.

    whole: BadValue for a text that is too long, which is cut otherwise. BadValue for a pooling that gives several
    vectors of a text, and for ids that are not between the model's special ones.
    """
    if embedder.pooling.per_token:
        raise BadValue(f"pooling {embedder.pooling.name!r} gives several vectors of a text")
    plain = [text for text in texts if isinstance(text, str)]
    made = iter(embedder.sequences(plain, kind))
    limit = embedder.max_seq_length
    sequences = [next(made) if isinstance(text, str) else (_checked(embedder, text), len(text)) for text in texts]
    longest = max((length for _, length in sequences), default=0)
    if whole and longest > limit:
        raise BadValue(f"a text has {longest:,} tokens; the model takes {limit:,}")
    vectors: np.ndarray = embedder.embed_sequences([sequence for sequence, _ in sequences], kind)
    return vectors, sum(min(length, limit) for _, length in sequences)


def _checked(embedder: Embedder, ids: Sequence[int]) -> Sequence_:
    """Token ids as the encoder takes them."""
    tokenizer = embedder.model.tokenizer
    around = tokenizer.wrap([])
    first, last = around[: tokenizer.before], around[tokenizer.before :]
    own = list(ids[len(first) : len(ids) - len(last)])
    if not around or not own or [*first, *own, *last] != list(ids):
        raise BadValue(NOT_OURS.format(", ".join(map(str, around))))
    if (largest := max(ids)) >= (known := tokenizer.backend.get_vocab_size()):
        raise BadValue(f"token id {largest} is unknown; the model has {known:,}")
    if len(ids) > embedder.max_seq_length:
        raise BadValue(f"{len(ids):,} token ids; the model takes {embedder.max_seq_length:,}")
    return Sequence_(list(ids))


def closeness(embedder: Embedder, question: str, texts: Sequence[str]) -> np.ndarray:
    """Cosine of a question with each of some texts, (n,) float64."""
    if not texts:
        return np.empty(0)
    [asked], _ = embedded(embedder, [question], "query")
    vectors, _ = embedded(embedder, texts, "passage")
    sizes = np.linalg.norm(vectors, axis=1) * np.linalg.norm(asked)
    return np.asarray(vectors @ asked / np.maximum(sizes, 1e-12), np.float64)
