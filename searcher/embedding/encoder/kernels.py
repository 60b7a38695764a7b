"""Calls into C kernels over packed tokens, if built: all layers of a BERT in bfloat16 or in float32."""

import ctypes
from collections.abc import Mapping
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from searcher.embedding.encoder.bfloat16 import widened
from searcher.system import kernel_library

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from searcher.embedding.encoder.checkpoint import BertShape

__all__ = [
    "BUILDS", "FLOATS", "Dense", "FloatKernels", "Kernels", "Layer", "Library", "Norm", "Space", "TileKernels",
    "addresses", "built", "built_floats", "float_kernels", "kernels_for", "tile_kernels",
]  # fmt: skip

LINE = 64  # bytes of the cache's lines, at the begin of which the kernels read fastest
# By what the CPU has to have for them, the best first.
BUILDS = {name: Path(__file__).with_name(f"lib{name}.so.1") for name in ("amx", "dot")}
FLOATS = {
    name: Path(__file__).with_name(f"libfloat32_{bits}.so.1")
    for name, bits in (("AVX-512", 512), ("AVX2", 256), ("NEON", 128))
}
P, I, L, F = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64, ctypes.c_float  # noqa: E741
ACTIVATION_NUMBERS = {"gelu": 1, "gelu tanh": 2, "relu": 3}  # as C has them


class Dense(NamedTuple):
    """weight: (e, d), as it lies in a file or as `Kernels.pack` puts it; bias: (e,) float32."""

    weight: np.ndarray
    bias: np.ndarray


class Norm(NamedTuple):
    """scale, shift: (d,) float32, numpy's or torch's."""

    scale: Any
    shift: Any
    epsilon: float


class Layer(NamedTuple):
    """One layer's weights. inputs: queries, keys and values, joined or by themselves, as kernels take them; first,
    second: what follows attention and `down`.
    """

    inputs: tuple[Dense, ...]
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


class Kernels(Library):
    """Whole layers over rows of `dtype`, a multiple of `block` of them, texts one after the other."""

    arguments: ClassVar = {
        "embed": [P, P, P, P, P, P, L, I, P, P, F, P],
        "layers": [P, I, L, I, I, I, I, F, P, L, P, P, P, P, P],
        "pack": [P, I, I, P],
    }
    dtype: ClassVar[type[np.generic]]
    joined: ClassVar[bool]  # queries, keys and values
    packs: bool = True
    block: int
    form: tuple[int, ...] = ()  # what `layers` has to know besides

    def embed(
        self, tables: "Sequence[np.ndarray]", numbers: tuple[np.ndarray, ...], norm: Norm, out: np.ndarray
    ) -> None:
        """Sum of a token's rows of three float32 tables, normalised. numbers: three of (T,) int64; out: (≥ T, d)."""
        scale, shift, epsilon = norm
        self._call("embed", *tables, *numbers, len(numbers[0]), out.shape[1], scale, shift, epsilon, out)

    def layers(
        self, layers: np.ndarray, epsilon: float, heads: int, activation: str, bounds: np.ndarray, space: Space,
        state: np.ndarray,
    ) -> None:  # fmt: skip
        """Layers one after the other, `state` (T, d) in place. layers: their `addresses`; bounds: (n + 1,) int64."""
        if len(layers):
            self._call(
                "layers", layers, len(layers), *self.form, *state.shape, space.hidden.shape[1], heads,
                ACTIVATION_NUMBERS[activation], epsilon, bounds, len(bounds) - 1, *space, state,
            )  # fmt: skip

    def rows(self, tokens: int, width: int) -> np.ndarray:
        """Room for so many tokens; rows behind the last hold nothing of meaning."""
        rows = (tokens + self.block - 1) // self.block * self.block
        return self.room(rows * width).reshape(rows, width)

    def room(self, numbers: int) -> np.ndarray:
        """An array that begins where a line of the cache does."""
        size = numbers * np.dtype(self.dtype).itemsize
        memory = np.empty(size + LINE, np.uint8)
        begin = -memory.ctypes.data % LINE
        return memory[begin : begin + size].view(self.dtype)

    def fits(self, shape: "BertShape") -> bool:
        """Whether they know its widths."""
        raise NotImplementedError

    def pack(self, weight: np.ndarray, out: np.ndarray) -> None:
        """A dense layer's float32 weights (e, d), rounded and in the kernels' order: (e d,) of `dtype`."""
        self._call("pack", weight, *weight.shape, out)

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """A copy of rows, in float32."""
        raise NotImplementedError


class TileKernels(Kernels):
    """In bfloat16 with AMX or AVX512-BF16; widths are multiples of a tile's."""

    arguments: ClassVar = Kernels.arguments | {
        "attention": [P, P, L, I, I, P],
        "dense": [P, L, I, P, P, I, P],
        "dense_activated": [P, L, I, P, P, I, I, P],
        "dense_norm": [P, I, L, I, P, P, I, P, P, P, F, P],
    }
    dtype, joined, block = np.uint16, True, 32

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

    def fits(self, shape: "BertShape") -> bool:
        """Whether each is a multiple of a tile's."""
        return not any(size % self.block for size in (shape.width, shape.inner, shape.width // shape.heads))

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """A copy of rows, in float32."""
        return widened(rows)


class FloatKernels(Kernels):
    """In float32 with AVX-512, AVX2 or NEON; widths are multiples of a vector's.

    packs: whether weights are put in the kernels' order, which pays after some questions; else they are read where they
    lie. Numbers are the same to the bit.
    """

    arguments: ClassVar = Kernels.arguments | {
        "attention": [P, P, L, I, I, P],
        "layers": [P, I, I, L, I, I, I, I, F, P, L, P, P, P, P, P],
    }
    dtype, joined = np.float32, False

    def __init__(self, library: ctypes.CDLL, packs: bool) -> None:
        super().__init__(library)
        self.packs, self.form = packs, (int(packs),)
        self.block, self.lanes = library.searcher_float32_rows(), library.searcher_float32_lanes()

    def attention(self, qkv: "np.ndarray | Tensor", bounds: np.ndarray, heads: int, out: "np.ndarray | Tensor") -> None:
        """Softmax attention within each text, of any width. qkv: (T, 3 d); bounds: (n + 1,) int64; out: (T, d)."""
        self._call("attention", qkv, bounds, len(bounds) - 1, heads, out.shape[1] // heads, out)

    def fits(self, shape: "BertShape") -> bool:
        """Whether each is a multiple of a vector's."""
        return not (shape.width % self.lanes or shape.inner % self.lanes)

    def numbers(self, rows: np.ndarray) -> np.ndarray:
        """A copy of rows."""
        return rows.copy()


def addresses(layers: "Sequence[Layer]") -> np.ndarray:
    """Where the weights of layers lie, in the order of C's `layer`, (n, …); there for as long as `layers` lives."""
    found = [
        (
            *chain.from_iterable(each.inputs), *each.output, *each.first[:2], *each.up, *each.down, *each.second[:2],
        ) for each in layers
    ]  # fmt: skip
    return np.array([[_plain(part) for part in parts] for parts in found], dtype=np.uintp)


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


@cache
def built_floats(name: str, packs: bool = True) -> FloatKernels | None:
    """One of FLOATS; None if it was not built or cannot run here. packs: as `FloatKernels` has it."""
    library = kernel_library(FLOATS[name])
    return FloatKernels(library, packs) if library and library.searcher_float32_supported() else None


def tile_kernels() -> TileKernels | None:
    """The best that there are; None without a C compiler at installation, or on a CPU without such instructions."""
    return next((kernels for name in BUILDS if (kernels := built(name))), None)


def float_kernels() -> FloatKernels | None:
    """The same, of those for float32."""
    return next((kernels for name in FLOATS if (kernels := built_floats(name))), None)


def kernels_for(shape: "BertShape", dtype: str, packs: bool = True) -> Kernels | None:
    """The best that there are here for such a model, in "bf16" or "fp32"; None also where its widths do not fit.

    packs: as `FloatKernels` has it.
    """
    found = (built_floats(name, packs) for name in FLOATS) if dtype == "fp32" else iter([tile_kernels()])
    return next((kernels for kernels in found if kernels and kernels.fits(shape)), None)
