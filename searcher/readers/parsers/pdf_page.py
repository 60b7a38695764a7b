"""A page of a PDF as lines: what PDFium gives, mended where it is known to be wrong, and where each line stands.

PDFium is asked character by character only where that is needed: a page has thousands. The calls are made without the
checks of ctypes, which take twice as long as what they check.
"""

import ctypes
import io
import re
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, compress, islice, repeat
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage, PdfTextPage

from searcher.readers.parsers.pdf_direction import NEW_SIGN, Sign
from searcher.readers.parsers.pdf_glyphs import BROKEN_FONT, GUESSED_FONT, LEFT_OUT, told
from searcher.readers.parsers.pdf_right_to_left import RIGHT_TO_LEFT, as_read
from searcher.readers.parsers.pdf_spacing import LETTERS_APART, spaces_within_words

__all__ = ["HYPHEN", "NO_TEXT", "Box", "Line", "Page", "read_page", "rotation"]

HYPHEN = "\x02"  # PDFium's mark of a hyphen at the end of a line, which it joins with the next
NO_TEXT = "no text; scanned, perhaps"
EVERY = 31  # of so many characters one is asked whether its font has a Unicode map
MANY_UNMAPPED = 0.2  # share of a page's characters
LINE = re.compile(r"[^\0\t\r\n ](?:[^\r\n]*[^\0\t\r\n ])?")
JOINED = re.compile(f"[^{HYPHEN}]+{HYPHEN}?")  # of a line that PDFium joined with the next, one of both
CONTROL = re.compile("[\0\1\3-\x08\x0b\x0c\x0e-\x1f]")
WORDS = re.compile(r"([^\0-\x20]+|[\0\1\3-\x08\x0b\x0c\x0e-\x1f]+)")  # and control signs, of which no font knows
SPACE = re.compile(r" (?<=\w )(?=\w)")
# Spaces that writers seldom put there: before a full stop, in brackets, after a letter alone. PDFium makes such.
ODD_SPACE = re.compile(
    r" (?:(?=[.,;:)\]])(?<=[\w)\]] )|(?=\()(?<=\w )|(?<=[(\[] )(?=\w)|(?=[a-z])(?<=\b[^\W\d_aeiouAI] ))"
)
FEW_SPACES = 20  # that tell whether a page's spaces are its own, or made by PDFium
SPREAD = re.compile(LETTERS_APART)
BOUNDLESS = (-1e6, -1e6, 1e6, 1e6)  # points; no page is larger
LEAST_SPACE, MOST_SPACE = 0.1, 0.25  # of the height of a line; less is no space between words, more is one in any case


def _handle(text: Any) -> Any:
    """A handle of PDFium as a call passes it on: made once, not anew for each of them."""
    return ctypes.c_void_p.from_param(ctypes.cast(text, ctypes.c_void_p).value)


def _unchecked(function: Any) -> Callable[..., int]:
    """The function of PDFium, for handles, C ints and byref(): they are passed on as they are."""
    return ctypes.cast(function, ctypes.PYFUNCTYPE(ctypes.c_int))


UNICODE, IS_UNMAPPED = _unchecked(pdfium.FPDFText_GetUnicode), _unchecked(pdfium.FPDFText_HasUnicodeMapError)
IS_MADE, LOOSE_BOX = _unchecked(pdfium.FPDFText_IsGenerated), _unchecked(pdfium.FPDFText_GetLooseCharBox)
TIGHT_BOX, ORIGIN = _unchecked(pdfium.FPDFText_GetCharBox), _unchecked(pdfium.FPDFText_GetCharOrigin)
RECTANGLE, DOUBLE = ctypes.sizeof(pdfium.FS_RECTF), ctypes.sizeof(ctypes.c_double)


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
        (left, _, bottom, _), (to_left, _, to_bottom, _) = self.first, self.last
        return abs(to_bottom - bottom) > abs(to_left - left)

    def reading(self, text: str) -> "Line":
        """The line with another text."""
        return Line(text, self.first, self.last, self.size)


class Page(NamedTuple):
    """The lines in the order in which they were written, and what is to be told of the page.

    seen: whether OCR found them, by which the sizes of lines are less exact.
    """

    lines: list[Line]
    fault: str | None
    seen: bool = False


# What `_make` of a named tuple does, without a function of Python in between.
NEW_BOX, NEW_LINE = partial(tuple.__new__, Box), partial(tuple.__new__, Line)


def rotation(page: PdfPage) -> int:
    """By how many degrees a page is shown turned; 0 where PDFium cannot tell, as it does not say that it is a page."""
    return 90 * max(0, pdfium.FPDFPage_GetRotation(page))


def read_page(page: PdfPage) -> Page:
    """The lines of a page as it would stand without its rotation, in which PDFium reads it best."""
    if rotation(page):
        page.set_rotation(0)
    text = page.get_textpage()
    try:
        return _Signs(text).page()
    finally:
        text.close()


class _Signs:
    """The characters of a page by their number; one beyond U+FFFF is two of them, as in UTF-16."""

    def __init__(self, page: PdfTextPage) -> None:
        self.raw = _handle(page.raw)
        self.fault: str | None = None
        self._edges = [ctypes.c_double() for _ in range(4)]
        self._at_edges = [ctypes.byref(edge) for edge in self._edges]
        count = page.count_chars()
        if len(self._those(IS_UNMAPPED, range(0, count, EVERY))) * EVERY > MANY_UNMAPPED * count:
            self.text = self._without_map(self._signs(page, count))
            return
        text = _units(page.get_text_range()) if count else ""
        if len(text) != count:  # characters that have no meaning are left out of the text: numbers are then others
            self.text = self._with_bars(self._signs(page, count))
        else:
            self.text = text.replace("\ufffe", HYPHEN)

    def page(self) -> Page:
        """The page's lines, mended."""
        if not self.text.strip(f"{LEFT_OUT} \t\r\n"):
            return Page([], self.fault or NO_TEXT)
        text = self._mended(self.text)
        spans = list(map(re.Match.span, LINE.finditer(text)))
        if not text.isascii() and RIGHT_TO_LEFT.search(text):
            return Page(self._read_both_ways(text, spans), self.fault)
        lines = (_paired(text[start:end].replace(LEFT_OUT, "")) for start, end in spans)
        firsts = list(self._loose([start for start, _ in spans]))
        lasts, sizes = self._loose([end - 1 for _, end in spans]), (top - bottom for _, _, bottom, top in firsts)
        return Page(list(map(NEW_LINE, zip(lines, firsts, lasts, sizes, strict=True))), self.fault)

    def _read_both_ways(self, text: str, spans: Iterable[tuple[int, int]]) -> list[Line]:
        """The lines of a page on which there are letters from right to left."""
        parted = (JOINED if RIGHT_TO_LEFT.search(text, *span) else LINE for span in spans)
        pieces = [piece for line, span in zip(parted, spans, strict=True) for piece in line.finditer(text, *span)]
        made = []
        for line in as_read([self._drawn(text, range(*piece.span())) for piece in pieces]):
            first, last = (Box(sign.left, sign.right, sign.bottom, sign.top) for sign in (line[0], line[-1]))
            made.append(Line(_paired("".join(sign.text for sign in line)), first, last, first.height))
        return made

    def _drawn(self, text: str, places: Iterable[int]) -> list[Sign]:
        """The characters in these places, of those beyond U+FFFF both halves."""
        places = [at for at in places if text[at] != LEFT_OUT]
        signs = [text[at] for at in places]
        if signs[-1:] == [HYPHEN]:
            signs[-1] = "-"
        return list(map(NEW_SIGN, zip(signs, *self._origins(places), *self._loose_edges(places), strict=True)))

    def _signs(self, page: PdfTextPage, count: int) -> str:
        """All characters, those that have no meaning in their places."""
        # Asked for what stands within bounds, PDFium gives those too; without boxes it mostly tells where they belong.
        text = _units(page.get_text_bounded(*BOUNDLESS))
        some = range(0, count, EVERY)
        if len(text) == count and all(UNICODE(self.raw, at) == ord(text[at]) for at in some):
            return text
        return "".join(map(chr, map(UNICODE, repeat(self.raw), range(count))))

    def _with_bars(self, text: str) -> str:
        """The characters, those that have no meaning left out; one that is drawn as a bar is a minus."""
        return CONTROL.sub(lambda found: "\N{MINUS SIGN}" if self._is_bar(found.start()) else LEFT_OUT, text)

    def _without_map(self, text: str) -> str:
        """The characters, with what can be told of those whose font has no Unicode map; words are of one font."""
        pieces = WORDS.split(text)
        starts = list(accumulate(map(len, pieces), initial=0))
        unknown = [at for at in range(1, len(pieces), 2) if pieces[at] < " " or IS_UNMAPPED(self.raw, starts[at])]
        signs = "".join(pieces[at] for at in unknown)
        meant = told(signs)
        self.fault = BROKEN_FONT if meant is None else GUESSED_FONT
        left = io.StringIO(meant or LEFT_OUT * len(signs))
        for at in unknown:
            pieces[at] = left.read(len(pieces[at]))
        return "".join(pieces)

    def _is_bar(self, at: int) -> bool:
        """Whether a character is a short thin line: the minus of a font of mathematical signs."""
        box = self._tight(at)
        return 0 < box.top - box.bottom < 0.2 * (box.right - box.left)

    # -- mending

    def _mended(self, text: str) -> str:
        made = self._made_spaces(text)
        around = zip(made, *(self._loose([at + step for at in made]) for step in (-2, -1, 1)), strict=True)
        joined = [at for at, *boxes in around if self._is_joined(at, *boxes)] + self._within_words(text)
        if not joined:
            return text
        signs = list(text)
        for at in joined:
            signs[at] = LEFT_OUT
        return "".join(signs)

    def _within_words(self, text: str) -> list[int]:
        """Spaces between letters of words that are set apart."""
        found, end = [], 0
        for space in self._those(IS_MADE, _starts(SPREAD.finditer(text))):
            if space >= end:
                start, end = text.rfind("\n", 0, space) + 1, text.find("\r", space) % (len(text) + 1)
                places = range(start, end)
                spaces = [at for at in places if text[at] == " "]
                made = {at - start for at in self._those(IS_MADE, spaces)}
                found += [start + at for at in spaces_within_words(text[start:end], list(self._loose(places)), made)]
        return found

    def _made_spaces(self, text: str) -> list[int]:
        """Spaces that PDFium made of gaps and that may be none."""
        sample = _starts(islice(SPACE.finditer(text), FEW_SPACES))
        # Where the writer's own program put the spaces, those that PDFium adds are few, and can all be looked at.
        kinds = [ODD_SPACE, SPACE] if len(self._those(IS_MADE, sample)) < len(sample) / 2 else [ODD_SPACE]
        return self._those(IS_MADE, [at for kind in kinds for at in _starts(kind.finditer(text))])

    def _those(self, are: Callable[..., int], signs: Sequence[int]) -> list[int]:
        """The characters of which PDFium says that they are so."""
        return list(compress(signs, map(are, repeat(self.raw), signs)))

    def _is_joined(self, space: int, before: Box, left: Box, right: Box) -> bool:
        """Whether the characters on either side of a space stand too close for it. before: the box of the one ahead."""
        height = left.top - left.bottom
        least, most = LEAST_SPACE * height, MOST_SPACE * height
        gap = _gap(left, right)
        if gap > most or abs(left.bottom - right.bottom) > most:
            return False
        # Letters may be set apart, as in a listing, and what is drawn may stand nearer than the font says. Ahead of a
        # letter alone is a space, which has no width where PDFium made it: words are as far apart on its other side.
        is_word = before.right <= before.left and self.text[space + 1].isalpha()
        spaced = min(most, (0.5 if is_word else 2.0) * _gap(before, left)) if space > 1 else 0.0
        return gap < max(least, spaced) or _gap(self._tight(space - 1), self._tight(space + 1)) < least

    def _tight(self, at: int) -> Box:
        """The box of what is drawn."""
        TIGHT_BOX(self.raw, at, *self._at_edges)
        return Box(*[edge.value for edge in self._edges])

    def _loose(self, signs: Sequence[int]) -> Iterator[Box]:
        """The boxes that the font gives characters, each as wide as the next one is away."""
        return map(NEW_BOX, zip(*self._loose_edges(signs), strict=True))

    def _loose_edges(self, signs: Sequence[int]) -> tuple[Sequence[float], ...]:
        """All their left edges, the right ones, the lower and the upper ones."""
        edges = array("f", bytes(RECTANGLE * len(signs)))
        deque(map(LOOSE_BOX, repeat(self.raw), signs, _each(edges, RECTANGLE)), maxlen=0)
        left, top, right, bottom = (edges[edge::4] for edge in range(4))
        return left, right, bottom, top

    def _origins(self, signs: Sequence[int]) -> tuple[Sequence[float], ...]:
        """Where characters are drawn from: how far right, and how high."""
        xs, ys = (array("d", bytes(DOUBLE * len(signs))) for _ in range(2))
        deque(map(ORIGIN, repeat(self.raw), signs, _each(xs, DOUBLE), _each(ys, DOUBLE)), maxlen=0)
        return xs, ys


def _each(numbers: "array[float]", size: int) -> Iterator[Any]:
    """Where in memory each of them is to be written, by so many bytes."""
    if not numbers:
        return iter(())
    first = ctypes.c_char.from_buffer(numbers)
    return map(ctypes.byref, repeat(first), range(0, len(numbers) * numbers.itemsize, size))


def _starts(found: Iterable[re.Match[str]]) -> list[int]:
    return list(map(re.Match.start, found))


def _units(text: str) -> str:
    """The text with two surrogates for each character beyond U+FFFF."""
    units = text.encode("utf-16-le")
    return text if len(units) == 2 * len(text) else "".join(map(chr, memoryview(units).cast("H")))


def _paired(text: str) -> str:
    """The text with each pair of surrogates as the character that it is, and none alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _gap(one: Box, other: Box) -> float:
    """How far apart two boxes of a line stand, in whichever direction it is read."""
    return max(other.left - one.right, one.left - other.right)
