"""What the model makes of a text: tokens, windows, and how alike the vectors of a word are where it occurs."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from searcher.embedding.attention import token_rows
from searcher.embedding.embedder import Embedder
from searcher.embedding.encoder import Sequence_
from searcher.embedding.pooling import normalize
from searcher.errors import BadValue
from searcher.text import Chunker, Tokens, check_text

__all__ = ["Occurrence", "Window", "inspect_text", "inspect_word"]


@dataclass(frozen=True)
class Window:
    """A passage that the text would be cut into, and its tokens, special tokens included."""

    start: int
    end: int
    tokens: int


@dataclass(frozen=True)
class Occurrence:
    """A word of the text; neighbours: (word, cosine) of the words before and after it."""

    word: str
    start: int
    end: int
    neighbours: tuple[tuple[str, float], ...]


def inspect_text(embedder: Embedder, text: str, pair: str | None = None, overlap: int = 0) -> dict[str, Any]:
    """The tokens of a text, or of a sentence pair, and the windows it is cut into, as JSON-ready lists."""
    tokenizer = embedder.model.tokenizer
    rows, _, _ = token_rows(tokenizer, text if pair is None else (text, pair))
    chunker = Chunker(tokenizer, embedder.max_seq_length, overlap, embedder.prompts["passage"])
    windows = [Window(chunk.start, chunk.end, len(chunk.ids)) for chunk in chunker.chunks(text)]
    return {
        "model": embedder.model.name, "window": embedder.model.window, "max_seq_length": embedder.max_seq_length,
        "tokens": [asdict(row) for row in rows], "windows": [asdict(window) for window in windows],
    }  # fmt: skip


def inspect_word(embedder: Embedder, text: str, word: str) -> dict[str, Any]:
    """Cosines between the occurrences of a word, and between each and its neighbours, under the embedder's layers.

    A word's vector is the mean of its tokens' hidden states. Only `max_seq_length` tokens of the text are seen, as one
    window. Raises BadValue when the word does not occur there.
    """
    tokenizer, pooling = embedder.model.tokenizer, embedder.pooling
    tokens = tokenizer.encode([check_text(text)])[0]
    tokens = tokens.slice(*tokenizer.kept(embedder.max_seq_length, len(tokens))[0])
    ids = tokenizer.wrap(tokens.ids.tolist())
    sequence = Sequence_(ids, tokenizer.segments(len(ids)))
    [(_, states)] = embedder.encoder.run([sequence], pooling.layers, False, pooling.states)
    states = states[tokenizer.before :][: len(tokens)]
    words = _words(text, tokens)
    vectors = normalize(np.stack([states[first:last].mean(axis=0) for _, _, first, last in words])) if words else states
    names = [text[start:end] for start, end, _, _ in words]
    found = [i for i, name in enumerate(names) if name.casefold() == word.casefold()]
    if not found:
        raise BadValue(
            f"the word {word!r} does not occur in the text; its words: {', '.join(dict.fromkeys(names))[:200]}"
        )
    cosines = vectors @ vectors.T
    occurrences = [
        Occurrence(
            names[i], words[i][0], words[i][1],
            tuple((names[j], float(cosines[i, j])) for j in (i - 1, i + 1) if 0 <= j < len(words)),
        )
        for i in found
    ]  # fmt: skip
    return {
        "word": word, "layers": list(pooling.layers), "combine": pooling.combine or None,
        "occurrences": [asdict(occurrence) for occurrence in occurrences],
        "cosines": [[float(cosines[i, j]) for j in found] for i in found],
    }  # fmt: skip


def _words(text: str, tokens: Tokens) -> list[tuple[int, int, int, int]]:
    """(start, end, first token, last token + 1) of each word."""
    edges = [0, *(np.flatnonzero(tokens.words[1:] != tokens.words[:-1]) + 1).tolist(), len(tokens)]
    words = []
    for first, last in pairwise(edges):
        if first < last:
            start, end = int(tokens.starts[first]), int(tokens.ends[last - 1])
            raw = text[start:end]
            words.append((start + len(raw) - len(raw.lstrip()), end, first, last))
    return words
