"""Lines that hold Hebrew or Arabic: the signs of a page as PDFium gives them → as they are read.

PDFium takes letters for drawn from left to right and turns them round. Many are not: browsers say for each glyph what
it means, and draw marks, spaces and words apart. So the order in which PDFium gives them is left aside, and made anew
of the places.
"""

import re
import statistics
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import chain, compress
from operator import attrgetter
from typing import NamedTuple

from searcher.readers.parsers.pdf_direction import (
    ENDS,
    RIGHT,
    Sign,
    in_reading_order,
    kinds_of,
    runs_left,
    with_brackets,
)

__all__ = ["RIGHT_TO_LEFT", "as_read"]

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
HALF = re.compile("[\ud800-\udfff]")
WORDS = re.compile("[\u0590-\u08ff]{2,}")
LAST_LETTERS = re.compile("[ךםןףץةى]")  # which no word begins with
SPACE_WIDTH = 0.15  # of the height of a line; a wider gap is a space
CELL_END = "\t"  # which UAX #9 takes for what parts cells
CELL_APART = 1.0  # of the height of a line; a wider gap parts cells of a table
SAME_BASE, MARKED_BASE = 0.25, 0.45  # of the height of a line, by which the origins of its pieces may differ
LETTER_WIDTH = 0.48  # of the height of a line
UPRIGHT = 2.0  # heights of a line that its origins are apart, where it runs up or down


def as_read(pieces: Iterable[Sequence[Sign]]) -> list[list[Sign]]:
    """The signs of each line as they are read, spaces included; those without letters from right to left as they were.

    pieces: what PDFium takes for lines.
    """
    lines, turning = map(list, zip(*_whole(pieces), strict=True))
    kinds = Counter(chain.from_iterable(map(kinds_of, lines)))
    if runs_left(kinds):
        turning = [turns or _is_tail(line) for line, turns in zip(lines, turning, strict=True)]
    widths = _widths(list(compress(lines, turning)))
    drawn = [_as_drawn(line, widths) if turns else line for line, turns in zip(lines, turning, strict=True)]
    read = [in_reading_order(line, kinds) if turns else line for line, turns in zip(drawn, turning, strict=True)]
    # Some programs draw letters from left to right as they are written: that is read as it is drawn.
    chosen = drawn if _is_backwards(read) else read
    return [_even(_written(line)) if turns else line for line, turns in zip(chosen, turning, strict=True)]


def _written(line: Sequence[Sign]) -> list[Sign]:
    """A line as it is read, a sign for each character."""
    characters = []
    for sign in line:
        characters += [sign] if len(sign.text) == 1 else [sign._replace(text=one) for one in sign.text]
    return [sign._replace(text=" ") if sign.text == CELL_END else sign for sign in with_brackets(characters)]


def _turns(line: Sequence[Sign]) -> bool:
    """Whether a line holds letters from right to left, and does not run up or down the page."""
    if not RIGHT_TO_LEFT.search(_text(line)):
        return False
    xs, ys = [sign.x for sign in line], [sign.y for sign in line]
    up = max(ys) - min(ys)
    return up <= max(xs) - min(xs) or up <= UPRIGHT * _height(line)


def _is_tail(line: Sequence[Sign]) -> bool:
    """Whether it may be the end of a sentence from right to left in which there are but numbers: .2024"""
    return line[0].text in ENDS and not any(sign.kind == "L" for sign in line)


def _is_backwards(lines: Sequence[Sequence[Sign]]) -> bool:
    """Whether more words begin than end with letters that stand at ends."""
    text = unicodedata.normalize("NFKC", "\n".join(map(_text, lines)))
    words = WORDS.findall(text)
    return sum(map(bool, map(LAST_LETTERS.match, words))) > sum(bool(LAST_LETTERS.match(word[-1])) for word in words)


def _text(line: Iterable[Sign]) -> str:
    return "".join([sign.text for sign in line])


# -- what belongs to a line


def _whole(pieces: Iterable[Sequence[Sign]]) -> Iterator[tuple[list[Sign], bool]]:
    """Lines, and whether they turn: pieces that follow each other on one height as one, where one of them does."""
    rows: list[list[_Piece]] = []
    for piece in map(_Piece.of, pieces):
        # Of a row the highest piece says more: a letter that a browser draws by its mark alone is as low as that.
        if rows and (rows[-1][-1].is_beside(piece) or max(rows[-1], key=attrgetter("height")).is_beside(piece)):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    for row in rows:
        turning = [_turns(piece.signs) for piece in row]
        if len(row) > 1 and any(turning):
            line = list(chain.from_iterable(piece.signs for piece in row))
            yield line, _turns(line)
        else:
            yield from ((list(piece.signs), turns) for piece, turns in zip(row, turning, strict=True))


class _Piece(NamedTuple):
    """What PDFium takes for a line.

    base: the height at which most of it stands. marked: whether marks stand at an end of it: what a browser shifts up
    or down stands in a piece of its own.
    """

    signs: Sequence[Sign]
    base: float
    height: float
    marked: bool

    @classmethod
    def of(cls, signs: Sequence[Sign]) -> "_Piece":
        base = statistics.median_low([sign.y for sign in signs])
        return cls(signs, base, _height(signs), any(map(unicodedata.combining, signs[0].text + signs[-1].text)))

    def is_beside(self, other: "_Piece") -> bool:
        reach = MARKED_BASE if self.marked or other.marked else SAME_BASE
        return abs(self.base - other.base) < reach * max(self.height, other.height)


def _height(line: Iterable[Sign]) -> float:
    """That of the highest sign."""
    return max([sign.top - sign.bottom for sign in line])


@lru_cache(1000)
def _is_mark(text: str) -> bool:
    return all(map(unicodedata.combining, text))


# -- what a glyph means


def _glyphs(line: Sequence[Sign]) -> list[Sign]:
    """What stands at one origin as one sign, its characters as they are written; letters only, with their marks."""
    # PDFium may put those of two glyphs between each other, where the marks of both are drawn over one of them.
    at_origins: dict[tuple[float, float], list[Sign]] = defaultdict(list)
    for sign in line:
        at_origins[sign.x, sign.y].append(sign)
    made: list[Sign] = []
    for signs in at_origins.values():
        if len(signs) == 1:
            made += signs
            continue
        if all(HALF.match(sign.text) for sign in signs):  # of characters beyond U+FFFF; the first is the lower number
            text = "".join(sorted(sign.text for sign in signs)).encode("utf-16-le", "surrogatepass")
            made.append(signs[0]._replace(text=text.decode("utf-16-le", "replace")))
            continue
        if not (any(sign.kind in RIGHT for sign in signs) or all(_is_mark(sign.text) for sign in signs)):
            made += signs
            continue
        left, right = min(sign.left for sign in signs), max(sign.right for sign in signs)
        made.append(signs[0]._replace(text=_as_written(signs), left=left, right=right))
    return made


def _as_written(signs: Sequence[Sign]) -> str:
    """The characters of one glyph as they are written: PDFium has mostly turned the letters round."""
    if len({sign.left for sign in signs}) == len(signs):
        # Where the file says what it means, PDFium gives each character a part of its width, in their order: from the
        # right, or from the left where a mark is drawn first.
        text = "".join(sign.text for sign in sorted(signs, key=lambda sign: sign.left))
        return text if unicodedata.combining(text[-1]) else _unturned(text)
    letters = "".join(sign.text for sign in signs if sign.kind in RIGHT)
    return _unturned(letters) + "".join(sign.text for sign in signs if sign.kind not in RIGHT)


def _unturned(text: str) -> str:
    return text if text in _ligatures() and text[::-1] not in _ligatures() else text[::-1]


@cache
def _ligatures() -> frozenset[str]:
    """What the ligatures of Arabic in Unicode mean: PDFium writes them out, and does not turn those round."""
    codes = (*range(0xFB50, 0xFE00), *range(0xFE70, 0xFEFD))
    return frozenset(unicodedata.normalize("NFKC", chr(code)).strip() for code in codes)


# -- as it is drawn


def _widths(lines: Sequence[Sequence[Sign]]) -> dict[str, float]:
    """How wide letters are, in heights of their lines; asked only where letters have marks."""
    if not any(map(unicodedata.combining, {sign for line in lines for sign in _text(line)})):
        return {}
    seen = defaultdict(list)
    for line in lines:
        height = _height(line)
        for sign in line:
            start = sign.x if sign.x < sign.left else sign.left
            seen[sign.text].append((sign.right - start) / height)
    return {letter: statistics.median(values) for letter, values in seen.items()}


def _as_drawn(line: Sequence[Sign], widths: Mapping[str, float]) -> list[Sign]:
    """The signs from left to right, marks behind their letters, a space for each gap.

    widths: of letters, in heights of a line.
    """
    # PDFium's own spaces have no width; it makes them where it passes from one word to the next, not where gaps are.
    glyphs = _glyphs([sign for sign in line if sign.right > sign.left or not sign.text.isspace()])
    height = _height(glyphs)
    marks = [sign for sign in glyphs if _is_mark(sign.text)]
    bases = [sign for sign in glyphs if not _is_mark(sign.text)] if marks else glyphs
    letters = [_as_wide(sign, height, widths) if len(sign.text) > 1 else sign for sign in bases]
    letters.sort(key=attrgetter("x"))
    bearing = [at for at, sign in enumerate(letters) if sign.text[0].isalpha()] if marks else []
    for mark in marks:
        if bearing:
            nearest = min(bearing, key=lambda at: _away(letters[at], mark))
            letters[nearest] = letters[nearest]._replace(text=letters[nearest].text + mark.text)
    return list(_spaced(letters or glyphs, height))


def _away(letter: Sign, mark: Sign) -> tuple[float, float]:
    """How far the middle of a mark is from a letter, and from its middle."""
    middle = (mark.left + mark.right) / 2
    return max(letter.left - middle, middle - letter.right, 0.0), abs((letter.left + letter.right) / 2 - middle)


def _as_wide(glyph: Sign, height: float, widths: Mapping[str, float]) -> Sign:
    """A letter with its marks at least as wide as it is without them: PDFium may know but the box of a mark."""
    bases = "".join(sign for sign in glyph.text if not unicodedata.combining(sign))
    if len(bases) == len(glyph.text):
        return glyph
    width = widths.get(bases, LETTER_WIDTH * len(bases)) * height
    return glyph._replace(right=max(glyph.right, glyph.x + width))


def _spaced(letters: Sequence[Sign], height: float) -> Iterator[Sign]:
    before, end = None, 0.0
    for sign in letters:
        start = sign.x if sign.x < sign.left else sign.left
        if before and start - end > SPACE_WIDTH * height:
            if start - end > CELL_APART * height:
                yield before._replace(text=CELL_END, x=end, left=end, right=start)
            elif not (before.text.isspace() or sign.text.isspace()):
                yield before._replace(text=" ", x=end, left=end, right=start)
        yield sign
        end = sign.right if before is None or sign.right > end else end
        before = sign


def _even(line: list[Sign]) -> list[Sign]:
    """The first and the last sign as high as the highest: the boxes of some are those of what is drawn."""
    highest = max(line, key=lambda sign: sign.top - sign.bottom)
    for at in (0, -1):
        line[at] = line[at]._replace(bottom=highest.bottom, top=highest.top)
    return line
