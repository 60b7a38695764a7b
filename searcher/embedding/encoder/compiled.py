"""The forward pass by our own kernels, in bfloat16 or float32, each dense layer with what follows it. It needs no
torch: a process that embeds a few files is done before that would be imported.
"""

from collections.abc import Sequence

import numpy as np

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint
from searcher.embedding.encoder.kernels import Dense, Kernels, Layer, Norm, Space, addresses
from searcher.embedding.encoder.records import Hidden, Sequence_, packed_inputs
from searcher.errors import BadValue, ModelError
from searcher.system import OwnLock

__all__ = ["CompiledForward"]

WORDS = "embeddings.word_embeddings.weight"
TABLES = ("position", "token_type")  # the small ones


class CompiledForward:
    """BERT and RoBERTa, by kernels that fit their shape. Tokens of all texts lie in one (T, d) matrix.

    A layer's weights are rounded and put in the kernels' order when first needed, unless they are used where they lie;
    of the words only the rows of these tokens are read.
    """

    def __init__(self, name: str, checkpoint: Checkpoint, shape: BertShape, kernels: Kernels) -> None:
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
        for numbers, table in zip((positions, segments), self.tables, strict=True):
            if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(table):
                raise BadValue(f"position or segment {numbers.max()} is not among the model's {len(table)}")
        tokens, shape, run = len(ids), self.shape, self.kernels
        widths = (3 * shape.width, shape.width, shape.inner, shape.width)
        space, state, done = Space(*(run.rows(tokens, width) for width in widths)), run.rows(tokens, shape.width), 0
        tables = [self.tensors.rows(WORDS, ids), *self.tables]
        run.embed(tables, (np.arange(tokens), positions, segments), self.norm, state)
        wanted: dict[int, np.ndarray] = {}
        for number in sorted({*layers, shape.layers if pooler else max(layers, default=0)}):
            run.layers(self._first(number)[done:], shape.epsilon, shape.heads, shape.activation, bounds, space, state)
            done = number
            if number in layers:
                wanted[number] = run.numbers(state[:tokens])
        return Hidden(wanted, bounds, self._pooled(run.numbers(state[bounds[:-1]])) if pooler else None)

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
        run = self.kernels
        # One piece for all weights of a layer: the system gives it sooner than many small ones.
        room = run.room(self.shape.numbers // self.shape.layers) if run.packs else None

        def dense(*keys: str) -> Dense:
            nonlocal room
            weight, bias = (_joined([self._numbers(f"{key}.{kind}") for key in keys]) for kind in ("weight", "bias"))
            if room is None:
                return Dense(weight, bias)
            own, room = np.split(room, [weight.size])
            run.pack(weight, own)
            return Dense(own, bias)

        inputs = [f"{at}attention.self.{part}" for part in ("query", "key", "value")]
        joined = [inputs] if run.joined else [[part] for part in inputs]
        return Layer(
            tuple(dense(*parts) for parts in joined),
            dense(f"{at}attention.output.dense"), self._norm(f"{at}attention.output.LayerNorm"),
            dense(f"{at}intermediate.dense"), dense(f"{at}output.dense"), self._norm(f"{at}output.LayerNorm"),
        )  # fmt: skip

    def _norm(self, key: str) -> Norm:
        return Norm(self._numbers(f"{key}.weight"), self._numbers(f"{key}.bias"), self.shape.epsilon)

    def _numbers(self, key: str) -> np.ndarray:
        """A tensor in float32, as C reads it: a view of the file wherever that is possible."""
        return np.require(self.tensors[key], np.float32, ["C", "A"])


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    """One below the other; a single one where it lies, which may be in a file."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
