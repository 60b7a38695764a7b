"""Token ids → hidden states: `Encoder` is the one door to a forward pass; it makes batches and runs them on threads.

It knows nothing of text, pooling or storage.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from searcher.embedding.encoder.batching import by_token_budget
from searcher.embedding.encoder.checkpoint import Checkpoint, bert_shape
from searcher.embedding.encoder.choosing import DTYPES, SMALL_TOKENS, Choice, keeps_to_one_core
from searcher.embedding.encoder.records import Hidden, Plan, Sequence_
from searcher.embedding.models import Model
from searcher.errors import UnknownName
from searcher.system import OwnLock, one_thread

if TYPE_CHECKING:
    from searcher.embedding.encoder.reference import ReferenceForward

__all__ = ["Encoder"]

LEAST_TOKENS = 128  # of a batch, where there are several workers; SLACK: for lengths that are not all alike
SLACK = 1.1

T = TypeVar("T")


class Encoder:
    """The encoder of a model; the weights load at the first batch.

    device: "auto" (CUDA or Apple's GPU where there is one), or any name torch knows.
    dtype: "auto" (bfloat16 where the hardware multiplies it, else float32), "bf16", "fp32", or "int8" (dense layers in
    bytes, on a CPU). Few tokens on a CPU are encoded in float32 whatever the dtype, until the first bulk: from then on
    as that is, some 1e-5 of cosine apart.

    Which forward pass: BERT and RoBERTa in our own kernels, where they run; else in numpy for a few tokens while no
    other is loaded, or packed in torch; any other architecture, and torch weights, through transformers.
    """

    def __init__(self, model: Model, device: str = "auto", torch_weights: bool = False, dtype: str = "auto") -> None:
        if dtype not in DTYPES:
            raise UnknownName("dtype", dtype, DTYPES)
        self.model, self.device, self.torch_weights, self.dtype = model, device, torch_weights, dtype
        self._choice = Choice(model, device, torch_weights, dtype)
        self._eager: ReferenceForward | None = None
        self._pools: dict[str, tuple[int, ThreadPoolExecutor]] = {}
        self._lock = OwnLock()  # threads that share an encoder load it once

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
        patient: a process that would end after this call is better served without torch, even if that is slower.
        """
        lengths = np.array([len(sequence.ids) for sequence in sequences], dtype=np.int64)
        tokens = int(lengths.sum())
        with self._lock:
            plan = self._choice.plan(tokens, patient)
            submit = None if plan.workers == 1 or keeps_to_one_core() else self._pool(plan, tokens).submit

        def encode(batch: np.ndarray) -> tuple[np.ndarray, T]:
            with one_thread() if plan.alone else nullcontext():
                return batch, then(plan.forward([sequences[i] for i in batch], layers, pooler))

        if submit is None:
            yield from map(encode, by_token_budget(lengths, plan.budget))
            return
        share = int(SLACK * tokens / plan.workers)  # few tokens are shared out, not left to one core
        batches = by_token_budget(lengths, min(plan.budget, max(LEAST_TOKENS, share)))
        waiting: deque[Future[tuple[np.ndarray, T]]] = deque()
        try:
            for batch in batches:
                waiting.append(submit(encode, batch))
                if len(waiting) > 2 * plan.workers:
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
    def loaded(self) -> bool:
        """Whether any weights were."""
        return self._choice.loaded

    @property
    def bulk_dtype(self) -> str:
        """The dtype of bulk encoding here: "bf16", "fp32" or "int8"; imports torch where nothing else can tell.

        Raises BadValue for "int8" where there are no products of bytes.
        """
        return self._choice.bulk_dtype

    def _pool(self, plan: Plan, tokens: int) -> ThreadPoolExecutor:
        """Threads, each for one core; new ones after a fork. Questions have threads of their own, so that none waits
        behind batches of documents.
        """
        name = plan.name or ("questions" if tokens <= SMALL_TOKENS else "encoder")
        process, pool = self._pools.get(name, (0, None))
        if pool is None or process != os.getpid():
            pool = plan.threads(plan.workers, name)
            self._pools[name] = os.getpid(), pool
        return pool
