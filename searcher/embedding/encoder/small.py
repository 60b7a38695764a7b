"""The forward pass in numpy, float32: for a question asked of a cold process, where importing torch would cost more."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint
from searcher.embedding.encoder.records import Hidden, Sequence_, packed_inputs
from searcher.errors import ModelError

__all__ = ["SmallForward"]


WARM = 3  # forward passes after which matrices are copied: a process that asks so often will ask again
COPIED = 64 << 20  # numbers in a model's layers, of at most which there are copies
SMALL = 1_000_000  # multiplications of a product up to which OpenBLAS takes the matrix as it lies, and rounds by that


class SmallForward:
    """BERT over packed tokens with memory-mapped weights; reads only the embedding rows it needs.

    Few tokens cost less than OpenBLAS's own reordering of the matrices, which is twice as quick where these lie as they
    are multiplied: a process that goes on asking keeps such a copy, of a model that is not large.
    """

    def __init__(self, name: str, checkpoint: Checkpoint, shape: BertShape) -> None:
        self.name, self.tensors, self.shape = name, checkpoint, shape
        self.rows = checkpoint.rows_of("word"), checkpoint.rows_of("token_type")
        self._passes = 0
        self._arrays: dict[str, np.ndarray] = {}
        self._copies: dict[str, np.ndarray] = {}

    def __call__(self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool) -> Hidden:
        """Hidden states of one batch, no layer computed beyond the last one asked for."""
        if pooler and "pooler.dense.weight" not in self.tensors:
            raise ModelError(f"{self.name} has no pooler weights; choose another pooling, such as mean")
        self._passes += 1
        ids, positions, segments, bounds = packed_inputs(sequences, self.shape.padding, *self.rows)
        state = self._embeddings(ids, positions, segments)
        wanted = {layer: state for layer in layers if layer == 0}
        last = self.shape.layers if pooler else max(layers, default=0)
        for number in range(1, last + 1):
            state = self._layer(f"encoder.layer.{number - 1}.", state, bounds)
            if number in layers:
                wanted[number] = state
        pooled = np.tanh(self._dense("pooler.dense", state[bounds[:-1]])) if pooler else None
        return Hidden(wanted, bounds, pooled)

    def _embeddings(self, ids: np.ndarray, positions: np.ndarray, segments: np.ndarray) -> np.ndarray:
        state = self.tensors.rows("embeddings.word_embeddings.weight", ids)
        state = state + self.tensors.rows("embeddings.position_embeddings.weight", positions)
        state += self.tensors.rows("embeddings.token_type_embeddings.weight", segments)
        return self._norm("embeddings.LayerNorm", state)

    def _layer(self, name: str, state: np.ndarray, bounds: np.ndarray) -> np.ndarray:
        query, key, value = (self._dense(f"{name}attention.self.{part}", state) for part in ("query", "key", "value"))
        mixed = np.empty_like(state)
        for first, last in pairwise(bounds):
            mixed[first:last] = self._attention(query[first:last], key[first:last], value[first:last])
        state = self._norm(
            f"{name}attention.output.LayerNorm", self._dense(f"{name}attention.output.dense", mixed) + state
        )
        inner = ACTIVATION_FUNCTIONS[self.shape.activation](self._dense(f"{name}intermediate.dense", state))
        return self._norm(f"{name}output.LayerNorm", self._dense(f"{name}output.dense", inner) + state)

    def _attention(self, query: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Softmax of scaled products, head by head. three of (t, d) -> (t, d). Vaswani et al. 2017, §3.2."""
        length, width = query.shape
        heads = self.shape.heads
        q, k, v = (part.reshape(length, heads, width // heads).transpose(1, 0, 2) for part in (query, key, value))
        scores = q @ k.transpose(0, 2, 1) / np.float32(np.sqrt(width // heads))  # (h, t, t)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return (weights @ v).transpose(1, 0, 2).reshape(length, width)

    def _dense(self, name: str, state: np.ndarray) -> np.ndarray:
        matrix = self._array(f"{name}.weight")
        warm = self._passes > WARM and self.shape.numbers <= COPIED
        if warm and len(state) > 1 and len(state) * matrix.size > SMALL:  # of one row there is another product
            copy = self._copies.get(name)
            if copy is None:  # if two threads make one, either will do
                copy = self._copies[name] = np.ascontiguousarray(matrix.T)
            product = state @ copy
        else:
            product = state @ matrix.T
        product += self._array(f"{name}.bias")
        return product

    def _array(self, name: str) -> np.ndarray:
        """A tensor of the layers, a view of the file where that holds float32; found once, of a model not large."""
        array = self._arrays.get(name)
        if array is None:
            array = np.asarray(self.tensors[name])
            if self.shape.numbers <= COPIED:
                self._arrays[name] = array
        return array

    def _norm(self, name: str, state: np.ndarray) -> np.ndarray:
        centred = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt(np.einsum("td,td->t", centred, centred)[:, None] / state.shape[1] + self.shape.epsilon)
        return (centred / spread * self._array(f"{name}.weight") + self._array(f"{name}.bias")).astype(np.float32)


# Rational approximation of erf for float32, as in Eigen's generic_fast_erf: within 4 units in the last place.
ERF_ABOVE = np.array([
    2.2905065861350646e-4, 3.4082910107109506e-3, 5.0955695062380861e-2, 1.8520832239976145e-1, 1.128379143519084,
], np.float32)  # fmt: skip
ERF_BELOW = np.array([
    -1.1791602954361697e-7, 2.3547966471313185e-5, 1.0179625278914885e-3, 1.4070470171167667e-2,
    1.1098505178285362e-1, 4.9746925110067538e-1, 1.0,
], np.float32)  # fmt: skip
ERF_END = np.float32(3.832506856900711)


def erf(x: np.ndarray) -> np.ndarray:
    """The error function, float32, elementwise."""
    # In place wherever it can be: of some 20 tokens on, the system clears the memory of each new array first.
    x = x.clip(-ERF_END, ERF_END)
    square = x * x
    x *= _polynomial(ERF_ABOVE, square)
    x /= _polynomial(ERF_BELOW, square)
    return x


def _polynomial(factors: np.ndarray, x: np.ndarray) -> np.ndarray:
    """By Horner's rule, the factor of the greatest power first, as np.polyval."""
    y = x * factors[0]
    for factor in factors[1:-1]:
        y += factor
        y *= x
    y += factors[-1]
    return y


def gelu(x: np.ndarray) -> np.ndarray:
    """X Φ(x). Hendrycks & Gimpel 2016."""
    share = erf(x * np.float32(np.sqrt(0.5)))
    share += np.float32(1)
    x = x * np.float32(0.5)
    x *= share
    return x


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """The tanh approximation of `gelu`, of the same paper."""
    return np.float32(0.5) * x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * x**3)))


ACTIVATION_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu": gelu,
    "gelu tanh": gelu_tanh,
    "relu": lambda x: np.maximum(x, 0),
}
