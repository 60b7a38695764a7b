"""The C kernels for CPUs with AMX: attention and layer normalisation over packed bfloat16, if they were built."""

import ctypes
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Kernels", "kernels"]

LIBRARY = Path(__file__).with_name("libamx.so.1")


class Kernels:
    """Calls into the library. A call runs on one thread and lets other Python threads run meanwhile."""

    def __init__(self, library: ctypes.CDLL) -> None:
        pointer, integer, long = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
        self._attention, self._layer_norm = library.searcher_attention, library.searcher_layer_norm
        self._attention.argtypes = [pointer, pointer, long, integer, integer, pointer]
        self._gelu = library.searcher_gelu
        self._gelu.argtypes = [pointer, long]
        self._layer_norm.argtypes = [pointer, long, integer, pointer, pointer, ctypes.c_float, pointer]

    def attention(self, qkv: "Tensor", bounds: np.ndarray, heads: int, out: "Tensor") -> None:
        """Softmax attention within each text. qkv: (T, 3 d) bfloat16; bounds: (n + 1,) int64; out: (T, d) bfloat16."""
        size = out.shape[1] // heads
        if self._attention(qkv.data_ptr(), bounds.ctypes.data, len(bounds) - 1, heads, size, out.data_ptr()):
            raise MemoryError("no memory for attention")

    def layer_norm(self, states: "Tensor", weight: "Tensor", bias: "Tensor", epsilon: float) -> None:
        """Normalise each row in place. states: (T, d) bfloat16; weight, bias: (d,) float32."""
        rows, width = states.shape
        self._layer_norm(states.data_ptr(), rows, width, weight.data_ptr(), bias.data_ptr(), epsilon, states.data_ptr())

    def gelu(self, states: "Tensor") -> "Tensor":
        """The activation of each component, in place. (T, e) bfloat16, e a multiple of 32."""
        self._gelu(states.data_ptr(), states.numel())
        return states


@cache
def kernels() -> Kernels | None:
    """The kernels, None where they were not built (no C compiler at installation) or the CPU has no AMX."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
    except OSError:
        return None
    return Kernels(library) if library.searcher_supported() else None
