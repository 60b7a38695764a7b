"""Calls into C kernels over packed tokens, if built: all layers in bfloat16, with AMX or AVX512-BF16."""

import ctypes
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from searcher.system import kernel_library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = [
    "BUILDS",
    "Dense",
    "Layer",
    "Library",
    "Norm",
    "Space",
    "TileKernels",
    "addresses",
    "built",
    "tile_kernels",
]

# By what the CPU has to have for them, the best first.
BUILDS = {name: Path(__file__).with_name(f"lib{name}.so.1") for name in ("amx", "dot")}
P, I, L, F = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_float  # noqa: E741
ACTIVATION_NUMBERS = {"gelu": 1, "gelu tanh": 2, "relu": 3}  # as C has them


class Dense(NamedTuple):
    """weight: (e, d) bfloat16 in the order of dense.c; bias: (e,) float32."""

    weight: np.ndarray
    bias: np.ndarray


class Norm(NamedTuple):
    """scale, shift: (d,) float32, numpy's or torch's."""

    scale: Any
    shift: Any
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

    qkv: np.ndarray
    mixed: np.ndarray
    hidden: np.ndarray
    between: np.ndarray


class Library:
    """C functions by name. A call runs on one thread and lets other Python threads run meanwhile.

    arguments: the types that each takes.
    """

    arguments: ClassVar[Mapping[str, list[Any]]]

    def __init__(self, library: ctypes.CDLL) -> None:
        self._run = {name: getattr(library, f"searcher_{name}") for name in self.arguments}
        for name, run in self._run.items():
            run.argtypes = self.arguments[name]

    def _call(self, name: str, *arguments: "int | float | np.ndarray | Tensor") -> None:
        if self._run[name](*map(_plain, arguments)):
            raise MemoryError(f"no memory for {name}")


class TileKernels(Library):
    """Tokens are rows of contiguous bfloat16 matrices, a multiple of 32 rows and columns, texts one after the other."""

    arguments: ClassVar = {
        "attention": [P, P, L, I, I, P],
        "embed": [P, P, P, P, P, P, L, I, P, P, F, P],
        "dense": [P, L, I, P, P, I, P],
        "dense_activated": [P, L, I, P, P, I, I, P],
        "dense_norm": [P, I, L, I, P, P, I, P, P, P, F, P],
        "layers": [P, I, L, I, I, I, I, F, P, L, P, P, P, P, P],
    }

    def embed(
        self, tables: "Sequence[np.ndarray]", numbers: tuple[np.ndarray, ...], norm: Norm, out: np.ndarray
    ) -> None:
        """Sum of a token's rows of three float32 tables, normalised. numbers: three of (T,) int64; out: (≥ T, d)."""
        scale, shift, epsilon = norm
        self._call("embed", *tables, *numbers, len(numbers[0]), out.shape[1], scale, shift, epsilon, out)

    def dense(self, x: np.ndarray, layer: Dense, out: np.ndarray) -> None:
        """The layer. (T, d) -> (T, e)."""
        self._call("dense", x, *x.shape, *layer, out.shape[1], out)

    def dense_activated(self, x: np.ndarray, layer: Dense, activation: str, out: np.ndarray) -> None:
        """The layer and the activation. (T, d) -> (T, e) in blocks, as `dense_norm` takes them."""
        self._call("dense_activated", x, *x.shape, *layer, out.shape[1], ACTIVATION_NUMBERS[activation], out)

    def dense_norm(
        self, x: np.ndarray, layer: Dense, residual: np.ndarray, norm: Norm, out: np.ndarray, blocked: bool = False
    ) -> None:
        """The layer, the residual added, normalised. (T, d) -> (T, e). blocked: x is from `dense_activated`."""
        self._call("dense_norm", x, int(blocked), *x.shape, *layer, out.shape[1], residual, *norm, out)

    def attention(self, qkv: np.ndarray, bounds: np.ndarray, heads: int, out: np.ndarray) -> None:
        """Softmax attention within each text. qkv: (T, 3 d); bounds: (n + 1,) int64; out: (T, d)."""
        self._call("attention", qkv, bounds, len(bounds) - 1, heads, out.shape[1] // heads, out)

    def layers(
        self, layers: np.ndarray, epsilon: float, heads: int, activation: str, bounds: np.ndarray, space: Space,
        state: np.ndarray,
    ) -> None:  # fmt: skip
        """Layers one after the other, `state` (T, d) in place. layers: their `addresses`; bounds: (n + 1,) int64."""
        if len(layers):
            self._call(
                "layers", layers, len(layers), *state.shape, space.hidden.shape[1], heads,
                ACTIVATION_NUMBERS[activation], epsilon, bounds, len(bounds) - 1, *space, state,
            )  # fmt: skip


def addresses(layers: "Sequence[Layer]") -> np.ndarray:
    """Where the weights of layers lie, in the order of layers.c, (n, 12); they lie there as long as `layers` lives."""
    found = [
        (*each.inputs, *each.output, *each.first[:2], *each.up, *each.down, *each.second[:2]) for each in layers
    ]  # fmt: skip
    return np.array([[_plain(part) for part in parts] for parts in found], dtype=np.uintp).reshape(-1, 12)


def _plain(argument: "int | float | np.ndarray | Tensor") -> int | float:
    """A number itself, or where an array's values lie."""
    if isinstance(argument, int | float):
        return argument
    return argument.ctypes.data if isinstance(argument, np.ndarray) else argument.data_ptr()


@cache
def built(name: str) -> TileKernels | None:
    """One of BUILDS, "amx" on tiles or "dot" with AVX512-BF16; None if it was not built or cannot run here."""
    library = kernel_library(BUILDS[name])
    return TileKernels(library) if library and library.searcher_supported() else None


def tile_kernels() -> TileKernels | None:
    """The best that there are; None without a C compiler at installation, or on a CPU without such instructions."""
    return next((kernels for name in BUILDS if (kernels := built(name))), None)
