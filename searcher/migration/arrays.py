"""Arrays of numpy's .npy files, mapped; pickled ones are refused."""

import tokenize
from pathlib import Path
from typing import Any

import numpy as np

from searcher.errors import UnreadableFile

__all__ = ["as_float32", "read_array"]


def read_array(path: Path, kinds: str = "fiu") -> np.ndarray:
    """The array of a file, (n, d) numbers. UnreadableFile for anything else. kinds: of numpy's types that are taken."""
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError, MemoryError, OverflowError, tokenize.TokenError) as fault:
        raise UnreadableFile(path, f"not an array of numbers: {' '.join(str(fault).split())[:80]}") from None
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.dtype.kind not in kinds:
        kind = getattr(rows, "dtype", type(rows).__name__)
        raise UnreadableFile(path, f"an array of {kind} of shape {getattr(rows, 'shape', '?')}; good: (n, d) numbers")
    return rows


def as_float32(numbers: Any) -> np.ndarray:
    """Numbers as float32; one that is too large for it becomes infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(numbers).astype(np.float32)
