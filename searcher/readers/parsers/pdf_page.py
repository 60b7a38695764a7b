"""A page of a PDF as lines: what PDFium gives, mended where it is known to be wrong, and where each line stands.

PDFium is asked character by character only where that is needed: a page has thousands. The calls are made without the
checks of ctypes, which take twice as long as what they check.
"""

import ctypes
import re
from collections.abc import Callable
from itertools import chain, islice, repeat
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

from searcher.readers.parsers.pdf_glyphs import BROKEN_FONT, GUESSED_FONT, LEFT_OUT, told

__all__ = ["HYPHEN", "NO_TEXT", "Box", "Line", "Page", "read_page"]

HYPHEN = "\x02"  # PDFium's mark of a hyphen at the end of a line, which it joins with the next
NO_TEXT = "no text; scanned, perhaps"
EVERY = 31  # of so many characters one is asked whether its font has a Unicode map
MANY_UNMAPPED = 0.2  # share of a page's characters
ASTRAL, SURROGATE = re.compile("[\U00010000-\U0010ffff]"), re.compile("[\ud800-\udfff]")
LINE = re.compile(r"[^\0\t\r\n ][^\r\n]*")
CONTROL = re.compile("[\0\1\3-\x08\x0b\x0c\x0e-\x1f]")
WORD = re.compile(r"[^\0-\x20]+|[\2\t\n\r ]")
# Lam-alef is one sign, which PDFium takes apart in the wrong order.
ALEF_LAM = re.compile("[\u0622\u0623\u0625\u0627]\u0644")
SPACE = re.compile(r" (?<=\w )(?=\w)")  # each begins with the space, for which a text is looked through fast
# Spaces that writers seldom put there: before a full stop, in brackets, after a letter alone. PDFium makes such.
ODD_SPACE = re.compile(
    r" (?:(?<=[\w)\]] )(?=[.,;:)\]])|(?<=\w )(?=\()|(?<=[(\[] )(?=\w)|(?<=\b[^\W\d_aeiouAI] )(?=[a-z]))"
)
FEW_SPACES = 20  # that tell whether a page's spaces are its own, or made by PDFium
LEAST_SPACE, MOST_SPACE = 0.1, 0.25  # of the height of a line; less is no space between words, more is one in any case


def _unchecked(function: Any) -> Callable[..., int]:
    """The function of PDFium, for handles, C ints and byref(): they are passed on as they are."""
    return ctypes.cast(function, ctypes.PYFUNCTYPE(ctypes.c_int))


UNICODE, IS_UNMAPPED = _unchecked(pdfium.FPDFText_GetUnicode), _unchecked(pdfium.FPDFText_HasUnicodeMapError)
IS_MADE, LOOSE_BOX = _unchecked(pdfium.FPDFText_IsGenerated), _unchecked(pdfium.FPDFText_GetLooseCharBox)


class Box(NamedTuple):
    """Edges of a character or line, in points; the origin is below and left."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        """From bottom to top."""
        return self.top - self.bottom


class Line(NamedTuple):
    """A line of text; where HYPHEN joined two, its first and last characters stand on different ones.

    first, last: the boxes of those characters. size: the height of the font.
    """

    text: str
    first: Box
    last: Box
    size: float

    @property
    def is_upright(self) -> bool:
        """Whether it runs up or down the page, as what is printed in a margin does."""
        return abs(self.last.bottom - self.first.bottom) > abs(self.last.left - self.first.left)


class Page(NamedTuple):
    """The lines in the order in which they were written, and what is to be told of the page."""

    lines: list[Line]
    fault: str | None


def read_page(page: PdfPage) -> Page:
    """The lines of a page as it would stand without its rotation, in which PDFium reads it best."""
    if page.get_rotation():
        page.set_rotation(0)
    text = page.get_textpage()
    try:
        return _Signs(text).page()
    finally:
        text.close()


class _Signs:
    """The characters of a page by their number; one beyond U+FFFF is two of them, as in UTF-16."""

    def __init__(self, page: PdfTextPage) -> None:
        self.raw = page.raw
        self.fault: str | None = None
        self._edges = [ctypes.c_double() for _ in range(4)]
        self._rectangle = pdfium.FS_RECTF()
        self._at_rectangle = ctypes.byref(self._rectangle)
        count = page.count_chars()
        text = _units(page.get_text_range()) if count else ""
        unmapped = [at for at in range(0, count, EVERY) if IS_UNMAPPED(self.raw, at) == 1]
        if len(unmapped) * EVERY > MANY_UNMAPPED * count:
            self.text = self._without_map(count)
        elif len(text) != count:  # characters that have no meaning are left out of the text: numbers are then others
            self.text = self._one_by_one(count)
        else:
            self.text = text.replace("\ufffe", HYPHEN)

    def page(self) -> Page:
        """The page's lines, mended."""
        if not self.text.strip(f"{LEFT_OUT} \t\r\n"):
            return Page([], self.fault or NO_TEXT)
        text = self._mended(self.text)
        lines = []
        for found in LINE.finditer(text):
            line, start = found[0].rstrip(f"{LEFT_OUT} \t"), found.start()
            first, last = self._loose(start), self._loose(start + len(line) - 1)
            lines.append(Line(_paired(line.replace(LEFT_OUT, "")), first, last, first.height))
        return Page(lines, self.fault)

    def _one_by_one(self, count: int) -> str:
        """The characters, those that have no meaning in their places; one that is drawn as a bar is a minus."""
        signs = self._signs(count)
        for found in CONTROL.finditer("".join(signs)):
            signs[found.start()] = "\N{MINUS SIGN}" if self._is_bar(found.start()) else LEFT_OUT
        return "".join(signs)

    def _without_map(self, count: int) -> str:
        """The characters, with what can be told of those whose font has no Unicode map; words are of one font."""
        signs, raw = self._signs(count), self.raw
        text = "".join(signs)
        spans = map(re.Match.span, WORD.finditer(text))
        known = [span for span in spans if text[span[0]] < " " or IS_UNMAPPED(raw, span[0]) != 1]
        unknown = list(zip([0, *(end for _, end in known)], [*(start for start, _ in known), count], strict=True))
        meant = told("".join(text[start:end] for start, end in unknown))
        self.fault = BROKEN_FONT if meant is None else GUESSED_FONT
        left = iter(meant) if meant else repeat(LEFT_OUT)
        for start, end in unknown:
            signs[start:end] = islice(left, end - start)
        return "".join(signs)

    def _signs(self, count: int) -> list[str]:
        return list(map(chr, map(UNICODE, repeat(self.raw), range(count))))

    def _is_bar(self, at: int) -> bool:
        """Whether a character is a short thin line: the minus of a font of mathematical signs."""
        box = self._tight(at)
        return 0 < box.top - box.bottom < 0.2 * (box.right - box.left)

    # -- mending

    def _mended(self, text: str) -> str:
        changed = {}
        for found in ALEF_LAM.finditer(text):
            at = found.start()
            if self._tight(at) == self._tight(at + 1):
                changed[at], changed[at + 1] = text[at + 1], text[at]
        for at in self._made_spaces(text):
            if self._is_joined(at - 1, at + 1):
                changed[at] = LEFT_OUT
        if not changed:
            return text
        signs = list(text)
        for at, sign in changed.items():
            signs[at] = sign
        return "".join(signs)

    def _made_spaces(self, text: str) -> list[int]:
        """Spaces that PDFium made of gaps and that may be none."""
        sample = [IS_MADE(self.raw, found.start()) == 1 for found in islice(SPACE.finditer(text), FEW_SPACES)]
        # Where the writer's own program put the spaces, those that PDFium adds are few, and can all be looked at.
        kinds = [ODD_SPACE, SPACE] if sum(sample) < len(sample) / 2 else [ODD_SPACE]
        starts = (map(re.Match.start, kind.finditer(text)) for kind in kinds)
        return [at for at in chain(*starts) if IS_MADE(self.raw, at) == 1]

    def _is_joined(self, one: int, other: int) -> bool:
        """Whether two characters of a line stand too close for a space between them."""
        left, right = self._loose(one), self._loose(other)
        height = left.top - left.bottom
        least, most = LEAST_SPACE * height, MOST_SPACE * height
        gap = _gap(left, right)
        if gap > most or abs(left.bottom - right.bottom) > most:
            return False
        # Letters may be set apart, as in a listing, and what is drawn may stand nearer than the font says.
        spaced = min(most, 2 * _gap(self._loose(one - 1), left)) if one else 0.0
        return gap < max(least, spaced) or _gap(self._tight(one), self._tight(other)) < least

    def _tight(self, at: int) -> Box:
        """The box of what is drawn."""
        left, right, bottom, top = self._edges
        pdfium.FPDFText_GetCharBox(self.raw, at, left, right, bottom, top)
        return Box(left.value, right.value, bottom.value, top.value)

    def _loose(self, at: int) -> Box:
        """The box that the font gives every character, as wide as the next one is away."""
        box = self._rectangle
        LOOSE_BOX(self.raw, at, self._at_rectangle)
        return Box(box.left, box.right, box.bottom, box.top)


def _units(text: str) -> str:
    """The text with two surrogates for each character beyond U+FFFF."""
    if text.isascii() or not ASTRAL.search(text):
        return text
    return "".join(map(chr, memoryview(text.encode("utf-16-le")).cast("H")))


def _paired(text: str) -> str:
    """The text with each pair of surrogates as the character that it is, and none alone."""
    if text.isascii() or not SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _gap(one: Box, other: Box) -> float:
    """How far apart two boxes of a line stand, in whichever direction it is read."""
    return max(other.left - one.right, one.left - other.right)
