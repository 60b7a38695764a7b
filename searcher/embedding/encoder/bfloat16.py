"""bfloat16, which numpy does not have: the upper half of a float32, kept as uint16."""

import numpy as np

__all__ = ["narrowed", "widened"]

_NAN = np.uint16(0x7FC0)


def narrowed(values: np.ndarray) -> np.ndarray:
    """The bfloat16 nearest each float32, of two as near the even one: as torch and the hardware round.

    >>> [hex(number) for number in narrowed(np.float32([1, -2, 3.1415927, np.nan, np.inf]))]
    ['0x3f80', '0xc000', '0x4049', '0x7fc0', '0x7f80']
    """
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits >> 16
    rounded &= 1
    rounded += bits
    rounded += 0x7FFF
    out = (rounded >> 16).astype(np.uint16)
    if (nan := np.isnan(values)).any():  # rounding may have carried into the sign
        out[nan] = _NAN
    return out


def widened(halves: np.ndarray) -> np.ndarray:
    """Bfloat16 as float32, which holds each of them.

    >>> widened(np.uint16([0x3F80, 0x4049])).tolist()
    [1.0, 3.140625]
    """
    return (halves.astype(np.uint32) << 16).view(np.float32)
