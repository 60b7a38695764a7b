"""Which forward pass suits a model, a machine and the moment; torch is imported where nothing else will do."""

import os
import sys
import threading

from searcher.embedding.encoder.checkpoint import BertShape, Checkpoint, bert_shape
from searcher.embedding.encoder.compiled import CompiledForward
from searcher.embedding.encoder.kernels import Kernels, kernels_for
from searcher.embedding.encoder.records import CORE_TOKENS, Forward, Plan
from searcher.embedding.encoder.small import SmallForward
from searcher.embedding.models import Model
from searcher.system import cores, instructions, keep_freed_memory, may_have_gpu

__all__ = ["DTYPES", "SMALL_TOKENS", "Choice", "keeps_to_one_core", "on_one_core", "on_this_machine", "torch_here"]

DTYPES = ("auto", "bf16", "fp32", "int8")
MULTIPLIES = {"AMX", "AVX512-BF16"}  # instructions, one of which a CPU has that multiplies bfloat16
SMALL_TOKENS = 768  # of a call, which are done in float32 before bulk's weights would be ready, or torch imported
PATIENCE = 8192  # … and so many of all calls, where none of our kernels runs: by then torch would have paid
WARM = 3  # questions after which weights are put in our kernels' order: a process that asked so often will ask again
KEPT = 64 << 20  # numbers in a model's layers, up to which questions are worth such a copy; numpy asks of larger ones
SHARED = 256  # tokens from which on these few are shared out among cores
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
    """What a model's encoder runs, now and later: for a few tokens our kernels in float32, after some questions with
    weights in their order, or numpy; then, for as long as it lives, what is the quickest for many.

    The arguments are those of `Encoder`.
    """

    def __init__(self, model: Model, device: str, torch_weights: bool, dtype: str) -> None:
        self.model, self.device, self.torch_weights, self.dtype = model, device, torch_weights, dtype
        self._numpy: SmallForward | None = None
        self._compiled: CompiledForward | None = None
        self._asked = 0
        self._bulk: Plan | None = None
        self._patience, self._settled = PATIENCE, False

    @property
    def loaded(self) -> bool:
        """Whether any weights were."""
        return bool(self._numpy or self._compiled or self._bulk)

    def plan(self, tokens: int, patient: bool) -> Plan:
        """For a call of so many tokens. patient: as `Encoder.run` has it."""
        if self._bulk is None or not self._settled:
            shape = bert_shape(self.model)
            if shape is not None and self._is_few(shape, tokens, patient):
                self._asked += not patient
                return self._for_few(shape, tokens)
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

    def _is_few(self, shape: BertShape, tokens: int, patient: bool) -> bool:
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

    def _for_few(self, shape: BertShape, tokens: int) -> Plan:
        small = shape.numbers <= KEPT
        if small and (kernels := kernels_for(shape, "fp32", packs=self._asked > WARM)):
            few: Forward = self._own(shape, kernels)
        else:
            self._numpy = few = self._numpy or SmallForward(self.model.name, self._checkpoint(shape), shape)
        workers = cores() if tokens >= SHARED else 1
        alone = workers > 1 or tokens * shape.numbers <= SHORT
        return Plan(few, SMALL_TOKENS, workers, "few", alone=alone)

    def _for_bulk(self, shape: BertShape | None) -> Plan:
        if shape is not None and (kernels := self._kernels(shape)):
            keep_freed_memory()
            return Plan(self._own(shape, kernels), CORE_TOKENS, _workers())
        from searcher.embedding.encoder.devices import bulk_plan

        return bulk_plan(self.model, shape, self.device, self.dtype, self.torch_weights)

    def _own(self, shape: BertShape, kernels: Kernels) -> CompiledForward:
        """By these kernels; the one that there is, if it has the same."""
        if self._compiled is None or self._compiled.kernels is not kernels:
            self._compiled = CompiledForward(self.model.name, self._checkpoint(shape), shape, kernels)
        return self._compiled

    def _kernels(self, shape: BertShape) -> Kernels | None:
        """Ours for bulk, if that surely runs on a CPU."""
        told = self._surely(shape)
        return kernels_for(shape, told) if told else None

    def _surely(self, shape: BertShape) -> str | None:
        """The dtype of bulk; None where torch has to be asked."""
        if not self._on_cpu or self.dtype == "int8":
            return None
        if self.dtype != "auto":
            return self.dtype
        if kernels_for(shape, "bf16"):
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
    return max(1, min(cores(), int(told[:9]))) if told.isdecimal() else cores()
