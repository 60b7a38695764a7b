"""Random unit vectors, and the codes that FAISS's SQ8 makes of vectors."""

import faiss
import numpy as np

from searcher.vectors.codes import Codes


def unit(rows: int, width: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def coded(vectors: np.ndarray) -> tuple[faiss.Index, Codes]:
    """The index, which owns the codes: it has to live as long."""
    index = faiss.index_factory(vectors.shape[1], "SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    codes = Codes.of(index)
    assert codes is not None
    return index, codes
