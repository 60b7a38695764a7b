"""What PDFium says of the characters of a page: their text, and what is asked one by one, as columns.

The calls are made without the checks of ctypes, which take twice as long as what they check.
"""

import ctypes
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import compress, repeat
from operator import not_
from typing import Any

import pypdfium2.raw as pdfium

__all__ = ["HYPHEN", "IS_MADE", "IS_UNMAPPED", "Asked", "Columns"]

HYPHEN = "\x02"  # PDFium's mark of a hyphen at the end of a line, which it joins with the next
EVERY = 31  # of so many characters one tells of all

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
COUNT, PLACE_IN_TEXT = _unchecked(pdfium.FPDFText_CountChars), _unchecked(pdfium.FPDFText_GetTextIndexFromCharIndex)
TEXT, BOUNDED_TEXT = _unchecked(pdfium.FPDFText_GetText), _unchecked(pdfium.FPDFText_GetBoundedText)
BOUNDLESS = tuple(map(ctypes.c_double, (-1e6, 1e6, 1e6, -1e6)))  # left, top, right, bottom: beyond any page
FONT_SIZE = ctypes.cast(pdfium.FPDFText_GetFontSize, ctypes.PYFUNCTYPE(ctypes.c_double))
FONT = ctypes.cast(pdfium.FPDFText_GetFontInfo, ctypes.PYFUNCTYPE(ctypes.c_ulong))
LONGEST_NAME = 128  # of a font, in bytes
NONE: Columns = ((), (), (), ())
UNIT, RECTANGLE, DOUBLE = map(ctypes.sizeof, (ctypes.c_ushort, pdfium.FS_RECTF, ctypes.c_double))


class Asked:
    """The characters of a page; one beyond U+FFFF is two of them, as in UTF-16.

    count: how many they are. sample: numbers of some, evenly spread.
    """

    def __init__(self, page: Any) -> None:
        """page: PDFium's handle of a page of text."""
        # A handle as a call passes it on: made once, not anew for each of them.
        self._raw = ctypes.c_void_p.from_param(ctypes.addressof(page.contents))
        self.count = max(0, COUNT(self._raw))
        self.sample = range(0, self.count, EVERY)
        name, flags = ctypes.create_string_buffer(LONGEST_NAME), ctypes.c_int()
        self._name = name, ctypes.byref(name), ctypes.byref(flags)

    def text(self) -> str | None:
        """All of them; None where some have no meaning, which PDFium leaves out: numbers would then be others."""
        if PLACE_IN_TEXT(self._raw, self.count - 1) != self.count - 1:
            return None
        units = array("H", bytes(UNIT * (self.count + 1)))
        given = TEXT(self._raw, 0, self.count, _memory(units))
        text = _characters(units[: given - 1])
        return text.replace("\ufffe", HYPHEN) if len(text) == self.count else None

    def with_unknown(self) -> str:
        """All of them, those that have no meaning in their places."""
        # Asked for what stands within bounds, PDFium gives those too; without boxes it mostly tells where they belong.
        units = array("H", bytes(UNIT * (self.count + 2)))  # for an end and for one too many: to ask costs as much
        given = BOUNDED_TEXT(self._raw, *BOUNDLESS, _memory(units), len(units))
        text = _characters(units[: given - 1])
        if len(text) == self.count and self.signs(self.sample) == text[::EVERY]:
            return text
        return self.signs(range(self.count))

    def those(self, are: Callable[..., int], places: Sequence[int], are_not: bool = False) -> list[int]:
        """Those of which PDFium says that they are, or are not, so: IS_MADE by itself, or IS_UNMAPPED to Unicode."""
        said = map(are, repeat(self._raw), places)
        return list(compress(places, map(not_, said) if are_not else said))

    def signs(self, places: Sequence[int]) -> str:
        """The characters themselves."""
        return "".join(map(chr, map(UNICODE, repeat(self._raw), places)))

    def boxes(self, places: Sequence[int]) -> Columns:
        """The boxes that the font gives characters, each as wide as the next one is away."""
        if not places:
            return NONE
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

    def fonts(self, places: Sequence[int]) -> list[bytes]:
        """The names of their fonts, with what programs put before them; b"" of those without one."""
        name, where, flags = self._name
        names = []
        for at in places:
            size = FONT(self._raw, at, where, LONGEST_NAME, flags)
            names.append(name.value if 0 < size <= LONGEST_NAME else b"")
        return names

    def _doubles(self, of: Callable[..., int], places: Sequence[int], many: int) -> tuple[Sequence[float], ...]:
        if not places:
            return NONE[:many]
        columns = tuple(array("d", bytes(DOUBLE * len(places))) for _ in range(many))
        deque(map(of, repeat(self._raw), places, *(_each(column, DOUBLE) for column in columns)), maxlen=0)
        return columns


def _each(numbers: "array[float]", size: int) -> Iterator[Any]:
    """Where in memory each of them is to be written, by so many bytes."""
    first = ctypes.c_char.from_buffer(numbers)
    return map(ctypes.byref, repeat(first), range(0, len(numbers) * numbers.itemsize, size))


def _memory(numbers: "array[int]") -> Any:
    """Where in memory they are to be written."""
    return ctypes.byref(ctypes.c_char.from_buffer(numbers))


def _characters(units: "array[int]") -> str:
    """The text of units of UTF-16, a character for each but for surrogates alone, which have no meaning."""
    text = units.tobytes().decode("utf-16-le", "ignore")
    return text if len(text) == len(units) else "".join(map(chr, memoryview(text.encode("utf-16-le")).cast("H")))
