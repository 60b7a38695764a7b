"""Token ids → hidden states: `Encoder` is the one door; behind it stands the forward pass that suits model and moment.

It knows nothing of text, pooling or storage.
"""

import os
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

__all__ = ["DTYPES", "Encoder", "Hidden", "Sequence_", "on_this_machine"]

DTYPES = ("auto", "bf16", "fp32")
SMALL_TOKENS = 768  # up to here numpy is done before torch would be imported
LEAST_TOKENS = 128  # of a batch, where there are several workers; SLACK: for lengths that are not all alike
SLACK = 1.1
# Tokens times numbers in the layers up to which one thread is as good as all: a question of a small or base model.
SHORT = 3 << 29
PATIENCE = 4096  # … and so many in all for callers that can wait: by then it would have paid to import torch

T = TypeVar("T")


def on_this_machine() -> tuple[str, str, str]:
    """What a BERT is embedded with here: device, dtype, and which of our kernels; empty if none of them runs."""
    from searcher.embedding.encoder import devices

    return devices.on_this_machine()


class Encoder:
    """The encoder of a model; the weights load at the first batch.

    device: "auto" (CUDA or Apple's GPU where there is one), or any name torch knows.
    dtype: "auto" (bfloat16 where the hardware multiplies it, else float32), "bf16", "fp32". Few tokens on a CPU are
    encoded in float32 whatever the dtype.

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
        self._few: tuple[int, ThreadPoolExecutor] | None = None
        self._workers: tuple[int, ThreadPoolExecutor] | None = None
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
        like lengths; every core works on one of its own, `then` included, and a few wait: memory is bounded.
        patient: a process that would end after this call is better served by numpy, even if that is slower.
        """
        lengths = np.array([len(sequence.ids) for sequence in sequences], dtype=np.int64)
        with self._lock:
            forward, budget, workers = self._forward(int(lengths.sum()), patient)
            submit = self._pool(workers).submit if workers > 1 else None
            short = self._small if forward is self._small else None
        alone = short is not None and (workers > 1 or int(lengths.sum()) * short.numbers <= SHORT)

        def encode(batch: np.ndarray) -> tuple[np.ndarray, T]:
            with one_thread() if alone else nullcontext():
                return batch, then(forward([sequences[i] for i in batch], layers, pooler))

        if submit is None:
            yield from map(encode, by_token_budget(lengths, budget))
            return
        share = int(SLACK * lengths.sum() / workers)  # few tokens are shared out, not left to one core
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
        """The dtype of bulk encoding here, "bf16" or "fp32"; imports torch unless it was said."""
        if self.dtype != "auto":
            return self.dtype
        from searcher.embedding.encoder.devices import bulk_dtype

        return bulk_dtype(bert_shape(self.model), self.device, self.dtype)

    def _forward(self, tokens: int, patient: bool) -> tuple[Forward, int, int]:
        """The forward pass for so many tokens, its token budget, and how many batches to run at once."""
        shape = bert_shape(self.model)
        few = tokens <= SMALL_TOKENS or (patient and tokens <= self._patience)
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

    def _pool(self, workers: int) -> ThreadPoolExecutor:
        """Threads that run torch, once that is needed, on one core each; new ones after a fork."""
        if self._bulk is None:
            if self._few is None or self._few[0] != os.getpid():
                self._few = os.getpid(), ThreadPoolExecutor(workers, "few")
            return self._few[1]
        if self._workers is None or self._workers[0] != os.getpid():
            import torch

            from searcher.embedding.encoder.devices import one_core

            threads = torch.get_num_threads()
            pool = ThreadPoolExecutor(workers, "encoder", initializer=one_core)
            started = Barrier(workers + 1)
            for _ in range(workers):
                pool.submit(started.wait)
            started.wait()
            torch.set_num_threads(threads)  # what the workers set is also every new thread's default
            self._workers = os.getpid(), pool
        return self._workers[1]
