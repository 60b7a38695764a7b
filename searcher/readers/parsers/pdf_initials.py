"""Drop capitals of a PDF: the large letter beside the first lines of a paragraph, which belongs to its first word."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

from searcher.readers.parsers.pdf_page import Line

__all__ = ["with_initials"]

INITIAL = re.compile(r"[\"'“”„‘‚«»‹(¿¡]*([^\W\d_])['’]?")
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
ALONE = set("aieouyàéèóü")  # letters that are words of their own in some language
LARGER = 1.8  # times the height of the lines beside it
LINES = 2  # that it stands beside, at least
APART = 1.0  # of its height, by which a line may begin to the right of it
CAPITAL = 0.85  # of the height of its box, above which a letter does not reach
OVER = 0.5  # of the height of a line, by which the box of the letter, which is wider than it, may reach over the line


def with_initials(pages: Sequence[Sequence[Line]], bodies: Sequence[float]) -> list[list[Line]]:
    """The lines of all pages, without those that are a drop capital: it stands before the line that it begins.

    bodies: the height of the text of each page, in points. Where each letter is a line, as in Chinese set downwards,
    none is large. A letter that may be a word itself is one if the file knows the rest better as a word than both
    together.
    """

    @cache
    def known() -> Counter[str]:
        texts = (line.text for lines in pages for line in lines if not INITIAL.fullmatch(line.text))
        return Counter(WORD.findall("\n".join(texts).casefold()))

    def begun(initial: str, line: str) -> str:
        letter, rest = INITIAL.fullmatch(initial)[1].casefold(), WORD.match(line)  # type: ignore[index]
        if rest is None or letter not in ALONE:
            return initial + line
        is_word = known()[rest[0].casefold()] - 1 > known()[letter + rest[0].casefold()]  # itself is one
        return f"{initial} {line}" if is_word else initial + line

    made = []
    for lines, body in zip(pages, bodies, strict=True):
        own, least = list(lines), LARGER * body
        for initial in [line for line in lines if line.size >= least and INITIAL.fullmatch(line.text)]:
            if (first := _begun_by(initial, own)) is not None:
                own[first] = own[first].reading(begun(initial.text, own[first].text))
                own.remove(initial)
        made.append(own)
    return made


def _begun_by(initial: Line, lines: Sequence[Line]) -> int | None:
    """Which line a large letter begins: the highest of those beside it; None where it has too few."""
    beside = [at for at, line in enumerate(lines) if _is_beside(initial, line)]
    if not beside:
        return None
    first = max(beside, key=lambda at: lines[at].top)
    left, size = lines[first].left, lines[first].size
    under = [at for at in beside if abs(lines[at].left - left) < size and abs(lines[at].size - size) < OVER * size]
    return first if len(under) >= LINES else None


def _is_beside(initial: Line, line: Line) -> bool:
    if not 0 < LARGER * line.size <= initial.size or not WORD.match(line.text):
        return False
    middle = (line.top + line.bottom) / 2
    apart = line.left - initial.end_right
    return (
        initial.bottom < middle < initial.bottom + CAPITAL * initial.size
        and -OVER * line.size <= apart <= APART * initial.size
    )
