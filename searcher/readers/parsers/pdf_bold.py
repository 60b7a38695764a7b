"""Lines of a PDF that are bold from end to end, of whatever size: they might be headings."""

import re
from collections.abc import Container, Sequence
from functools import cache
from itertools import compress, pairwise
from operator import sub

from searcher.readers.parsers.pdf_asked import HYPHEN, Asked
from searcher.readers.parsers.pdf_direction import Sign

__all__ = ["NUMBERED", "are_bold", "are_bold_signs"]

# The number of a heading, which stands apart from its words and may be drawn with another font.
NUMBERED = re.compile(
    r"((?:§ ?)?\d{1,3}(?:\.\d{1,3}){0,4}|[A-Z](?:\.\d{1,3})+|(?:[A-Z]|[IVXLC]{2,6})(?=[.):]))[.):]?[ \t]+(?=[^\W_])"
)
LONGEST = 90  # characters of a line
# What fonts call themselves: by words, by letters of foundries, URW's Times, Knuth's fonts and those called like them.
BOLD = re.compile(
    r"(?i:bold|black|heavy|demi)|(?:Bd|Hv|Blk)(?![a-z])|-Medi(?![a-z])"
    r"|(?:\w{6}\+)?(?i:cm|cs|dc|ec|la|pl|sf|vn)(?i:ss)?(?i:bx|sx|b(?=\d))"
)
APART = 1.0  # of the height of a line, from which on a gap parts cells of a table
OVER, MORE = 0.5, 0.35  # of the height of a line: so far boxes may reach over each other, and distances differ
TENTH = 10  # part of the lines of a page that may be nearer: formulas, several of one height
WORD = re.compile(r"[^\0-\x20]+")


def are_bold(
    asked: Asked, text: str, spans: Sequence[tuple[int, int]], sizes: Sequence[float], gaps: Sequence[float]
) -> list[bool]:
    """Of each line whether it is bold from end to end and may be a heading or go on with one: short, no cells of a row.

    spans: of the lines in the text. sizes: their heights. gaps: how far each is above the next. To ask of all takes too
    long: those that stand under another one as near as can be are passed over, but where that one is bold.
    """
    found = [False] * len(spans)
    begun = [(line, at) for line in _apart(sizes, gaps) if (at := _first_letter(text, *spans[line])) is not None]
    bold = list(compress(begun, map(_is_bold, asked.fonts([at for _, at in begun]))))
    for line, _ in bold:
        at = _begun(text, *spans[line])
        while at >= 0 and _is_whole(asked, text, at, spans[line][1]):
            found[line], line = True, line + 1
            at = _begun(text, *spans[line]) if line < len(spans) else -1
    return found


def _apart(sizes: Sequence[float], gaps: Sequence[float]) -> list[int]:
    """The lines that are further from the one before than lines of a paragraph are, or further up."""
    size = sorted(sizes)[len(sizes) // 2]
    over = -OVER * size
    near = sorted([gap for gap in gaps if gap > over])
    least = (near[len(near) // TENTH] if near else 0.0) + MORE * size
    return [0, *[at for at, gap in enumerate(gaps, 1) if gap > least or gap < -size]]


def _first_letter(text: str, start: int, end: int) -> int | None:
    """A letter of a line that is bold if its words are, None for one that begins no heading: told as fast as can be."""
    if not 2 < end - start <= LONGEST or text[start].islower():
        return None
    return start if text[start].isalpha() else max(start, _begun(text, start, end))


def _begun(text: str, start: int, end: int) -> int:
    """Where the words of a line begin, -1 for one that is no heading nor a part of one."""
    if not 2 < end - start <= LONGEST or text[end - 1] in ",;" or text.find(HYPHEN, start, end) >= 0:
        return -1
    number = None if text[start + 1].islower() else NUMBERED.match(text, start, end)
    return number.end() if number else start


@cache
def _is_bold(font: bytes) -> bool:
    return bool(BOLD.search(font.decode("latin-1")))


def _is_whole(asked: Asked, text: str, start: int, end: int) -> bool:
    """Whether all words are bold and stand as near to each other as those of a line do."""
    if not _is_bold(*asked.fonts([end - 1])):  # of most: they only begin so
        return False
    words = [found.span() for found in WORD.finditer(text, start, end)]
    if len(words) == 1:
        return True
    lasts = [behind - 1 for _, behind in words[:-1]]
    if not all(map(_is_bold, asked.fonts(lasts))):
        return False
    lefts, rights, bottoms, tops = asked.boxes([*lasts, *(first for first, _ in words[1:])])
    most = APART * (tops[0] - bottoms[0])
    return all(gap <= most for gap in map(sub, lefts[len(lasts) :], rights))


def are_bold_signs(
    asked: Asked, pieces: Sequence[tuple[int, int]], drawn: Sequence[Sequence[Sign]], lines: Sequence[Sequence[Sign]]
) -> list[bool]:
    """The same of lines that are made anew of the signs of a page.

    pieces: what PDFium takes for lines, their places in the text. drawn: the signs of each. lines: made of all of them.
    """
    ends = asked.fonts([at for start, end in pieces for at in (start, end - 1)])
    bold = [_is_bold(first) and _is_bold(last) for first, last in zip(ends[::2], ends[1::2], strict=True)]
    if not any(bold):
        return [False] * len(lines)
    origins = {(sign.x, sign.y) for signs, is_bold in zip(drawn, bold, strict=True) if is_bold for sign in signs}
    return [_are_whole([sign for sign in line if not sign.text.isspace()], origins) for line in lines]


def _are_whole(line: Sequence[Sign], origins: Container[tuple[float, float]]) -> bool:
    if not 2 < len(line) <= LONGEST or line[-1].text in ",;":
        return False
    edges = sorted((sign.left, sign.right) for sign in line)
    is_near = all(after - end <= APART * line[0].height for (_, end), (after, _) in pairwise(edges))
    return is_near and all((sign.x, sign.y) in origins for sign in line)
