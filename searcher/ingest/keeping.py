"""Token vectors of what is in the index, for those who ask to have them kept."""

import numpy as np

from searcher.embedding import Embedder
from searcher.engines import LocalEngine
from searcher.ingest.progress import Progress

__all__ = ["keep_tokens"]

PIECE = 128  # passages: some 25 MB in a transaction


def keep_tokens(engine: LocalEngine, embedder: Embedder, fingerprint: str, progress: Progress) -> None:
    """Embed the tokens of every passage of which they are not kept, piece by piece; what is done stays done."""
    engine.tokens.begin(fingerprint)
    missing = np.setdiff1d(engine.passage_ids(), engine.tokens.ids(fingerprint), assume_unique=True).tolist()
    progress("total", len(missing))
    for start in range(0, len(missing), PIECE):
        piece = missing[start : start + PIECE]
        with engine.reading():
            texts = {number: row.text for number, row in engine.rows(engine.present(piece)).items()}
        engine.tokens.keep(texts, embedder.own_tokens(list(texts.values())))
        progress("file", len(piece))
