"""The layers of a BERT in bfloat16 by our own kernels (AMX or AVX512-BF16): each dense layer with what follows it."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint
from searcher.embedding.encoder.kernels import Dense, Layer, Norm, Space, TileKernels
from searcher.errors import BadValue

__all__ = ["TileLayers", "fits_tiles", "packed_weight"]

BLOCK = 32  # every array has a multiple of so many rows; those behind the last token hold nothing of meaning


def fits_tiles(shape: BertShape) -> bool:
    """Whether the widths of a model are multiples of a tile's."""
    return not any(size % BLOCK for size in (shape.width, shape.inner, shape.width // shape.heads))


class TileLayers:
    """Embeddings and layers of a model that `fits_tiles`."""

    def __init__(self, checkpoint: Checkpoint, shape: BertShape, kernels: TileKernels) -> None:
        self.shape, self.kernels = shape, kernels

        def tensor(key: str) -> Tensor:
            return torch.from_numpy(np.array(checkpoint[key]))

        def dense(*keys: str) -> Dense:
            weight = torch.cat([tensor(f"{key}.weight") for key in keys]).bfloat16()
            return Dense(packed_weight(weight), torch.cat([tensor(f"{key}.bias") for key in keys]))

        def norm(key: str) -> Norm:
            return Norm(tensor(f"{key}.weight"), tensor(f"{key}.bias"), shape.epsilon)

        self.tables = [tensor(f"embeddings.{kind}_embeddings.weight") for kind in ("word", "position", "token_type")]
        self.norm = norm("embeddings.LayerNorm")
        self.layers = []
        for number in range(shape.layers):
            at = f"encoder.layer.{number}."
            inputs = dense(*(f"{at}attention.self.{part}" for part in ("query", "key", "value")))
            self.layers.append(
                Layer(
                    inputs, dense(f"{at}attention.output.dense"), norm(f"{at}attention.output.LayerNorm"),
                    dense(f"{at}intermediate.dense"), dense(f"{at}output.dense"), norm(f"{at}output.LayerNorm"),
                )
            )  # fmt: skip

    def states(
        self, ids: np.ndarray, positions: np.ndarray, segments: np.ndarray, bounds: np.ndarray, wanted: Sequence[int]
    ) -> Iterator[tuple[int, Tensor]]:
        """Hidden states of those numbers, which rise, of packed tokens: (T, d) bfloat16, good until the next one."""
        tokens, shape, run = len(ids), self.shape, self.kernels
        for numbers, table in zip((ids, positions, segments), self.tables, strict=True):
            if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(table):
                raise BadValue(f"token or position {numbers.max()} is not among the model's {len(table)}")

        def room(width: int) -> Tensor:
            return torch.empty((tokens + BLOCK - 1) // BLOCK * BLOCK, width, dtype=torch.bfloat16)

        space = Space(room(3 * shape.width), room(shape.width), room(shape.inner), room(shape.width))
        state, done = room(shape.width), 0
        run.embed(self.tables, (ids, positions, segments), self.norm, state)
        for number in wanted:
            run.layers(self.layers[done:number], shape.heads, shape.activation, bounds, space, state)
            done = number
            yield number, state[:tokens]


def packed_weight(weight: Tensor) -> Tensor:
    """A dense layer's weights in the order of dense.c. (e, d) -> (e/32, d/32, 2, 16, 16, 2): panel, step, tile."""
    outputs, inputs = weight.shape
    return weight.view(outputs // 32, 2, 16, inputs // 32, 16, 2).permute(0, 3, 1, 4, 2, 5).contiguous()
