"""The forward pass in torch over packed tokens, no padding: for bulk; bfloat16, float32 or bytes, on a CPU or CUDA."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint
from searcher.embedding.encoder.int8 import Int8Layers
from searcher.embedding.encoder.kernels import Norm, float_kernels
from searcher.embedding.encoder.records import Hidden, Sequence_, packed_inputs
from searcher.errors import ModelError

__all__ = ["PackedForward", "has_fast_bf16"]

# (T, d) and, for the layers that end in one, the residual to be added -> (T, e)
Linear = Callable[..., Tensor]
GELU = {"gelu": "none", "gelu tanh": "tanh"}  # torch's names of the approximations
# On a GPU texts whose lengths differ by less are padded to one length for attention. On a CPU that gains nothing, and a
# text's vector would depend, in its last place, on what shares its batch.
NEAR = 8


def has_fast_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 matrices in hardware (AMX or AVX512-BF16) and torch makes use of it."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    capable = any(getattr(torch.cpu, name, lambda: False)() for name in checks)
    return bool(
        capable
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    )


class PackedForward:
    """BERT and RoBERTa of every size. Tokens of all texts lie in one (T, d) matrix; only attention knows of texts.

    dtype: of states. most: the greatest weight of dense layers in bytes (int8.py), with float32 states on a CPU; None
    where they have the dtype too.

    Where our own kernels run, a CPU's bfloat16 and float32 are theirs (compiled.py); here is what does not fit them.
    """

    def __init__(
        self, name: str, checkpoint: Checkpoint, shape: BertShape, device: torch.device, dtype: torch.dtype,
        most: int | None = None,
    ) -> None:  # fmt: skip
        self.name, self.shape, self.device, self.dtype = name, shape, device, dtype
        self.own = float_kernels() if device.type == "cpu" and dtype == torch.float32 else None
        self.rows = checkpoint.rows_of("word"), checkpoint.rows_of("token_type")

        def tensor(key: str) -> Tensor:
            return torch.from_numpy(np.array(checkpoint[key])).to(device)

        def linear(*keys: str, activation: str = "") -> Linear:
            weight = torch.cat([tensor(f"{key}.weight") for key in keys]).to(dtype)
            return _linear(weight, torch.cat([tensor(f"{key}.bias") for key in keys]).to(dtype), activation)

        def norm(key: str) -> Norm:
            return Norm(tensor(f"{key}.weight"), tensor(f"{key}.bias"), shape.epsilon)

        pooler = ("pooler.dense.weight", "pooler.dense.bias")
        self.pooler = [tensor(key) for key in pooler] if pooler[0] in checkpoint else None
        self.words, self.positions, self.types = (
            tensor(f"embeddings.{kind}_embeddings.weight") for kind in ("word", "position", "token_type")
        )
        self.norm = norm("embeddings.LayerNorm")
        self.bytes = Int8Layers(checkpoint, shape, most) if most else None
        if self.bytes:
            return
        self.layers = []
        for number in range(shape.layers):
            at = f"encoder.layer.{number}."
            inputs = linear(*(f"{at}attention.self.{part}" for part in ("query", "key", "value")))
            self.layers.append(
                (
                    inputs, linear(f"{at}attention.output.dense"), norm(f"{at}attention.output.LayerNorm"),
                    linear(f"{at}intermediate.dense", activation=shape.activation),
                    linear(f"{at}output.dense"), norm(f"{at}output.LayerNorm"),
                )
            )  # fmt: skip

    def __call__(self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool) -> Hidden:
        """Hidden states of one batch, no layer computed beyond the last one asked for."""
        if pooler and self.pooler is None:
            raise ModelError(f"{self.name} has no pooler weights; choose another pooling, such as mean")
        ids, positions, segments, bounds = packed_inputs(sequences, self.shape.padding, *self.rows)
        needed = sorted({*layers, self.shape.layers if pooler else max(layers, default=0)})
        wanted: dict[int, np.ndarray] = {}
        with torch.inference_mode():
            for number, state in self._states(ids, positions, segments, bounds, needed):
                if number in layers:
                    wanted[number] = state.float().cpu().numpy()
            pooled = None
            if pooler and self.pooler is not None:
                firsts = state[torch.from_numpy(bounds[:-1]).to(self.device)].float()
                pooled = torch.tanh(functional.linear(firsts, *self.pooler)).cpu().numpy()
        return Hidden(wanted, bounds, pooled)

    def _embeddings(self, ids: np.ndarray, positions: np.ndarray, segments: np.ndarray) -> Tensor:
        places = (torch.from_numpy(numbers).to(self.device) for numbers in (ids, positions, segments))
        tables = (self.words, self.positions, self.types)
        state = sum(functional.embedding(numbers, table) for numbers, table in zip(places, tables, strict=True))
        assert isinstance(state, Tensor)
        return functional.layer_norm(state, (self.shape.width,), *self.norm).to(self.dtype)

    def _states(
        self, ids: np.ndarray, positions: np.ndarray, segments: np.ndarray, bounds: np.ndarray, needed: Sequence[int]
    ) -> Iterator[tuple[int, Tensor]]:
        """Hidden states of those numbers, which rise, each (T, d)."""
        state = self._embeddings(ids, positions, segments)
        if 0 in needed:
            yield 0, state
        groups = [] if self.own else list(_groups(bounds, 1 if self.device.type == "cpu" else NEAR))
        if self.bytes:
            yield from self.bytes.states(state, lambda qkv: self._attention(qkv, bounds, groups), needed)
            return
        for number, layer in enumerate(self.layers[: needed[-1]], 1):
            inputs, output, first_norm, up, down, second_norm = layer
            mixed = self._attention(inputs(state), bounds, groups)
            state = self._normalise(output(mixed, state), first_norm)
            state = self._normalise(down(up(state), state), second_norm)
            if number in needed:
                yield number, state

    def _normalise(self, state: Tensor, norm: Norm) -> Tensor:
        weight, bias = norm.scale.to(self.dtype), norm.shift.to(self.dtype)
        return functional.layer_norm(state, (self.shape.width,), weight, bias, self.shape.epsilon)

    def _attention(self, qkv: Tensor, bounds: np.ndarray, groups: list["Group"]) -> Tensor:
        """Softmax attention within each text. (T, 3 d) -> (T, d). Vaswani et al. 2017, §3.2."""
        out = torch.empty(len(qkv), self.shape.width, dtype=self.dtype, device=self.device)
        if self.own:
            self.own.attention(qkv, bounds, self.shape.heads, out)
            return out
        heads, size = self.shape.heads, self.shape.width // self.shape.heads
        for rows, mask in groups:  # rows: (n, t) places in the batch, repeated where a text is shorter
            places, allowed = rows.to(self.device), None if mask is None else mask.to(self.device)[:, None, None, :]
            query, key, value = qkv[places].view(*rows.shape, 3, heads, size).permute(2, 0, 3, 1, 4)  # (n, h, t, s)
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
            flat = mixed.transpose(1, 2).reshape(*rows.shape, self.shape.width)
            if mask is None:
                out[places] = flat
            else:
                real = mask.to(self.device)
                out[places[real]] = flat[real]
        return out


Group = tuple[Tensor, Tensor | None]


def _groups(bounds: np.ndarray, differ: int) -> Iterator[Group]:
    """Texts whose lengths differ by less: their rows (n, t) int64 and which are real (n, t) bool, None if all are."""
    lengths = np.diff(bounds)
    order = np.argsort(-lengths, kind="stable")
    first = 0
    while first < len(order):
        longest = lengths[order[first]]
        near = order[first:][lengths[order[first:]] > longest - differ]
        steps = np.arange(longest)
        real = steps < lengths[near][:, None]
        rows = bounds[near][:, None] + np.where(real, steps, 0)
        yield torch.from_numpy(rows), None if real.all() else torch.from_numpy(real)
        first += len(near)


def _has_fused(weight: Tensor) -> bool:
    """Whether oneDNN has that form for the weight's device and dtype: bfloat16 only where the CPU multiplies it."""
    if weight.device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return weight.dtype == torch.float32 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _linear(weight: Tensor, bias: Tensor, activation: str) -> Linear:
    """A dense layer, then the activation, or the residual added; oneDNN's prepacked and fused form where it pays."""
    if _has_fused(weight):
        prepared = torch.ops.mkldnn._reorder_linear_weight(weight)
        run = torch.ops.mkldnn._linear_pointwise
        post: tuple[Any, ...] = ("gelu", [], GELU[activation]) if activation in GELU else (activation or "none", [], "")

        def fused(x: Tensor, residual: Tensor | None = None) -> Tensor:
            if residual is not None:
                result: Tensor = run.binary(x, residual, prepared, bias, "add")
                return result
            result = run(x, prepared, bias, *post)
            return result

        return fused

    def plain(x: Tensor, residual: Tensor | None = None) -> Tensor:
        result = functional.linear(x, weight, bias)
        if activation in GELU:
            return functional.gelu(result, approximate=GELU[activation])
        if activation == "relu":
            return functional.relu(result)
        return result if residual is None else result.add_(residual)

    return plain
