"""Which forward pass suits a model, a machine and the moment; torch is imported where nothing else will do."""

import os
import sys
import threading

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint, bert_shape
from searcher.embedding.encoder.kernels import TileKernels
from searcher.embedding.encoder.records import CORE_TOKENS, Plan
from searcher.embedding.encoder.small import SmallForward
from searcher.embedding.encoder.tiles import TileForward, kernels_for
from searcher.embedding.models import Model
from searcher.system import cores, instructions, keep_freed_memory, may_have_gpu

__all__ = ["DTYPES", "SMALL_TOKENS", "Choice", "keeps_to_one_core", "on_one_core", "on_this_machine", "torch_here"]

DTYPES = ("auto", "bf16", "fp32", "int8")
MULTIPLIES = {"AMX", "AVX512-BF16"}  # instructions, one of which a CPU has that multiplies bfloat16
SMALL_TOKENS = 768  # of a call, up to which numpy is done before torch would be imported
PATIENCE = 8192  # … and so many of all calls, where it is no other: by then it would have paid to import torch
SHARED = 256  # tokens from which on numpy shares them out among cores
# Tokens times numbers in the layers up to which one thread is as good as all: a question of a small or base model.
SHORT = 3 << 29

_here = threading.local()  # has `core` in threads that keep to one, `torch` where torch knows


def on_one_core() -> None:
    """Have the calling thread embed by itself, on one core, whatever it embeds: for the threads of a server, of which
    there are several, and which wait for nobody's bulk.
    """
    _here.core = True
    if "torch" in sys.modules:
        torch_here()


def keeps_to_one_core() -> bool:
    """Whether the calling thread was told to."""
    return getattr(_here, "core", False)


def torch_here() -> None:
    """Tell torch so too, once a thread; to be called where it is about to compute."""
    if keeps_to_one_core() and not getattr(_here, "torch", False):
        from searcher.embedding.encoder.devices import only_here

        only_here()
        _here.torch = True


def on_this_machine() -> tuple[str, str, str]:
    """What a BERT is embedded with here: device, dtype, and which of our kernels; empty if none of them runs."""
    from searcher.embedding.encoder import devices

    return devices.on_this_machine()


class Choice:
    """What a model's encoder runs, now and later: numpy for a few tokens; then, for as long as it lives, what is the
    quickest for many.

    The arguments are those of `Encoder`.
    """

    def __init__(self, model: Model, device: str, torch_weights: bool, dtype: str) -> None:
        self.model, self.device, self.torch_weights, self.dtype = model, device, torch_weights, dtype
        self._few: SmallForward | None = None
        self._bulk: Plan | None = None
        self._patience, self._settled = PATIENCE, False

    @property
    def loaded(self) -> bool:
        """Whether any weights were."""
        return self._few is not None or self._bulk is not None

    def plan(self, tokens: int, patient: bool) -> Plan:
        """For a call of so many tokens. patient: as `Encoder.run` has it."""
        if self._bulk is None or not self._settled:
            shape = bert_shape(self.model)
            if shape is not None and self._numpy_will_do(shape, tokens, patient):
                return self._in_numpy(shape, tokens)
            self._bulk = self._bulk or self._for_bulk(shape)
            self._settled |= not patient  # marking a sentence changes no vector of a question
        if self._bulk.torch:
            torch_here()
        return self._bulk

    @property
    def bulk_dtype(self) -> str:
        """As `Encoder.bulk_dtype`."""
        if self.dtype in ("bf16", "fp32"):
            return self.dtype
        shape = bert_shape(self.model)
        if shape is not None and (told := self._surely(shape)):
            return told
        from searcher.embedding.encoder.devices import bulk_dtype

        return bulk_dtype(shape, self.device, self.dtype)

    def _numpy_will_do(self, shape: BertShape, tokens: int, patient: bool) -> bool:
        if self.device not in ("auto", "cpu") or keeps_to_one_core():  # such a thread belongs to a process that lives
            return False
        if tokens <= SMALL_TOKENS:
            return True
        if tokens > self._patience or self._kernels(shape):
            return False
        if not (patient or ("torch" not in sys.modules and self._surely(shape) == "fp32")):
            return False
        self._patience -= tokens
        return True

    def _in_numpy(self, shape: BertShape, tokens: int) -> Plan:
        if self._few is None:
            self._few = SmallForward(self.model.name, self._checkpoint(shape), shape)
        workers = cores() if tokens >= SHARED else 1
        alone = workers > 1 or tokens * self._few.numbers <= SHORT
        return Plan(self._few, SMALL_TOKENS, workers, "few", alone=alone)

    def _for_bulk(self, shape: BertShape | None) -> Plan:
        if shape is not None and (kernels := self._kernels(shape)):
            keep_freed_memory()
            forward = TileForward(self.model.name, self._checkpoint(shape), shape, kernels)
            return Plan(forward, CORE_TOKENS, _workers())
        from searcher.embedding.encoder.devices import bulk_plan

        return bulk_plan(self.model, shape, self.device, self.dtype, self.torch_weights)

    def _kernels(self, shape: BertShape) -> TileKernels | None:
        """Ours for bulk, if that surely runs on a CPU in bfloat16."""
        return kernels_for(shape) if self._on_cpu and self.dtype in ("auto", "bf16") else None

    def _surely(self, shape: BertShape) -> str | None:
        """The dtype of bulk; None where torch has to be asked."""
        if not self._on_cpu or self.dtype == "int8":
            return None
        if self.dtype != "auto":
            return self.dtype
        if self._kernels(shape):
            return "bf16"
        known = instructions()
        return "fp32" if known and not MULTIPLIES.intersection(known) else None

    @property
    def _on_cpu(self) -> bool:
        """Whether it surely is a CPU that encodes."""
        return self.device == "cpu" or (self.device == "auto" and not may_have_gpu())

    def _checkpoint(self, shape: BertShape) -> Checkpoint:
        checkpoint = Checkpoint(self.model.weights)
        checkpoint.check(shape)
        return checkpoint


def _workers() -> int:
    """How many cores may encode: no more than torch, if it is there, or else OpenMP was told to use."""
    if "torch" in sys.modules:
        from searcher.embedding.encoder.devices import workers

        return workers()
    told = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores(), int(told))) if told.isdecimal() else cores()
