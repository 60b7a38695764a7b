"""Token ids → hidden states: `Encoder` is the one door; behind it stands a forward pass for the model at hand.

It knows nothing of text, pooling or storage.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from searcher.encoder.batching import by_token_budget
from searcher.encoder.records import Forward, Hidden, Sequence_
from searcher.models import Model

__all__ = ["Encoder", "Hidden", "Sequence_"]

BATCH_TOKENS = 4096  # padding included


class Encoder:
    """The encoder of a model on a device; the weights load at the first batch.

    device: "auto" (CUDA where there is one), or any name torch knows.
    """

    def __init__(self, model: Model, device: str = "auto", torch_weights: bool = False) -> None:
        self.model, self.device, self.torch_weights = model, device, torch_weights
        self._forward: Forward | None = None

    @property
    def forward(self) -> Forward:
        """The forward pass for this model, loaded when first used."""
        if self._forward is None:
            from searcher.encoder.reference import ReferenceForward

            self._forward = ReferenceForward(self.model, self.device, self.torch_weights)
        return self._forward

    def run(
        self, sequences: Sequence[Sequence_], layers: Sequence[int], pooler: bool = False
    ) -> Iterator[tuple[np.ndarray, Hidden]]:
        """Hidden states in batches of like length: (indices into `sequences` (b,) int64, Hidden).

        layers: which hidden states, 0 (embeddings) … L. pooler: also the model's own pooled output.
        """
        lengths = np.array([len(sequence.ids) for sequence in sequences], dtype=np.int64)
        for batch in by_token_budget(lengths, BATCH_TOKENS):
            yield batch, self.forward([sequences[i] for i in batch], layers, pooler)
