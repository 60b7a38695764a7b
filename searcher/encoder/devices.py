"""Which device and dtype bulk encoding runs on, and the forward pass for it; imports torch."""

import os
from typing import NamedTuple

import torch

from searcher.encoder.checkpoint import BertShape, Checkpoint
from searcher.encoder.packed import PackedForward, has_fast_bf16
from searcher.encoder.records import Forward
from searcher.encoder.reference import ReferenceForward
from searcher.errors import BadValue
from searcher.models import Model

__all__ = ["Bulk", "bulk_dtype", "bulk_forward", "cores", "one_core"]

CORE_TOKENS = 1024  # a batch of one core: its activations fit the core's cache
PADDED_TOKENS = 4096  # of a batch that transformers pads, for all cores
CUDA_TOKENS = 65_536


class Bulk(NamedTuple):
    """A forward pass, the tokens of a batch, and how many batches run at once, each on one core (1: on all)."""

    forward: Forward
    budget: int
    workers: int


def bulk_forward(model: Model, shape: BertShape | None, device: str, dtype: str, torch_weights: bool) -> Bulk:
    """The quickest forward pass there is for a model here; shape is None for what is no BERT.

    Raises BadValue for a device that cannot be used, ModelError for weights that cannot.
    """
    place = _device(device)
    kind = torch.bfloat16 if bulk_dtype(shape, place.type, dtype) == "bf16" else torch.float32
    if shape is None:
        return Bulk(ReferenceForward(model, place, kind, torch_weights), PADDED_TOKENS, 1)
    checkpoint = Checkpoint(model.weights)
    checkpoint.check(shape)
    if place.type == "cpu":
        _keep_freed_memory()
    forward = PackedForward(model.name, checkpoint, shape, place, kind)
    return Bulk(forward, CORE_TOKENS, cores()) if place.type == "cpu" else Bulk(forward, CUDA_TOKENS, 1)


def bulk_dtype(shape: BertShape | None, device: str, dtype: str) -> str:
    """What "auto" means: "bf16" where the hardware multiplies it and the forward pass gains by it, else "fp32"."""
    if dtype != "auto":
        return dtype
    cuda = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    return "bf16" if cuda or (shape is not None and has_fast_bf16()) else "fp32"


def cores() -> int:
    """How many cores this process may use, no more than torch was told to."""
    return max(1, min(len(os.sched_getaffinity(0)), torch.get_num_threads()))


def one_core() -> None:
    """Let the torch operations of this thread run on one core."""
    torch.set_num_threads(1)


# In a forked child the other threads of torch's pool are gone, and waiting for them would never end.
os.register_at_fork(after_in_child=one_core)


def _keep_freed_memory() -> None:
    """Let glibc keep some 60 MB of freed memory: else every batch gives its own back, and page faults cost a tenth.

    glibc learns from what is freed (mallopt(3), M_MMAP_THRESHOLD): once a block just under 32 MB was.
    """
    torch.empty((32 << 20) - (1 << 14), dtype=torch.uint8)


def _device(name: str) -> torch.device:
    """The torch device of that name; BadValue when there is none."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as fault:
        raise BadValue(f"device {name!r} cannot be used: {str(fault).strip().splitlines()[0]}") from None
