"""Hidden states → one vector a text: layers, their combination, pooling over tokens; numpy, over packed states.

One code for every forward pass. To add a pooling, write a function and enter it in POOLINGS.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from searcher.embedding.encoder import Hidden
from searcher.errors import BadValue, UnknownName

__all__ = ["ALIASES", "COMBINES", "POOLINGS", "Combine", "Pooling", "normalize", "parse_layers"]

Combine = Literal["concat", "sum", "mean"]


@dataclass(frozen=True)
class Counted:
    """The tokens that count in each of n texts: states (K, d) float32 of K tokens, text after text.

    starts, lengths: (n,) int64, where each text's tokens are; positions: (K,) int64, from 1, in the whole input.
    """

    states: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    positions: np.ndarray


def mean(tokens: Counted) -> np.ndarray:
    """Average of the tokens. (K, d) -> (n, d). Reimers & Gurevych 2019, §3."""
    return _sums(tokens.states, tokens) / tokens.lengths[:, None]


def mean_sqrt_len(tokens: Counted) -> np.ndarray:
    """Sum of the tokens over the root of their number, as sentence-transformers has it. (K, d) -> (n, d)."""
    return _sums(tokens.states, tokens) / np.sqrt(tokens.lengths)[:, None].astype(np.float32)


def weighted_mean(tokens: Counted) -> np.ndarray:
    """Average in which token i weighs i. (K, d) -> (n, d). Muennighoff 2022, SGPT, §3.1."""
    weights = tokens.positions[:, None].astype(np.float32)
    return _sums(tokens.states * weights, tokens) / _sums(weights, tokens)


def maximum(tokens: Counted) -> np.ndarray:
    """The greatest value of each component. (K, d) -> (n, d)."""
    return np.maximum.reduceat(tokens.states, tokens.starts, axis=0)


def first(tokens: Counted) -> np.ndarray:
    """The first token, [CLS] in BERT. (K, d) -> (n, d)."""
    return tokens.states[tokens.starts]


def last(tokens: Counted) -> np.ndarray:
    """The last token, [SEP] in BERT. (K, d) -> (n, d)."""
    return tokens.states[tokens.starts + tokens.lengths - 1]


def _sums(values: np.ndarray, tokens: Counted) -> np.ndarray:
    return np.add.reduceat(values, tokens.starts, axis=0, dtype=np.float32)


POOLINGS: dict[str, Callable[[Counted], np.ndarray]] = {
    "cls": first, "max": maximum, "mean": mean, "mean_sqrt_len": mean_sqrt_len, "sep": last,
    "weighted_mean": weighted_mean,
}  # fmt: skip
BY_POSITION = frozenset({"cls", "sep"})  # they name special tokens, which therefore always count
OTHER_NAMES = ("mean_max", "pooler", "token:N", "none")

COMBINES: dict[Combine, Callable[[Sequence[np.ndarray]], np.ndarray]] = {
    "concat": lambda states: np.concatenate(states, axis=1),
    "sum": lambda states: np.add.reduce(states),
    "mean": lambda states: np.add.reduce(states) / np.float32(len(states)),
}

# bert-as-service 1.10's strategies; there the layer is -2 unless said, and several layers are concatenated.
ALIASES = {
    "REDUCE_MEAN": "mean", "REDUCE_MAX": "max", "REDUCE_MEAN_MAX": "mean+max", "CLS_TOKEN": "cls",
    "FIRST_TOKEN": "cls", "SEP_TOKEN": "sep", "LAST_TOKEN": "sep", "CLS_POOLED": "pooler", "NONE": "none",
}  # fmt: skip


@dataclass(frozen=True)
class Pooling:
    """How hidden states become a vector, in canonical form: equal settings are equal objects.

    parts: names of POOLINGS, joined by concatenation; or ("pooler",), ("none",), ("token:N",).
    layers: 0 (embeddings) … L, in the order in which they are concatenated. combine: "" for one layer.
    special_tokens: whether [CLS] and [SEP] count.
    """

    parts: tuple[str, ...]
    layers: tuple[int, ...]
    combine: Combine | Literal[""]
    special_tokens: bool

    @classmethod
    def resolve(
        cls,
        name: str,
        depth: int,
        layers: str | int | Iterable[int] | None = None,
        combine: Combine | None = None,
        special_tokens: bool = True,
    ) -> "Pooling":
        """Settings as a user gives them, for a model of `depth` layers.

        Raises UnknownName and BadValue with the bad value and the good ones.

        >>> Pooling.resolve("mean", depth=12, layers="-4:", combine="sum").layers
        (9, 10, 11, 12)
        >>> Pooling.resolve("REDUCE_MEAN_MAX", depth=12)
        Pooling(parts=('mean', 'max'), layers=(11,), combine='', special_tokens=True)
        """
        alias = name in ALIASES
        plain = {"mean_max": "mean+max"}.get(name, ALIASES.get(name, name))
        parts = tuple(plain.split("+"))
        alone = len(parts) == 1 and (plain in ("pooler", "none") or re.fullmatch(r"token:\d{1,9}", plain))
        for part in () if alone else parts:
            if part not in POOLINGS:
                raise UnknownName("pooling", name, [*POOLINGS, *OTHER_NAMES, *ALIASES])
        if combine is not None and combine not in COMBINES:
            raise UnknownName("combine", combine, COMBINES)
        if alias:  # bert-as-service counts blocks from 0, and the embeddings not at all
            numbers = tuple(block + 1 for block in parse_layers(-2 if layers is None else layers, depth - 1))
        else:
            numbers = parse_layers(-1 if layers is None else layers, depth)
        if plain == "pooler":
            if numbers != (depth,) and not alias:
                raise BadValue(
                    f"pooling 'pooler' is made from the last layer, {depth}; layers {layers!r} cannot be chosen"
                )
            numbers = (depth,)
        several = len(numbers) > 1
        return cls(parts, numbers, (combine or "concat") if several else "", bool(special_tokens))

    @property
    def name(self) -> str:
        """The pooling's name, as `resolve` takes it."""
        return "mean_max" if self.parts == ("mean", "max") else "+".join(self.parts)

    @property
    def per_token(self) -> bool:
        """Whether a text gives a matrix of token vectors, not one vector."""
        return self.parts == ("none",)

    @property
    def pooler(self) -> bool:
        """Whether the model's own pooled output is wanted."""
        return self.parts == ("pooler",)

    @property
    def token(self) -> int | None:
        """The N of `token:N`."""
        return int(self.parts[0].removeprefix("token:")) if self.parts[0].startswith("token:") else None

    def width(self, hidden: int) -> int:
        """Length of the vector for hidden states of length `hidden`."""
        return hidden * len(self.parts) * (len(self.layers) if self.combine == "concat" else 1)

    def states(self, hidden: Hidden) -> np.ndarray:
        """The chosen layers, combined. Hidden -> (T, d) float32."""
        chosen = [hidden.layers[layer] for layer in self.layers]
        return COMBINES[self.combine](chosen) if self.combine else chosen[0]

    def check_lengths(self, lengths: np.ndarray, special: tuple[int, int], skip: int = 0) -> None:
        """BadValue that names the first text too short for `token:N`. lengths: (n,) int64; the rest as in `pool`."""
        if self.token is None:
            return
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        own = _counted(np.empty((bounds[-1], 0)), bounds, self._margins(special, skip)).lengths
        for text in np.flatnonzero(own <= self.token)[:1]:
            raise BadValue(f"pooling {self.name!r} counts from 0: text {text + 1} has only {own[text]} tokens")

    def pool(self, hidden: Hidden, special: tuple[int, int], skip: int = 0) -> np.ndarray:
        """Vectors of a batch. Hidden of n texts -> (n, width) float32.

        special: how many special tokens stand before and after each text. skip: how many tokens at the start (a
        prompt) never count. A text with no token of its own is pooled over its special tokens.
        """
        if self.pooler:
            assert hidden.pooler is not None
            return hidden.pooler
        states = self.states(hidden)
        everything = _counted(states, hidden.bounds, (skip, 0))
        own = everything if self.special_tokens else _counted(states, hidden.bounds, self._margins(special, skip))
        if self.token is not None:
            return own.states[own.starts + self.token]
        pooled = [POOLINGS[part](everything if part in BY_POSITION else own) for part in self.parts]
        return pooled[0] if len(pooled) == 1 else np.concatenate(pooled, axis=1)

    def tokens(self, hidden: Hidden, special: tuple[int, int], skip: int = 0) -> list[np.ndarray]:
        """Token vectors of each text of a batch, for pooling "none": n arrays (t, d) float32."""
        own = _counted(self.states(hidden), hidden.bounds, self._margins(special, skip))
        return [own.states[start : start + length] for start, length in zip(own.starts, own.lengths, strict=True)]

    def _margins(self, special: tuple[int, int], skip: int) -> tuple[int, int]:
        """How many tokens at the start and the end of a text do not count."""
        return (skip, 0) if self.special_tokens else (max(skip, special[0]), special[1])


def _counted(states: np.ndarray, bounds: np.ndarray, margins: tuple[int, int]) -> Counted:
    """The tokens of each text less so many at its start and end; all of them where that leaves none."""
    starts, lengths = bounds[:-1], np.diff(bounds)
    if margins == (0, 0):
        return Counted(states, starts, lengths, np.arange(len(states)) - np.repeat(starts, lengths) + 1)
    enough = lengths > sum(margins)
    begin = starts + np.where(enough, margins[0], 0)
    end = bounds[1:] - np.where(enough, margins[1], 0)
    kept = end - begin
    firsts = np.concatenate([[0], np.cumsum(kept)[:-1]])
    rows = np.arange(kept.sum()) + np.repeat(begin - firsts, kept)
    return Counted(states[rows], firsts, kept, rows - np.repeat(starts, kept) + 1)


def parse_layers(layers: str | int | Iterable[int], depth: int) -> tuple[int, ...]:
    """Numbers 0 … depth of hidden states from -1, "-4:", "-1,-2", "0:3", "all" or a list of numbers.

    Raises BadValue for one out of range or not understood.

    >>> parse_layers("-2:", depth=6), parse_layers([0, -1], depth=6)
    ((5, 6), (0, 6))
    """
    good = f"good: 0 (embeddings) to {depth}, or -{depth + 1} to -1, single, listed (-1,-2) or a range (-4:)"
    every = range(depth + 1)
    chosen: list[int] = []
    parts = layers.split(",") if isinstance(layers, str) else layers if isinstance(layers, Iterable) else [layers]
    for part in parts:
        text = str(part).strip()
        if text == "all":
            chosen += every
        elif span := re.fullmatch(r"(-?\d{0,9}):(-?\d{0,9})", text):
            ends = [int(end) if end else None for end in span.groups()]
            if any(end is not None and not -depth - 1 <= end <= depth + 1 for end in ends):
                raise BadValue(f"layers {text!r} are out of range; {good}")
            chosen += every[ends[0] : ends[1]]
        elif re.fullmatch(r"-?\d{1,9}", text):
            if not -depth - 1 <= int(text) <= depth:
                raise BadValue(f"layer {text} is out of range; {good}")
            chosen.append(every[int(text)])
        else:
            raise BadValue(f"layers {layers!r} are not understood; {good}")
    if not chosen:
        raise BadValue(f"layers {layers!r} name no layer; {good}")
    return tuple(chosen)


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Each row over its length. (…, d) -> (…, d) float32; a row of zeros stays one."""
    lengths = np.sqrt(np.einsum("...i,...i->...", vectors, vectors, dtype=np.float64))[..., None]
    return (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
