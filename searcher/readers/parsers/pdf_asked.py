"""What PDFium says of the characters of a page, asked one by one, by their numbers; answers as columns.

The calls are made without the checks of ctypes, which take twice as long as what they check.
"""

import ctypes
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, repeat
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfTextPage

__all__ = ["IS_MADE", "IS_UNMAPPED", "Asked", "Columns"]

Columns = tuple[
    Sequence[float], Sequence[float], Sequence[float], Sequence[float]
]  # left, right, bottom, top: in points


def _unchecked(function: Any) -> Callable[..., int]:
    """The function of PDFium, for handles, C ints and byref(): they are passed on as they are."""
    return ctypes.cast(function, ctypes.PYFUNCTYPE(ctypes.c_int))


IS_MADE, IS_UNMAPPED = _unchecked(pdfium.FPDFText_IsGenerated), _unchecked(pdfium.FPDFText_HasUnicodeMapError)
UNICODE, ORIGIN = _unchecked(pdfium.FPDFText_GetUnicode), _unchecked(pdfium.FPDFText_GetCharOrigin)
LOOSE_BOX, TIGHT_BOX = _unchecked(pdfium.FPDFText_GetLooseCharBox), _unchecked(pdfium.FPDFText_GetCharBox)
MATRIX = _unchecked(pdfium.FPDFText_GetMatrix)
FONT_SIZE = ctypes.cast(pdfium.FPDFText_GetFontSize, ctypes.PYFUNCTYPE(ctypes.c_double))
RECTANGLE, DOUBLE = ctypes.sizeof(pdfium.FS_RECTF), ctypes.sizeof(ctypes.c_double)


class Asked:
    """The characters of a page; one beyond U+FFFF is two of them, as in UTF-16."""

    def __init__(self, page: PdfTextPage) -> None:
        # A handle as a call passes it on: made once, not anew for each of them.
        self._raw = ctypes.c_void_p.from_param(ctypes.addressof(page.raw.contents))

    def those(self, are: Callable[..., int], places: Sequence[int]) -> list[int]:
        """The characters of which PDFium says that they are so: IS_MADE by itself, or IS_UNMAPPED to Unicode."""
        return list(compress(places, map(are, repeat(self._raw), places)))

    def signs(self, places: Sequence[int]) -> str:
        """The characters themselves."""
        return "".join(map(chr, map(UNICODE, repeat(self._raw), places)))

    def boxes(self, places: Sequence[int]) -> Columns:
        """The boxes that the font gives characters, each as wide as the next one is away."""
        edges = array("f", bytes(RECTANGLE * len(places)))
        deque(map(LOOSE_BOX, repeat(self._raw), places, _each(edges, RECTANGLE)), maxlen=0)
        return edges[0::4], edges[2::4], edges[3::4], edges[1::4]

    def drawn(self, places: Sequence[int]) -> Columns:
        """The boxes of what is drawn."""
        return self._doubles(TIGHT_BOX, places, 4)  # type: ignore[return-value]

    def origins(self, places: Sequence[int]) -> tuple[Sequence[float], Sequence[float]]:
        """Where characters are drawn from: how far right, and how high."""
        return self._doubles(ORIGIN, places, 2)  # type: ignore[return-value]

    def font_sizes(self, places: Sequence[int]) -> list[float]:
        """The sizes of their fonts, in points; 0.0 of characters that do not stand upright."""
        matrix, sizes = pdfium.FS_MATRIX(), []
        for at in places:
            MATRIX(self._raw, at, ctypes.byref(matrix))
            sizes.append(0.0 if matrix.b or matrix.c else abs(matrix.d) * FONT_SIZE(self._raw, at))
        return sizes

    def _doubles(self, of: Callable[..., int], places: Sequence[int], many: int) -> tuple[Sequence[float], ...]:
        columns = tuple(array("d", bytes(DOUBLE * len(places))) for _ in range(many))
        deque(map(of, repeat(self._raw), places, *(_each(column, DOUBLE) for column in columns)), maxlen=0)
        return columns


def _each(numbers: "array[float]", size: int) -> Iterator[Any]:
    """Where in memory each of them is to be written, by so many bytes."""
    if not numbers:
        return iter(())
    first = ctypes.c_char.from_buffer(numbers)
    return map(ctypes.byref, repeat(first), range(0, len(numbers) * numbers.itemsize, size))
