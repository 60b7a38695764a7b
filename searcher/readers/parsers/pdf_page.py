"""A page of a PDF as lines: what PDFium gives, mended where it is known to be wrong, and where each line stands.

PDFium is asked character by character only where that is needed: a page has thousands.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import compress, islice
from operator import ge, sub
from typing import Any, NamedTuple

import pypdfium2.raw as pdfium
from pypdfium2 import PdfiumError

from searcher.readers.parsers.pdf_asked import HYPHEN, IS_MADE, IS_UNMAPPED, Asked, Columns
from searcher.readers.parsers.pdf_bold import are_bold, are_bold_signs
from searcher.readers.parsers.pdf_direction import NEW_SIGN, Sign
from searcher.readers.parsers.pdf_fallen import parted
from searcher.readers.parsers.pdf_glyphs import LEFT_OUT, told
from searcher.readers.parsers.pdf_heights import ABOVE, BELOW, with_heights
from searcher.readers.parsers.pdf_plain import UNUSUAL, beyond_ascii, plain
from searcher.readers.parsers.pdf_right_to_left import RIGHT_TO_LEFT, as_read
from searcher.readers.parsers.pdf_spacing import LETTERS_APART, spaces_within_words

__all__ = ["HYPHEN", "NO_TEXT", "Box", "Line", "Page", "read_page", "rotation"]

NO_TEXT = "no text; scanned, perhaps"
MANY_UNMAPPED = 0.2  # share of a page's characters
LINE = re.compile(r"[^\0\t\n ](?:.*[^\0\t\n ])?")  # without "\r" in the text, "." does: a set of signs takes longer
JOINED = re.compile(f"[^{HYPHEN}]+{HYPHEN}?")  # of a line that PDFium joined with the next, one of both
CONTROL = re.compile("[\0\1\3-\x08\x0b\x0c\x0e-\x1f]")
WORDS = re.compile(r"[^\0-\x20]+")
BETWEEN = r"(?=\w)(?<=\w )"
# Spaces that writers seldom put there: before a full stop, in brackets, after a letter alone. PDFium makes such.
ODD = r"(?=[.,;:)\]])(?<=[\w)\]] )|(?=\()(?<=\w )|(?<=[(\[] )(?=\w)|(?=[a-z])(?<=\b[^\W\d_aeiouAI] )"
ANY_SPACE = re.compile(" ")
SPACE, ODD_SPACE, ODD_OR_SPACE = (re.compile(f" (?:{kind})") for kind in (BETWEEN, ODD, f"{BETWEEN}|{ODD}"))
FEW_SPACES = 20  # that tell whether a page's spaces are its own, or made by PDFium
SPREAD = re.compile(LETTERS_APART)
Edges = tuple[float, float, float, float]  # left, right, bottom, top: in points
BOTTOM, TOP = 2, 3
LEAST_SPACE, MOST_SPACE = 0.1, 0.25  # of the height of a line; less is no space between words, more is one in any case


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

    left, right, bottom, top: edges of the first character; end_…: of the last one. size: the height of the font.
    is_bold: whether it is so from end to end, as a heading may be.
    """

    text: str
    left: float
    right: float
    bottom: float
    top: float
    end_left: float
    end_right: float
    end_bottom: float
    end_top: float
    size: float
    is_bold: bool = False

    @classmethod
    def of(cls, text: str, first: Box, last: Box, size: float, is_bold: bool = False) -> "Line":
        """A line between the boxes of its first and last characters."""
        return cls(text, *first, *last, size, is_bold)

    @property
    def first(self) -> Box:
        """The box of its first character."""
        return Box(*self[1:5])

    @property
    def last(self) -> Box:
        """The box of its last character."""
        return Box(*self[5:9])

    @property
    def is_upright(self) -> bool:
        """Whether it runs up or down the page, as what is printed in a margin does."""
        return abs(self.end_bottom - self.bottom) > abs(self.end_left - self.left)

    def reading(self, text: str) -> "Line":
        """The line with another text."""
        return NEW_LINE((text, *self[1:]))

    def joined(self, other: "Line", text: str) -> "Line":
        """A line from where this one begins to where another one ends."""
        return NEW_LINE((text, *self[1:5], *other[5:9], self.size, self.is_bold and other.is_bold))


class Page(NamedTuple):
    """The lines in the order in which they were written, and what is to be told of the page.

    seen: whether OCR found them, by which the sizes of lines are less exact.
    """

    lines: list[Line]
    fault: str | None
    seen: bool = False


# What `_make` of a named tuple does, without a function of Python in between.
NEW_LINE = partial(tuple.__new__, Line)


def rotation(page: Any) -> int:
    """By how many degrees a page is shown turned; 0 where PDFium cannot tell, as it does not say that it is a page."""
    return 90 * max(0, pdfium.FPDFPage_GetRotation(page))


def read_page(page: Any, tells_bold: bool = True) -> Page:
    """The lines of a page as it would stand without its rotation, in which PDFium reads it best.

    page: its handle. tells_bold: whether it is to be told which lines are, which takes a while.
    """
    if rotation(page):
        pdfium.FPDFPage_SetRotation(page, 0)
    if not (text := pdfium.FPDFText_LoadPage(page)):
        raise PdfiumError("no text can be taken from the page")
    try:
        return _Signs(Asked(text), tells_bold).page()
    finally:
        pdfium.FPDFText_ClosePage(text)


class _Signs:
    """The characters of a page by their number; one beyond U+FFFF is two of them, as in UTF-16."""

    def __init__(self, asked: Asked, tells_bold: bool) -> None:
        self._asked, self._tells_bold = asked, tells_bold
        self.fault: str | None = None
        if len(asked.those(IS_UNMAPPED, asked.sample)) > MANY_UNMAPPED * len(asked.sample):
            self._given = asked.with_unknown()
            self.text = self._without_map(self._given)
        elif (text := asked.text()) is not None:
            self._given = self.text = text
        else:
            self._given = asked.with_unknown()
            self.text = self._with_bars(self._given)

    def page(self) -> Page:
        """The page's lines, mended."""
        if not self.text.strip(f"{LEFT_OUT} \t\r\n"):
            return Page([], self.fault or NO_TEXT)
        text = self._mended(self.text).replace("\r", "\n")
        spans = list(map(re.Match.span, LINE.finditer(text)))
        beyond = beyond_ascii(text)
        if RIGHT_TO_LEFT.search(beyond):
            return Page(self._read_both_ways(text, spans), self.fault)
        places = [at for start, end in spans for at in (start, end - 1)]
        edges = self._asked.boxes(places)
        if fallen := self._fallen(text, spans, edges):
            spans = [
                part for span in spans for part in (parted(self._asked, text, span) if span in fallen else (span,))
            ]
            places = [at for start, end in spans for at in (start, end - 1)]
            edges = self._asked.boxes(places)
        edges = with_heights(self._asked, places, edges)
        lines = [text[start:end] for start, end in spans]
        if LEFT_OUT in text or "  " in text or UNUSUAL.search(beyond):
            whole = plain("\n".join(lines)).split("\n")  # all at once: a page has a hundred lines
            lines = ["" if line.isspace() else line for line in whole]
        firsts, lasts = ([column[at::2] for column in edges] for at in (0, 1))
        sizes = list(map(sub, firsts[TOP], firsts[BOTTOM]))
        gaps = list(map(sub, lasts[BOTTOM], firsts[TOP][1:]))
        bold = are_bold(self._asked, text, spans, sizes, gaps) if self._tells_bold else [False] * len(spans)
        made = list(map(NEW_LINE, zip(lines, *firsts, *lasts, sizes, bold, strict=True)))
        return Page(made if all(lines) else [line for line in made if line.text], self.fault)

    @staticmethod
    def _fallen(text: str, spans: Sequence[tuple[int, int]], edges: Columns) -> set[tuple[int, int]]:
        """Lines that end below where they begin, though no hyphen joins them."""
        falls = compress(spans, map(ge, edges[BOTTOM][::2], edges[TOP][1::2]))
        return {span for span in falls if HYPHEN not in text[slice(*span)]}

    def _read_both_ways(self, text: str, spans: Iterable[tuple[int, int]]) -> list[Line]:
        """The lines of a page on which there are letters from right to left."""
        parted = (JOINED if RIGHT_TO_LEFT.search(text, *span) else LINE for span in spans)
        pieces = [piece for line, span in zip(parted, spans, strict=True) for piece in line.finditer(text, *span)]
        drawn = [self._drawn(text, range(*piece.span())) for piece in pieces]
        read = as_read(drawn)
        made = []
        bold = [False] * len(read)
        if self._tells_bold:
            bold = are_bold_signs(self._asked, [piece.span() for piece in pieces], drawn, read)
        for line, is_bold in zip(read, bold, strict=True):
            first, last = (Box(sign.left, sign.right, sign.bottom, sign.top) for sign in (line[0], line[-1]))
            if (said := plain("".join([sign.text for sign in line]))) and not said.isspace():
                made.append(Line.of(said, first, last, first.height, is_bold))
        return made

    def _drawn(self, text: str, places: Iterable[int]) -> list[Sign]:
        """The characters in these places, of those beyond U+FFFF both halves."""
        places = [at for at in places if text[at] != LEFT_OUT]
        signs = [text[at] for at in places]
        if signs[-1:] == [HYPHEN]:
            signs[-1] = "-"
        xs, ys = self._asked.origins(places)
        lefts, rights, bottoms, tops = self._asked.boxes(places)
        if size := max(self._asked.font_sizes(places[:1]), default=0.0):
            # Boxes of some fonts for Arabic are half as high again, those of letters whose marks are drawn apart as low
            # as a mark: neither tells how wide a space is.
            bottoms, tops = ([y - BELOW * size for y in ys], [y + ABOVE * size for y in ys])
        return list(map(NEW_SIGN, zip(signs, xs, ys, lefts, rights, bottoms, tops, strict=True)))

    def _with_bars(self, text: str) -> str:
        """The characters, those that have no meaning left out; one that is drawn as a bar is a minus."""
        return CONTROL.sub(lambda found: "\N{MINUS SIGN}" if self._is_bar(found.start()) else LEFT_OUT, text)

    def _without_map(self, text: str) -> str:
        """The characters, with what can be told of those whose font has no Unicode map; words are of one font."""
        words = _starts(WORDS.finditer(text))
        known = self._asked.those(IS_UNMAPPED, words, are_not=True)
        spelled = [(at, found[0]) for at in known if (found := WORDS.match(text, at))]
        said, self.fault = told(_replaced(text, [(at, " " * len(word)) for at, word in spelled]) if known else text)
        return _replaced(said, spelled) if known else said

    def _is_bar(self, at: int) -> bool:
        """Whether a character is a short thin line: the minus of a font of mathematical signs."""
        [(left, right, bottom, top)] = zip(*self._asked.drawn([at]), strict=True)
        return bool(0 < top - bottom < 0.2 * (right - left))

    # -- mending

    def _mended(self, text: str) -> str:
        doubtful, apart = self._made_spaces(text)
        none = {*self._too_close(doubtful), *self._within_words(text, apart)}
        return _replaced(text, [(at, LEFT_OUT) for at in sorted(none)]) if none else text

    def _made_spaces(self, text: str) -> tuple[list[int], list[int]]:
        """Spaces that PDFium made of gaps and that may be none, and those between letters that may be set apart."""
        sample = _starts(islice(SPACE.finditer(text), FEW_SPACES))
        if len(self._asked.those(IS_MADE, sample)) >= len(sample) / 2:
            odd, apart = (self._asked.those(IS_MADE, _starts(kind.finditer(text))) for kind in (ODD_SPACE, SPREAD))
            return odd, apart
        # Where the writer's own program put the spaces, those that PDFium adds are few, and can all be looked at. They
        # are spaces even where the program's own are glyphs without a meaning.
        made = self._asked.those(IS_MADE, _starts(ANY_SPACE.finditer(self._given)))
        return [at for at in made if ODD_OR_SPACE.match(text, at)], [at for at in made if SPREAD.match(text, at)]

    def _within_words(self, text: str, spaces: Iterable[int]) -> list[int]:
        """Spaces between letters of words that are set apart, in the lines of those given."""
        found: list[int] = []
        end = 0
        for space in spaces:
            if space >= end:
                line = range(text.rfind("\n", 0, space) + 1, text.find("\r", space) % (len(text) + 1))
                within = spaces_within_words(text, line, space, self._asked)
                found += within
                end = line.stop if within else space
        return found

    def _too_close(self, spaces: Sequence[int]) -> list[int]:
        """Of these spaces those on whose either side characters stand too close for one."""
        near = [around for around in _around(self._asked.boxes, spaces) if _is_near(*around[1:])]
        before = zip(*self._asked.boxes([at - 2 for at, _, _ in near]), strict=True)
        joined = {at for (at, *sides), ahead in zip(near, before, strict=True) if self._is_joined(at, ahead, *sides)}
        # What is drawn may stand nearer than the font says.
        least = {at: LEAST_SPACE * (left[TOP] - left[BOTTOM]) for at, left, _ in near if at not in joined}
        return [*joined, *(at for at, *sides in _around(self._asked.drawn, [*least]) if _gap(*sides) < least[at])]

    def _is_joined(self, space: int, before: Edges, left: Edges, right: Edges) -> bool:
        """Whether near characters on either side of a space stand too close for it. before: the box ahead of them."""
        _, _, bottom, top = left
        least, most = LEAST_SPACE * (top - bottom), MOST_SPACE * (top - bottom)
        # Letters may be set apart, as in a listing. Ahead of a letter alone is a space, which has no width where PDFium
        # made it: words are as far apart on its other side.
        is_word = before[1] <= before[0] and self.text[space + 1].isalpha()
        spaced = min(most, (0.5 if is_word else 2.0) * _gap(before, left)) if space > 1 else 0.0
        return _gap(left, right) < max(least, spaced)


def _starts(found: Iterable[re.Match[str]]) -> list[int]:
    return list(map(re.Match.start, found))


def _replaced(text: str, by: Iterable[tuple[int, str]]) -> str:
    """The text with other characters in these places, in the order of their numbers."""
    pieces, end = [], 0
    for start, other in by:
        pieces += [text[end:start], other]
        end = start + len(other)
    return "".join([*pieces, text[end:]])


def _around(boxes: Callable[[Sequence[int]], Columns], spaces: Sequence[int]) -> Iterator[tuple[int, Edges, Edges]]:
    """Each of the spaces with the boxes of the characters on either side."""
    sides = zip(*boxes([at + step for at in spaces for step in (-1, 1)]), strict=True)
    return zip(spaces, sides, sides, strict=True)


def _is_near(left: Edges, right: Edges) -> bool:
    """Whether between two characters there may be no space at all; most are further apart."""
    most = MOST_SPACE * (left[TOP] - left[BOTTOM])
    return right[0] - left[1] <= most and left[0] - right[1] <= most and abs(left[BOTTOM] - right[BOTTOM]) <= most


def _gap(one: Edges, other: Edges) -> float:
    """How far apart two boxes of a line stand, in whichever direction it is read."""
    return max(other[0] - one[1], one[0] - other[1])
