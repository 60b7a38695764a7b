"""Calls into the C kernels over packed tokens, if built: bfloat16 with AMX or AVX512-BF16, float32 with AVX-512."""

import ctypes
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from searcher.system import kernel_library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = [
    "BUILDS",
    "Dense",
    "FloatKernels",
    "Layer",
    "Norm",
    "Space",
    "TileKernels",
    "built",
    "float_kernels",
    "tile_kernels",
]

# By what the CPU has to have for them, the best first; the one without tiles has no float32 kernels.
BUILDS = {name: Path(__file__).with_name(f"lib{name}.so.1") for name in ("amx", "dot")}
P, I, L, F = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_float  # noqa: E741
ARGUMENTS = {
    "attention": [P, P, L, I, I, P],
    "embed": [P, P, P, P, P, P, L, I, P, P, F, P],
    "dense": [P, L, I, P, P, I, P],
    "dense_activated": [P, L, I, P, P, I, I, P],
    "dense_norm": [P, I, L, I, P, P, I, P, P, P, F, P],
    "layers": [P, I, L, I, I, I, I, F, P, L, P, P, P, P, P],
    "bytes": [P, L, I, I, P, P],
    "bytes_finish": [P, L, I, P, P],
    "bytes_activate": [P, L, I, P, P, I, I, P, P],
    "bytes_normalise": [P, L, I, P, P, P, P, P, F, I, P, P],
    "float_attention": [P, P, L, I, I, P],
    "float_layer_norm": [P, L, I, P, P, F],
}
ACTIVATION_NUMBERS = {"gelu": 1, "gelu tanh": 2, "relu": 3}  # as dense.c has them


class Dense(NamedTuple):
    """weight: (e, d) bfloat16 in the order of dense.c; bias: (e,) float32."""

    weight: "Tensor"
    bias: "Tensor"


class Norm(NamedTuple):
    """scale, shift: (d,) float32."""

    scale: "Tensor"
    shift: "Tensor"
    epsilon: float


class Layer(NamedTuple):
    """One layer's weights. inputs: queries, keys and values; first, second: what follows attention and `down`."""

    inputs: Dense
    output: Dense
    first: Norm
    up: Dense
    down: Dense
    second: Norm


class Space(NamedTuple):
    """Room for what passes between kernels. qkv: (T, 3 d); mixed, between: (T, d); hidden: (T, e)."""

    qkv: "Tensor"
    mixed: "Tensor"
    hidden: "Tensor"
    between: "Tensor"


class Library:
    """The C functions by name. A call runs on one thread and lets other Python threads run meanwhile."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._run = {name: getattr(library, f"searcher_{name}") for name in ARGUMENTS if _has(library, name)}
        for name, run in self._run.items():
            run.argtypes = ARGUMENTS[name]

    def _call(self, name: str, *arguments: "int | float | Tensor | np.ndarray") -> None:
        if self._run[name](*map(_plain, arguments)):
            raise MemoryError(f"no memory for {name}")


class FloatKernels(Library):
    """Tokens are rows of contiguous float32 matrices, those of a text one after the other."""

    def attention(self, qkv: "Tensor", bounds: np.ndarray, heads: int, out: "Tensor") -> None:
        """Softmax attention within each text. qkv: (T, 3 d); bounds: (n + 1,) int64; out: (T, d)."""
        self._call("float_attention", qkv, bounds, len(bounds) - 1, heads, out.shape[1] // heads, out)

    def layer_norm(self, x: "Tensor", norm: Norm) -> None:
        """Normalise each row in place. (T, d)."""
        self._call("float_layer_norm", x, *x.shape, *norm)


class TileKernels(Library):
    """Tokens are rows of contiguous bfloat16 matrices, a multiple of 32 rows and columns, texts one after the other."""

    def embed(self, tables: "Sequence[Tensor]", numbers: "tuple[np.ndarray, ...]", norm: Norm, out: "Tensor") -> None:
        """Sum of a token's rows of three float32 tables, normalised. numbers: three of (T,) int64; out: (≥ T, d)."""
        scale, shift, epsilon = norm
        self._call("embed", *tables, *numbers, len(numbers[0]), out.shape[1], scale, shift, epsilon, out)

    def dense(self, x: "Tensor", layer: Dense, out: "Tensor") -> None:
        """The layer. (T, d) -> (T, e)."""
        self._call("dense", x, *x.shape, *layer, out.shape[1], out)

    def dense_activated(self, x: "Tensor", layer: Dense, activation: str, out: "Tensor") -> None:
        """The layer and the activation. (T, d) -> (T, e) in blocks, as `dense_norm` takes them."""
        self._call("dense_activated", x, *x.shape, *layer, out.shape[1], ACTIVATION_NUMBERS[activation], out)

    def dense_norm(
        self, x: "Tensor", layer: Dense, residual: "Tensor", norm: Norm, out: "Tensor", blocked: bool = False
    ) -> None:
        """The layer, the residual added, normalised. (T, d) -> (T, e). blocked: x is from `dense_activated`."""
        self._call("dense_norm", x, int(blocked), *x.shape, *layer, out.shape[1], residual, *norm, out)

    def attention(self, qkv: "Tensor", bounds: np.ndarray, heads: int, out: "Tensor") -> None:
        """Softmax attention within each text. qkv: (T, 3 d); bounds: (n + 1,) int64; out: (T, d)."""
        self._call("attention", qkv, bounds, len(bounds) - 1, heads, out.shape[1] // heads, out)

    def layers(
        self, layers: "Sequence[Layer]", heads: int, activation: str, bounds: np.ndarray, space: Space, state: "Tensor"
    ) -> None:
        """Layers one after the other, `state` (T, d) in place. bounds: (n + 1,) int64."""
        if not layers:
            return
        pointers = [[part.data_ptr() for part in _arrays(layer)] for layer in layers]
        self._call(
            "layers", np.array(pointers, dtype=np.uintp), len(layers), *state.shape, space.hidden.shape[1], heads,
            ACTIVATION_NUMBERS[activation], layers[0].first.epsilon, bounds, len(bounds) - 1, *space, state,
        )  # fmt: skip


def _arrays(layer: Layer) -> "tuple[Tensor, ...]":
    """In the order of layers.c."""
    return (*layer.inputs, *layer.output, *layer.first[:2], *layer.up, *layer.down, *layer.second[:2])


def _plain(argument: "int | float | Tensor | np.ndarray") -> int | float:
    """A number itself, or where an array's values lie."""
    if isinstance(argument, int | float):
        return argument
    return argument.ctypes.data if isinstance(argument, np.ndarray) else argument.data_ptr()


def _has(library: ctypes.CDLL, name: str) -> bool:
    return hasattr(library, f"searcher_{name}")


@cache
def built(name: str) -> TileKernels | None:
    """One of BUILDS, "amx" on tiles or "dot" with AVX512-BF16; None if it was not built or cannot run here."""
    library = kernel_library(BUILDS[name])
    return TileKernels(library) if library and library.searcher_supported() else None


def tile_kernels() -> TileKernels | None:
    """The best that there are; None without a C compiler at installation, or on a CPU without such instructions."""
    return next((kernels for name in BUILDS if (kernels := built(name))), None)


@cache
def float_kernels() -> FloatKernels | None:
    """The kernels, None where they were not built or the CPU has no AVX-512."""
    library = kernel_library(BUILDS["amx"])
    return FloatKernels(library) if library and library.searcher_float_supported() else None
