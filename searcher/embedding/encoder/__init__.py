"""Token ids → hidden states: `Encoder` is the one door; behind it stands the forward pass that suits model and moment.

Imports: errors, system, embedding.
"""

from searcher.embedding.encoder.encoder import DTYPES, Encoder
from searcher.embedding.encoder.records import Hidden, Sequence_

__all__ = ["DTYPES", "Encoder", "Hidden", "Sequence_"]
