"""The forward pass in bfloat16 by our own kernels (AMX or AVX512-BF16), each dense layer with what follows it. It needs
no torch: a process that embeds a few files is done before that would be imported.
"""

from collections.abc import Sequence

import numpy as np

from searcher.embedding.encoder.bfloat16 import narrowed, widened
from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint
from searcher.embedding.encoder.kernels import Dense, Layer, Norm, Space, TileKernels, addresses, tile_kernels
from searcher.embedding.encoder.records import Hidden, Sequence_, packed_inputs
from searcher.errors import BadValue, ModelError
from searcher.system import OwnLock

__all__ = ["TileForward", "kernels_for", "packed_weight"]

BLOCK = 32  # every array has a multiple of so many rows; those behind the last token hold nothing of meaning
LINE = 64  # bytes of the cache's lines, at the begin of which the kernels read fastest
TABLES = ("word", "position", "token_type")


def kernels_for(shape: BertShape) -> TileKernels | None:
    """The best that there are here; None also for a model whose widths are not multiples of a tile's."""
    fits = not any(size % BLOCK for size in (shape.width, shape.inner, shape.width // shape.heads))
    return tile_kernels() if fits else None


class TileForward:
    """BERT and RoBERTa, by `kernels_for` their shape. Tokens of all texts lie in one (T, d) matrix.

    A layer's weights are rounded and put in the kernels' order when first needed; the embeddings stay in the file.
    """

    def __init__(self, name: str, checkpoint: Checkpoint, shape: BertShape, kernels: TileKernels) -> None:
        self.name, self.tensors, self.shape, self.kernels = name, checkpoint, shape, kernels
        self.rows = checkpoint.rows_of("word"), checkpoint.rows_of("token_type")
        self.tables = [self._numbers(f"embeddings.{kind}_embeddings.weight") for kind in TABLES]
        self.norm = self._norm("embeddings.LayerNorm")
        self._layers: list[Layer] = []
        self._addresses = addresses(self._layers)
        self._lock = OwnLock()

    def __call__(self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool) -> Hidden:
        """Hidden states of one batch, no layer computed beyond the last one asked for."""
        if pooler and "pooler.dense.weight" not in self.tensors:
            raise ModelError(f"{self.name} has no pooler weights; choose another pooling, such as mean")
        ids, positions, segments, bounds = packed_inputs(sequences, self.shape.padding, *self.rows)
        for numbers, table in zip((ids, positions, segments), self.tables, strict=True):
            if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(table):
                raise BadValue(f"token or position {numbers.max()} is not among the model's {len(table)}")
        tokens, shape, run = len(ids), self.shape, self.kernels
        rows = (tokens + BLOCK - 1) // BLOCK * BLOCK
        space = Space(*(_room(rows, width) for width in (3 * shape.width, shape.width, shape.inner, shape.width)))
        state, done = _room(rows, shape.width), 0
        run.embed(self.tables, (ids, positions, segments), self.norm, state)
        wanted: dict[int, np.ndarray] = {}
        for number in sorted({*layers, shape.layers if pooler else max(layers, default=0)}):
            run.layers(self._first(number)[done:], shape.epsilon, shape.heads, shape.activation, bounds, space, state)
            done = number
            if number in layers:
                wanted[number] = widened(state[:tokens])
        return Hidden(wanted, bounds, self._pooled(widened(state[bounds[:-1]])) if pooler else None)

    def _pooled(self, firsts: np.ndarray) -> np.ndarray:
        """The model's own pooled output, in float32. (n, d) -> (n, d)."""
        product: np.ndarray = firsts @ self._numbers("pooler.dense.weight").T
        return np.tanh(product + self._numbers("pooler.dense.bias"))

    def _first(self, count: int) -> np.ndarray:
        """Where so many layers lie, from the first."""
        if len(self._addresses) < count:
            with self._lock:
                for number in range(len(self._layers), count):
                    self._layers.append(self._layer(f"encoder.layer.{number}."))
                self._addresses = addresses(self._layers)
        return self._addresses[:count]

    def _layer(self, at: str) -> Layer:
        return Layer(
            self._dense(*(f"{at}attention.self.{part}" for part in ("query", "key", "value"))),
            self._dense(f"{at}attention.output.dense"), self._norm(f"{at}attention.output.LayerNorm"),
            self._dense(f"{at}intermediate.dense"), self._dense(f"{at}output.dense"),
            self._norm(f"{at}output.LayerNorm"),
        )  # fmt: skip

    def _dense(self, *keys: str) -> Dense:
        weight = np.concatenate([narrowed(self.tensors[f"{key}.weight"]) for key in keys])
        return Dense(packed_weight(weight), np.concatenate([self._numbers(f"{key}.bias") for key in keys]))

    def _norm(self, key: str) -> Norm:
        return Norm(self._numbers(f"{key}.weight"), self._numbers(f"{key}.bias"), self.shape.epsilon)

    def _numbers(self, key: str) -> np.ndarray:
        """A tensor in float32, as C reads it: a view of the file wherever that is possible."""
        return np.require(self.tensors[key], np.float32, ["C", "A"])


def packed_weight(weight: np.ndarray) -> np.ndarray:
    """A dense layer's weights in the order of dense.c. (e, d) -> (e/32, d/32, 2, 16, 16, 2): panel, step, tile."""
    outputs, inputs = weight.shape
    pairs = weight.view(np.uint32).reshape(outputs // 32, 2, 16, inputs // 32, 16)
    room = _room(outputs, inputs).view(np.uint32).reshape(outputs // 32, inputs // 32, 2, 16, 16)
    room[:] = pairs.transpose(0, 3, 1, 4, 2)
    return room.view(np.uint16).reshape(*room.shape, 2)


def _room(rows: int, width: int) -> np.ndarray:
    """An array of bfloat16, (rows, width) uint16, that begins where a line of the cache does."""
    memory = np.empty(2 * rows * width + LINE, np.uint8)
    begin = -memory.ctypes.data % LINE
    return memory[begin : begin + 2 * rows * width].view(np.uint16).reshape(rows, width)
