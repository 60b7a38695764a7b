"""The layers of a BERT with weights and activations of 8 bits: products of bytes by oneDNN, all else in float32.

Weights have a step for each output (symmetric), activations one for each token, told from its own values, so a text's
vector does not depend on what shares its batch. What comes out of GELU is hardly below 0 and has most of the bytes
above it. Jacob et al. 2018 (arXiv:1712.05877, §2.1); a step a token: Yao et al. 2022 (arXiv:2206.01861, §4.1).
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint
from searcher.embedding.encoder.kernels import Norm
from searcher.embedding.encoder.passes import Bytes, passes, room

__all__ = ["Dense8", "Int8Layers", "dense8", "most_of_pairs", "product"]

MIDDLE = 128  # the byte of 0 among numbers of both signs
# … and behind an activation: GELU's least value is -0.17, ReLU's 0.
ZEROS = {"gelu": 16, "gelu tanh": 16, "relu": 0}
GREATEST = 127  # of weights
# What the weights of two neighbouring inputs may sum up to: anything, or, where their products with two bytes are added
# in 16 bits (no VNNI), 128: 255 x 128 still fits.
PAIRS = (2 * GREATEST, 128)
HAIR = 1e-3  # of a step, by which pairs stay below that, so that it holds when both of a pair are rounded up


class Dense8(NamedTuple):
    """A dense layer. weight: (e, d) int8 as oneDNN wants it; steps: (e,) float32; bias: (e,) float32."""

    weight: Tensor
    steps: Tensor
    bias: Tensor


class Layer8(NamedTuple):
    """One layer's weights. inputs: queries, keys and values; first, second: what follows attention and `down`."""

    inputs: Dense8
    output: Dense8
    first: Norm
    up: Dense8
    down: Dense8
    second: Norm


@cache
def most_of_pairs() -> int | None:
    """The one of PAIRS with which oneDNN's products of bytes are exact here; None where there are none of use."""
    if not (getattr(torch.cpu, "_is_avx2_supported", bool)() and torch.backends.mkldnn.is_available()):  # type: ignore[no-untyped-call]
        return None
    return next((most for most in PAIRS if _exact(most)), None)


def _exact(most: int) -> bool:
    """Whether the greatest bytes times weights of the greatest pairs of many kinds give the sums that they have."""
    firsts = torch.arange(most - GREATEST, GREATEST + 1, dtype=torch.int8).repeat(64)[:64]
    pairs = torch.stack([firsts, most - firsts], 1).flatten()
    weight = torch.stack([pairs, pairs.flip(0), -pairs, -pairs.flip(0)] * 4)
    rows = torch.full((1, weight.shape[1]), 255, dtype=torch.uint8)
    try:
        layer = Dense8(torch.ops.onednn.qlinear_prepack(weight, None), torch.ones(16), torch.zeros(16))
        sums = product(Bytes(rows, torch.ones(1), MIDDLE), layer)
    except (AttributeError, RuntimeError):  # a torch without these operations, or of another form
        return False
    return bool((sums == (255 - MIDDLE) * weight.sum(1)).all())


def dense8(weight: Tensor, bias: Tensor, most: int) -> Dense8:
    """A layer's float32 weights (e, d), rounded with the least steps by which pairs sum up to no more than `most`."""
    signs = functional.pad(torch.stack([weight, -weight]).clamp_min(0), (0, weight.shape[1] % 2))
    pairs = signs.reshape(2, len(weight), -1, 2).sum(3).amax((0, 2))
    steps = torch.maximum(weight.abs().amax(1) / GREATEST, pairs / (most - HAIR))
    steps[steps == 0] = 1
    rounded = (weight / steps[:, None]).round_().to(torch.int8)
    return Dense8(torch.ops.onednn.qlinear_prepack(rounded, None), steps, bias)


def product(x: Bytes, layer: Dense8) -> Tensor:
    """Sums of (byte - zero) times weight, exact, times the weights' steps: (T, d) -> (T, e) float32."""
    zeros = torch.zeros(len(layer.steps), dtype=torch.int64)
    sums: Tensor = torch.ops.onednn.qlinear_pointwise(
        x.rows, 1.0, x.zero, layer.weight, layer.steps, zeros, None, 1.0, 0, torch.float32, "none", [], ""
    )
    return sums


class Int8Layers:
    """The layers of a model, whose embeddings and attention stay with the caller. most: as `most_of_pairs` says."""

    def __init__(self, checkpoint: Checkpoint, shape: BertShape, most: int) -> None:
        self.shape, self.run = shape, passes()
        self.rooms = (shape.width, MIDDLE), (shape.inner, ZEROS[shape.activation])

        def tensor(key: str) -> Tensor:
            return torch.from_numpy(np.array(checkpoint[key]))

        def dense(*keys: str) -> Dense8:
            weight = torch.cat([tensor(f"{key}.weight") for key in keys])
            return dense8(weight, torch.cat([tensor(f"{key}.bias") for key in keys]), most)

        def norm(key: str) -> Norm:
            return Norm(tensor(f"{key}.weight"), tensor(f"{key}.bias"), shape.epsilon)

        self.layers = []
        for number in range(shape.layers):
            at = f"encoder.layer.{number}."
            inputs = dense(*(f"{at}attention.self.{part}" for part in ("query", "key", "value")))
            self.layers.append(
                Layer8(
                    inputs, dense(f"{at}attention.output.dense"), norm(f"{at}attention.output.LayerNorm"),
                    dense(f"{at}intermediate.dense"), dense(f"{at}output.dense"), norm(f"{at}output.LayerNorm"),
                )
            )  # fmt: skip

    def states(
        self, embeddings: Tensor, attend: Callable[[Tensor], Tensor], wanted: Sequence[int]
    ) -> Iterator[tuple[int, Tensor]]:
        """Hidden states of those numbers, which rise, each (T, d) float32.

        embeddings: (T, d) float32, contiguous. attend: queries, keys and values (T, 3 d) -> (T, d).
        """
        run, state = self.run, embeddings.clone()
        narrow, wide = (room(len(state), width, zero) for width, zero in self.rooms)
        run.quantise(state, narrow)
        for number, layer in enumerate(self.layers[: wanted[-1]], 1):
            inputs, output, first_norm, up, down, second_norm = layer
            qkv = product(narrow, inputs)[: len(state)]
            run.finish(qkv, narrow.steps, inputs.bias)
            run.quantise(attend(qkv), narrow)
            run.normalise(product(narrow, output), narrow.steps, output.bias, state, first_norm, narrow)
            run.activate(product(narrow, up), narrow.steps, up.bias, self.shape.activation, wide)
            run.normalise(product(wide, down), wide.steps, down.bias, state, second_norm, narrow)
            if number in wanted:
                yield number, state.clone()
