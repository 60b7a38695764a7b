"""Which device and dtype bulk encoding runs on, and the forward pass for it; imports torch."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock, Thread

import torch

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint
from searcher.embedding.encoder.compiled import CompiledForward
from searcher.embedding.encoder.int8 import most_of_pairs
from searcher.embedding.encoder.kernels import FLOATS, built, built_floats, kernels_for
from searcher.embedding.encoder.packed import PackedForward, has_fast_bf16
from searcher.embedding.encoder.records import CORE_TOKENS, Plan
from searcher.embedding.encoder.reference import ReferenceForward
from searcher.embedding.models import Model
from searcher.errors import BadValue
from searcher.system import cores, keep_freed_memory, on_fork

__all__ = ["bulk_dtype", "bulk_plan", "on_this_machine", "one_core", "only_here", "workers"]

PADDED_TOKENS = 4096  # of a batch that transformers pads, for all cores
CUDA_TOKENS = 65_536
BFLOAT16 = {"amx": "AMX", "dot": "AVX512-BF16"}  # builds of our kernels, and the instructions that they need
# What "auto" takes before the CPU, the first that there is. On Apple's GPU bfloat16 depends on the system: float32.
ACCELERATORS: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
}


def bulk_plan(model: Model, shape: BertShape | None, device: str, dtype: str, torch_weights: bool) -> Plan:
    """The quickest forward pass there is for a model here; shape is None for what is no BERT.

    Raises BadValue for a device or dtype that cannot be used, ModelError for weights that cannot.
    """
    place = _device(device)
    name = bulk_dtype(shape, place.type, dtype)
    kind = torch.bfloat16 if name == "bf16" else torch.float32
    if shape is None:
        return Plan(ReferenceForward(model, place, kind, torch_weights), PADDED_TOKENS, 1, torch=True)
    checkpoint = Checkpoint(model.weights)
    checkpoint.check(shape)
    if place.type == "cpu":
        keep_freed_memory()
    if place.type == "cpu" and name != "int8" and (kernels := kernels_for(shape, name)):
        return Plan(CompiledForward(model.name, checkpoint, shape, kernels), CORE_TOKENS, workers())
    most = most_of_pairs() if name == "int8" else None
    forward = PackedForward(model.name, checkpoint, shape, place, kind, most)
    budget, at_once = (CORE_TOKENS, workers()) if place.type == "cpu" else (CUDA_TOKENS, 1)
    return Plan(forward, budget, at_once, threads=_threads, torch=True)


def bulk_dtype(shape: BertShape | None, device: str, dtype: str) -> str:
    """What "auto" means: "bf16" where the hardware multiplies it and the forward pass gains by it, else "fp32".

    Raises BadValue for "int8" where there are no products of bytes.
    """
    kind = (_best() if device == "auto" else device).partition(":")[0]
    if dtype == "int8":
        _check_int8(shape, kind)
    if dtype != "auto":
        return dtype
    quick = kind == "cuda" or (kind == "cpu" and shape is not None and has_fast_bf16())
    return "bf16" if quick else "fp32"


def _check_int8(shape: BertShape | None, device: str) -> None:
    """BadValue that says what is lacking."""
    if shape is None:
        lacking = "a BERT or RoBERTa with GELU or ReLU, in safetensors"
    elif device != "cpu":
        lacking = f"device 'cpu', not {device!r}"
    elif most_of_pairs() is None:
        lacking = "AVX2 and a torch with oneDNN, which are not here"
    else:
        return
    raise BadValue(f"dtype 'int8' needs {lacking}; good: auto, bf16, fp32")


def on_this_machine() -> tuple[str, str, str]:
    """What a BERT is embedded with here: device, dtype, and which of our kernels; empty if none of them runs."""
    device = _best()
    quick = device == "cuda" or (device == "cpu" and has_fast_bf16())
    if device != "cpu":
        found: Iterator[str] = iter(())
    elif quick:
        found = (name for build, name in BFLOAT16.items() if built(build))
    else:
        found = filter(built_floats, FLOATS)
    return device, "bf16" if quick else "fp32", next(found, "")


def workers() -> int:
    """How many cores may encode, no more than torch was told to use: elsewhere, if this thread keeps to one."""
    return max(1, min(cores(), _elsewhere[0] if _elsewhere else torch.get_num_threads()))


def _threads(workers: int, name: str) -> ThreadPoolExecutor:
    """Threads that are there already, each for one core."""
    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, name, initializer=one_core)
    started = Barrier(workers + 1)
    for _ in range(workers):
        pool.submit(started.wait)
    started.wait()
    torch.set_num_threads(threads)  # what the workers set is also every new thread's default
    return pool


def one_core() -> None:
    """Let the torch operations of this thread run on one core."""
    torch.get_num_threads()  # a thread that never asked takes at its first operation whatever another has set since
    torch.set_num_threads(1)


def only_here() -> None:
    """The same for this thread alone, and not for every new one, which torch would have it mean too."""
    with _setting:
        _elsewhere[:] = _elsewhere or [torch.get_num_threads()]
        [threads] = _elsewhere
        one_core()
        others = Thread(target=torch.set_num_threads, args=(threads,))
        others.start()
        others.join()


_setting = Lock()
_elsewhere: list[int] = []  # how many threads torch has where it was not set for one alone


# In a forked child the other threads of torch's pool are gone, and waiting for them would never end.
on_fork(child=one_core)


def _best() -> str:
    """The kind of device that "auto" stands for here."""
    return next((name for name, there in ACCELERATORS.items() if there()), "cpu")


def _device(name: str) -> torch.device:
    """The torch device of that name; BadValue when there is none."""
    name = _best() if name == "auto" else name
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError, NotImplementedError) as fault:
        raise BadValue(f"device {name!r} cannot be used: {str(fault).strip().splitlines()[0]}") from None
