"""Vectors → vectors whose components vary alike over a corpus: PCA whitening, fitted on some of its vectors."""

from dataclasses import dataclass

import numpy as np

from searcher.embedding.pooling import normalize
from searcher.errors import BadValue

__all__ = ["WHITENINGS", "Whitening"]

# name → power of the eigenvalues: -0.5 makes all variances 1 (Su et al. 2021, Whitening Sentence Representations);
# -0.25 goes half the way.
WHITENINGS = {"whitened": -0.5, "half-whitened": -0.25}
LEAST_VARIANCE = 1e-5  # of the greatest: what float32 still tells from rounding


@dataclass(frozen=True)
class Whitening:
    """The map x -> (x - mean) W of unit vectors, then unit length. weights: (m, d) float32; offset: (m,) float32."""

    weights: np.ndarray
    offset: np.ndarray

    @classmethod
    def fit(cls, vectors: np.ndarray, power: float = -0.5, dimension: int | None = None) -> "Whitening":
        """Fitted on the directions of (n, d) vectors, onto the `dimension` principal components that vary most (None:
        all, but no more than half of n), each scaled by eigenvalue ** power. Components that hardly vary are left out:
        a layer normalisation takes one away, and its eigenvalue, 0 but for rounding, would make all others noise.

        BadValue where there are too few vectors for so many components.
        """
        import faiss

        count, width = vectors.shape
        dimension = min(width, count // 2) if dimension is None else dimension
        if not 1 <= dimension <= width:
            raise BadValue(f"whitening to {dimension} dimensions; good: 1 to {width}")
        if count <= dimension:
            raise BadValue(f"whitening to {dimension} dimensions takes more vectors than that; there are {count}")
        matrix = faiss.PCAMatrix(width, dimension, power)
        matrix.train(np.ascontiguousarray(normalize(vectors)))
        variances = faiss.vector_to_array(matrix.eigenvalues)[:dimension]  # falling
        kept = int((variances > LEAST_VARIANCE * variances[0]).sum())
        weights = faiss.vector_to_array(matrix.A).reshape(dimension, width)
        return cls(weights[:kept], faiss.vector_to_array(matrix.b)[:kept])

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """(n, d) -> (n, m) float32 of unit length."""
        return normalize(normalize(vectors) @ self.weights.T + self.offset)
