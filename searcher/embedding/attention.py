"""The tokens of an input with their places in the text, and who looks at whom among them."""

from dataclasses import dataclass

import numpy as np

from searcher.embedding.encoder import Sequence_
from searcher.errors import BadValue
from searcher.text import Tokenizer, check_text

__all__ = ["Attentions", "TokenRow", "token_rows"]


@dataclass(frozen=True)
class TokenRow:
    """A token: its place, text in the vocabulary, id, segment, whether it is special, and its span in the text."""

    position: int
    token: str
    id: int
    segment: int
    special: bool
    start: int | None
    end: int | None


@dataclass(frozen=True)
class Attentions:
    """Who looks at whom among t tokens. layers: L arrays (heads, t, t) float32, the first layer's first.

    In a head's matrix row i says how much of what token i takes up comes from each token; it sums to 1.
    Vaswani et al. 2017, §3.2.
    """

    tokens: tuple[TokenRow, ...]
    layers: tuple[np.ndarray, ...]

    def weights(self, layer: int, head: int | None = None) -> np.ndarray:
        """The weights of one head, or the mean of all of a layer: (t, t) float32.

        layer: 1 … L, or -L … -1 from the end, as layers of hidden states count. head: from 0. Raises BadValue.
        """
        depth = len(self.layers)
        if not isinstance(layer, int) or isinstance(layer, bool) or layer == 0 or abs(layer) > depth:
            raise BadValue(f"layer {layer!r} has no attention; good: 1 to {depth}, or -{depth} to -1")
        heads = self.layers[layer - 1 if layer > 0 else layer]
        if head is None:
            return heads.mean(axis=0, dtype=np.float32)
        if not isinstance(head, int) or isinstance(head, bool) or not 0 <= head < len(heads):
            raise BadValue(f"layer {layer} has no head {head!r}; good: 0 to {len(heads) - 1}")
        return heads[head]


def token_rows(
    tokenizer: Tokenizer, text: str | tuple[str, str], limit: int | None = None
) -> tuple[list[TokenRow], Sequence_, int]:
    """The tokens of a text or a sentence pair as the encoder takes them, special ones included, and that input itself.

    limit: tokens that it is cut to. The last value is how many there were before. Raises BadValue for what is no text.
    """
    if isinstance(text, tuple) and len(text) != 2:
        raise BadValue(f"the text is a tuple of {len(text)}; a pair has 2")
    texts = [check_text(part) for part in (text if isinstance(text, tuple) else (text,))]
    encoded = tokenizer.encode(texts)
    counts = [len(tokens) for tokens in encoded]
    whole = sum(counts) + (tokenizer.special if len(texts) == 1 else tokenizer.special_in_pair)
    kept = tokenizer.kept(whole if limit is None else limit, *counts)
    encoded = [tokens.slice(*part) for tokens, part in zip(encoded, kept, strict=True)]
    parts = [tokens.ids.tolist() for tokens in encoded]
    if len(parts) == 1:
        ids = tokenizer.wrap(parts[0])
        segments = tokenizer.segments(len(ids)) or [0] * len(ids)
    else:
        ids, segments = tokenizer.wrap_pair(*parts)
    spans: dict[int, tuple[int, int]] = {}
    for start, tokens in zip(tokenizer.places(*map(len, parts)), encoded, strict=True):
        spans |= enumerate(zip(tokens.starts.tolist(), tokens.ends.tolist(), strict=True), start)
    rows = [
        TokenRow(place, name, number, segment, place not in spans, *spans.get(place, (None, None)))
        for place, (name, number, segment) in enumerate(zip(tokenizer.names(ids), ids, segments, strict=True))
    ]
    return rows, Sequence_(ids, segments), whole
