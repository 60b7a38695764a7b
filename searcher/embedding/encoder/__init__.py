"""Token ids → hidden states: `Encoder` is the one door; behind it stands the forward pass that suits model and moment.

Imports: errors, system, embedding.
"""

from searcher.embedding.encoder.checkpoint import tensors_of
from searcher.embedding.encoder.choosing import DTYPES, on_one_core, on_this_machine, torch_here
from searcher.embedding.encoder.encoder import Encoder
from searcher.embedding.encoder.records import Hidden, Sequence_
from searcher.embedding.encoder.small import gelu

__all__ = [
    "DTYPES",
    "Encoder",
    "Hidden",
    "Sequence_",
    "gelu",
    "on_one_core",
    "on_this_machine",
    "tensors_of",
    "torch_here",
]
