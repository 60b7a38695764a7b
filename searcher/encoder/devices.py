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

__all__ = ["Bulk", "bulk_forward", "cores", "one_core"]

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
    if shape is None:
        kind = torch.bfloat16 if dtype == "bf16" or (dtype == "auto" and place.type == "cuda") else torch.float32
        return Bulk(ReferenceForward(model, place, kind, torch_weights), PADDED_TOKENS, 1)
    checkpoint = Checkpoint(model.weights)
    checkpoint.check(shape)
    fast = place.type == "cuda" or has_fast_bf16()
    kind = torch.bfloat16 if dtype == "bf16" or (dtype == "auto" and fast) else torch.float32
    forward = PackedForward(model.name, checkpoint, shape, place, kind)
    return Bulk(forward, CORE_TOKENS, cores()) if place.type == "cpu" else Bulk(forward, CUDA_TOKENS, 1)


def cores() -> int:
    """How many cores this process may use, no more than torch was told to."""
    return max(1, min(len(os.sched_getaffinity(0)), torch.get_num_threads()))


def one_core() -> None:
    """Let the torch operations of this thread run on one core."""
    torch.set_num_threads(1)


# In a forked child the other threads of torch's pool are gone, and waiting for them would never end.
os.register_at_fork(after_in_child=one_core)


def _device(name: str) -> torch.device:
    """The torch device of that name; BadValue when there is none."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as fault:
        raise BadValue(f"device {name!r} cannot be used: {str(fault).strip().splitlines()[0]}") from None
