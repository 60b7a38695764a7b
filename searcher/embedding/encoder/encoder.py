"""Token ids → hidden states: `Encoder` is the one door; behind it stands the forward pass that suits model and moment.

It knows nothing of text, pooling or storage.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from threading import Barrier, Lock
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from searcher.embedding.encoder.batching import by_token_budget
from searcher.embedding.encoder.checkpoint import Checkpoint, bert_shape
from searcher.embedding.encoder.records import Forward, Hidden, Sequence_
from searcher.embedding.models import Model
from searcher.errors import UnknownName
from searcher.system import cores, one_thread

if TYPE_CHECKING:
    from searcher.embedding.encoder.devices import Bulk
    from searcher.embedding.encoder.reference import ReferenceForward
    from searcher.embedding.encoder.small import SmallForward

__all__ = ["DTYPES", "Encoder", "Hidden", "Sequence_", "on_one_core", "on_this_machine"]

DTYPES = ("auto", "bf16", "fp32", "int8")
SMALL_TOKENS = 768  # up to here numpy is done before torch would be imported
LEAST_TOKENS = 128  # of a batch, where there are several workers; SLACK: for lengths that are not all alike
SLACK = 1.1
# Tokens times numbers in the layers up to which one thread is as good as all: a question of a small or base model.
SHORT = 3 << 29
PATIENCE = 4096  # … and so many in all for callers that can wait: by then it would have paid to import torch

T = TypeVar("T")
_here = threading.local()  # has `core` in threads that keep to one


def on_one_core() -> None:
    """Have the calling thread embed by itself, on one core, whatever it embeds: for the threads of a server, of which
    there are several, and which wait for nobody's bulk. It imports torch and never waits for it again.
    """
    from searcher.embedding.encoder.devices import only_here

    only_here()
    _here.core = True


def on_this_machine() -> tuple[str, str, str]:
    """What a BERT is embedded with here: device, dtype, and which of our kernels; empty if none of them runs."""
    from searcher.embedding.encoder import devices

    return devices.on_this_machine()


class Encoder:
    """The encoder of a model; the weights load at the first batch.

    device: "auto" (CUDA or Apple's GPU where there is one), or any name torch knows.
    dtype: "auto" (bfloat16 where the hardware multiplies it, else float32), "bf16", "fp32", or "int8" (dense layers in
    bytes, on a CPU). Few tokens on a CPU are encoded in float32 whatever the dtype, until the first bulk: from then on
    as that is, some 1e-5 of cosine apart.

    Which forward pass: BERT and RoBERTa in numpy for a few tokens while torch is not needed; else packed, in torch;
    any other architecture, and torch weights, through transformers.
    """

    def __init__(self, model: Model, device: str = "auto", torch_weights: bool = False, dtype: str = "auto") -> None:
        if dtype not in DTYPES:
            raise UnknownName("dtype", dtype, DTYPES)
        self.model, self.device, self.torch_weights, self.dtype = model, device, torch_weights, dtype
        self._small: SmallForward | None = None
        self._bulk: Bulk | None = None
        self._eager: ReferenceForward | None = None
        self._pools: dict[str, tuple[int, ThreadPoolExecutor]] = {}
        self._patience = PATIENCE
        self._lock = Lock()  # threads that share an encoder load it once

    def run(
        self,
        sequences: Sequence[Sequence_],
        layers: Sequence[int],
        pooler: bool,
        then: Callable[[Hidden], T],
        patient: bool = False,
    ) -> Iterator[tuple[np.ndarray, T]]:
        """What `then` makes of the hidden states, in batches: (indices into `sequences` (b,) int64, result).

        layers: which hidden states, 0 (embeddings) … L. pooler: also the model's own pooled output. Batches hold
        like lengths; every core works on one of its own, `then` included, and a few wait: memory is bounded. A call
        of few tokens, such as a question, waits for no bulk of another thread's.
        patient: a process that would end after this call is better served by numpy, even if that is slower.
        """
        lengths = np.array([len(sequence.ids) for sequence in sequences], dtype=np.int64)
        tokens = int(lengths.sum())
        with self._lock:
            forward, budget, workers = self._forward(tokens, patient)
            here = workers == 1 or getattr(_here, "core", False)
            submit = None if here else self._pool(workers, tokens).submit
            short = self._small if forward is self._small else None
        alone = short is not None and (workers > 1 or tokens * short.numbers <= SHORT)

        def encode(batch: np.ndarray) -> tuple[np.ndarray, T]:
            with one_thread() if alone else nullcontext():
                return batch, then(forward([sequences[i] for i in batch], layers, pooler))

        if submit is None:
            yield from map(encode, by_token_budget(lengths, budget))
            return
        share = int(SLACK * tokens / workers)  # few tokens are shared out, not left to one core
        batches = by_token_budget(lengths, min(budget, max(LEAST_TOKENS, share)))
        waiting: deque[Future[tuple[np.ndarray, T]]] = deque()
        try:
            for batch in batches:
                waiting.append(submit(encode, batch))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def attentions(self, sequence: Sequence_) -> list[np.ndarray]:
        """Who looks at whom in each layer, as transformers gives it: L arrays (heads, t, t) float32, rows sum to 1.

        Raises ModelError for an architecture whose layers have no such weights.
        """
        with self._lock:
            if self._eager is None:
                import torch

                from searcher.embedding.encoder.reference import ReferenceForward

                self._eager = ReferenceForward(
                    self.model, torch.device("cpu"), torch.float32, self.torch_weights, eager=True
                )
        return self._eager.attentions(sequence)

    @property
    def has_pooler(self) -> bool:
        """Whether this is a BERT whose checkpoint brings weights for its own pooled output."""
        return bert_shape(self.model) is not None and "pooler.dense.weight" in Checkpoint(self.model.weights)

    @property
    def bulk_dtype(self) -> str:
        """The dtype of bulk encoding here: "bf16", "fp32" or "int8"; imports torch unless it was said to be a float.

        Raises BadValue for "int8" where there are no products of bytes.
        """
        if self.dtype in ("bf16", "fp32"):
            return self.dtype
        from searcher.embedding.encoder.devices import bulk_dtype

        return bulk_dtype(bert_shape(self.model), self.device, self.dtype)

    def _forward(self, tokens: int, patient: bool) -> tuple[Forward, int, int]:
        """The forward pass for so many tokens, its token budget, and how many batches to run at once."""
        shape = bert_shape(self.model)
        few = tokens <= SMALL_TOKENS or (patient and tokens <= self._patience)
        few &= not hasattr(_here, "core")  # where torch is there already
        if shape is not None and few and self._bulk is None and self.device in ("auto", "cpu"):
            self._patience -= tokens if tokens > SMALL_TOKENS else 0
            if self._small is None:
                from searcher.embedding.encoder.small import SmallForward

                checkpoint = Checkpoint(self.model.weights)
                checkpoint.check(shape)
                self._small = SmallForward(self.model.name, checkpoint, shape)
            return self._small, SMALL_TOKENS, cores() if tokens >= 2 * LEAST_TOKENS else 1
        if self._bulk is None:
            from searcher.embedding.encoder.devices import bulk_forward

            self._bulk = bulk_forward(self.model, shape, self.device, self.dtype, self.torch_weights)
        return self._bulk

    def _pool(self, workers: int, tokens: int) -> ThreadPoolExecutor:
        """Threads that run torch, once that is needed, on one core each; new ones after a fork. Questions have threads
        of their own, so that none waits behind batches of documents.
        """
        name = "few" if self._bulk is None else "questions" if tokens <= SMALL_TOKENS else "encoder"
        process, pool = self._pools.get(name, (0, None))
        if pool is None or process != os.getpid():
            pool = ThreadPoolExecutor(workers, name) if self._bulk is None else _of_torch(workers, name)
            self._pools[name] = os.getpid(), pool
        return pool


def _of_torch(workers: int, name: str) -> ThreadPoolExecutor:
    """Threads that are there already, each for one core."""
    import torch

    from searcher.embedding.encoder.devices import one_core

    threads = torch.get_num_threads()
    pool = ThreadPoolExecutor(workers, name, initializer=one_core)
    started = Barrier(workers + 1)
    for _ in range(workers):
        pool.submit(started.wait)
    started.wait()
    torch.set_num_threads(threads)  # what the workers set is also every new thread's default
    return pool
