"""What stands between products of bytes: numbers → bytes, sums → numbers; in C where that was built, else in torch."""

from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from searcher.embedding.encoder.kernels import ACTIVATION_NUMBERS, F, I, L, Library, Norm, P
from searcher.system import kernel_library

__all__ = ["PASSES", "Bytes", "CompiledPasses", "Passes", "TorchPasses", "compiled_passes", "passes", "room"]

# By what the CPU has to have for them, the best first.
PASSES = {name: Path(__file__).with_name(f"libpasses{bits}.so.1") for name, bits in (("AVX-512", 512), ("AVX2", 256))}
BLOCK = 32  # oneDNN makes a program for each number of rows: there are multiples of this only
LEAST = 1e-30  # of a step; a row of smaller numbers is one of zeros


class Bytes(NamedTuple):
    """T rows of numbers (byte - zero) * step. rows: (≥ T, d) uint8; steps: (T,) float32, one for each row.

    The rows behind the last hold nothing of meaning.
    """

    rows: Tensor
    steps: Tensor
    zero: int


def room(tokens: int, width: int, zero: int) -> Bytes:
    """Room for so many rows."""
    rows = torch.empty((tokens + BLOCK - 1) // BLOCK * BLOCK, width, dtype=torch.uint8)
    return Bytes(rows, torch.empty(tokens), zero)


class Passes(Protocol):
    """Each row by itself; `sums` (≥ T, d) float32 are what `product` made of rows with these steps (T,)."""

    def quantise(self, x: Tensor, out: Bytes) -> None:
        """The rows of x (T, d) float32 as bytes, with the least steps that hold all of each."""

    def finish(self, sums: Tensor, steps: Tensor, bias: Tensor) -> None:
        """Sums -> what the dense layer gives, in place."""

    def activate(self, sums: Tensor, steps: Tensor, bias: Tensor, activation: str, out: Bytes) -> None:
        """… then the activation, as bytes; the sums are overwritten."""

    def normalise(self, sums: Tensor, steps: Tensor, bias: Tensor, state: Tensor, norm: Norm, out: Bytes) -> None:
        """… plus the state (T, d) float32, normalised: the next state, in its place, and its bytes."""


class CompiledPasses(Library):
    """Passes in C."""

    arguments: ClassVar = {
        "bytes": [P, L, I, I, P, P],
        "bytes_finish": [P, L, I, P, P],
        "bytes_activate": [P, L, I, P, P, I, I, P, P],
        "bytes_normalise": [P, L, I, P, P, P, P, P, F, I, P, P],
    }

    def quantise(self, x: Tensor, out: Bytes) -> None:
        """As bytes."""
        self._call("bytes", x, *x.shape, out.zero, out.rows, out.steps)

    def finish(self, sums: Tensor, steps: Tensor, bias: Tensor) -> None:
        """As numbers."""
        self._call("bytes_finish", sums, len(steps), sums.shape[1], steps, bias)

    def activate(self, sums: Tensor, steps: Tensor, bias: Tensor, activation: str, out: Bytes) -> None:
        """As numbers, activated, as bytes."""
        number = ACTIVATION_NUMBERS[activation]
        self._call(
            "bytes_activate", sums, len(steps), sums.shape[1], steps, bias, number, out.zero, out.rows, out.steps
        )

    def normalise(self, sums: Tensor, steps: Tensor, bias: Tensor, state: Tensor, norm: Norm, out: Bytes) -> None:
        """As numbers, with the state, normalised, as numbers and bytes."""
        self._call("bytes_normalise", sums, *state.shape, steps, bias, state, *norm, out.zero, out.rows, out.steps)


class TorchPasses:
    """Passes in torch."""

    def quantise(self, x: Tensor, out: Bytes) -> None:
        """As bytes."""
        steps = x.amax(1).clamp_min(0) / (255 - out.zero)
        if out.zero:
            steps = torch.maximum(steps, -x.amin(1).clamp_max(0) / out.zero)
        out.steps.copy_(steps)
        inverse = torch.where(steps > LEAST, 1 / steps, 0)[:, None]
        out.rows[: len(x)] = (x * inverse).add_(out.zero + 0.5).to(torch.uint8)

    def finish(self, sums: Tensor, steps: Tensor, bias: Tensor) -> None:
        """As numbers."""
        sums[: len(steps)].mul_(steps[:, None]).add_(bias)

    def activate(self, sums: Tensor, steps: Tensor, bias: Tensor, activation: str, out: Bytes) -> None:
        """As numbers, activated, as bytes."""
        self.finish(sums, steps, bias)
        numbers = sums[: len(steps)]
        gelu = "tanh" if activation == "gelu tanh" else "none"
        active = functional.relu(numbers) if activation == "relu" else functional.gelu(numbers, approximate=gelu)
        self.quantise(active, out)

    def normalise(self, sums: Tensor, steps: Tensor, bias: Tensor, state: Tensor, norm: Norm, out: Bytes) -> None:
        """As numbers, with the state, normalised, as numbers and bytes."""
        self.finish(sums, steps, bias)
        state.copy_(functional.layer_norm(sums[: len(steps)] + state, (state.shape[1],), *norm))
        self.quantise(state, out)


@cache
def compiled_passes(name: str) -> CompiledPasses | None:
    """One of PASSES; None if it was not built or cannot run here."""
    library = kernel_library(PASSES[name])
    return CompiledPasses(library) if library and library.searcher_bytes_supported() else None


def passes() -> Passes:
    """The best that there are."""
    return next((own for name in PASSES if (own := compiled_passes(name))), TorchPasses())
