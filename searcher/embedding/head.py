"""What a sentence-transformers folder does with a pooled vector: Dense modules, unit length, leading numbers only."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from searcher.embedding.encoder import gelu, tensors_of
from searcher.embedding.modules import Dense, Step
from searcher.embedding.pooling import normalize
from searcher.errors import ModelError

__all__ = ["ACTIVATIONS", "Head"]

Array = np.ndarray


def _softplus(x: Array) -> Array:
    return np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 20))))  # torch's threshold


def _sigmoid(x: Array) -> Array:
    return np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * x))


def _elu(x: Array, alpha: float = 1.0, scale: float = 1.0) -> Array:
    return np.float32(scale) * np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, 0)))


# Classes of torch.nn by name, with their defaults (pytorch.org/docs/stable/nn.html). float32, elementwise.
ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "ELU": _elu,
    "GELU": gelu,
    "Hardsigmoid": lambda x: np.clip(x / 6 + np.float32(0.5), 0, 1),
    "Hardswish": lambda x: x * np.clip(x / 6 + np.float32(0.5), 0, 1),
    "Hardtanh": lambda x: np.clip(x, -1, 1),
    "Identity": lambda x: x,
    "LeakyReLU": lambda x: np.where(x > 0, x, np.float32(0.01) * x),
    "LogSigmoid": lambda x: -_softplus(-x),
    "Mish": lambda x: x * np.tanh(_softplus(x)),
    "ReLU": lambda x: np.maximum(x, 0),
    "ReLU6": lambda x: np.clip(x, 0, 6),
    "SELU": lambda x: _elu(x, 1.6732632423543772, 1.0507009873554805),
    "Sigmoid": _sigmoid,
    "SiLU": lambda x: x * _sigmoid(x),
    "Softplus": _softplus,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Tanh": np.tanh,
}


class Head:
    """The steps of a model, which are done to whatever was pooled. name: the model's. The weights load when used.

    Raises ModelError for an activation that is not known.
    """

    def __init__(self, name: str, steps: Sequence[Step]) -> None:
        self.name, self.steps = name, tuple(steps)
        self._tensors: dict[int, Mapping[str, Array]] = {}
        for step in self.steps:
            if isinstance(step, Dense) and _activation(step) is None:
                known = ", ".join(ACTIVATIONS)
                raise ModelError(f"{name} has a Dense module with {step.activation!r}; known of torch.nn: {known}")

    def width(self, pooled: int, how: str) -> int:
        """Length of its vectors. pooled: of those it is given; how: what they are, for the error if it takes others."""
        for step in self.steps:
            if isinstance(step, Dense):
                if step.inputs != pooled:
                    raise ModelError(f"{how} gives {pooled} numbers; a Dense module of {self.name} takes {step.inputs}")
                pooled = step.outputs
            elif isinstance(step, int):
                pooled = min(pooled, step)
        return pooled

    def __call__(self, vectors: Array) -> Array:
        """(n, pooled) float32 -> (n, width) float32."""
        for number, step in enumerate(self.steps):
            if isinstance(step, Dense):
                vectors = self._dense(number, step, vectors)
            else:
                vectors = vectors[:, :step] if isinstance(step, int) else normalize(vectors)
        return vectors

    def _dense(self, number: int, step: Dense, vectors: Array) -> Array:
        if number not in self._tensors:
            self._tensors[number] = _weights(step)
        tensors, activation = self._tensors[number], _activation(step)
        assert activation is not None
        result = vectors @ tensors["linear.weight"].T
        result = activation(result + tensors["linear.bias"] if step.bias else result)
        if step.residual:
            result = result + (vectors @ tensors["residual.weight"].T if step.inputs != step.outputs else vectors)
        return result.astype(np.float32, copy=False)


def _activation(step: Dense) -> Callable[[Array], Array] | None:
    """What a class of torch.nn computes, wherever in it the class is said to be; None for one that is not known."""
    place, _, name = step.activation.rpartition(".")
    return ACTIVATIONS.get(name) if place == "torch.nn" or place.startswith("torch.nn.modules") else None


def _weights(step: Dense) -> Mapping[str, Array]:
    """The tensors of a Dense module as float32. ModelError unless they are as large as its configuration says."""
    wanted: dict[str, tuple[int, ...]] = {"linear.weight": (step.outputs, step.inputs)}
    wanted |= {"linear.bias": (step.outputs,)} if step.bias else {}
    wanted |= {"residual.weight": (step.outputs, step.inputs)} if step.residual and step.inputs != step.outputs else {}
    file = step.weights[0]
    found: dict[str, Array] = {}
    for each in step.weights:
        found |= tensors_of(each) if each.suffix == ".safetensors" else _unpickled(each)
    if missing := [name for name in wanted if name not in found]:
        raise ModelError(f"{file} lacks {', '.join(missing)}")
    if unknown := [name for name in found if name not in wanted]:
        raise ModelError(f"{file} has {', '.join(unknown)}, of which its config.json says nothing")
    tensors = {name: np.array(found[name], np.float32) for name in wanted}
    for name, shape in wanted.items():
        if tensors[name].shape != shape:
            sizes = (" x ".join(map(str, each)) for each in (tensors[name].shape, shape))
            raise ModelError("{}: {} is {}, config.json says {}".format(file, name, *sizes))
    return tensors


def _unpickled(file: Path) -> Mapping[str, Array]:
    """A file of torch's own format, which runs no code of the file's."""
    import torch

    try:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
        return {name: tensor.float().numpy() for name, tensor in tensors.items()}
    except Exception as fault:  # pickle and torch raise errors of their own
        reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0]
        raise ModelError(f"{file} cannot be loaded: {reason}") from None
