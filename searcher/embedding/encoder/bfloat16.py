"""bfloat16, which numpy does not have: the upper half of a float32, kept as uint16."""

import numpy as np

__all__ = ["widened"]


def widened(halves: np.ndarray) -> np.ndarray:
    """Bfloat16 as float32, which holds each of them.

    >>> widened(np.uint16([0x3F80, 0x4049])).tolist()
    [1.0, 3.140625]
    """
    return (halves.astype(np.uint32) << 16).view(np.float32)
