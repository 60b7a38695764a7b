"""Lines of a PDF without what belongs to the paper: running heads and feet."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from searcher.readers.parsers.pdf_page import Line

__all__ = ["without_repeats"]

EDGE_LINES = 3  # from the top and from the bottom of a page, where running heads and feet stand
SAME_HEIGHT = 3.0  # points
WHOLE_NUMBER = re.compile(r"\d(?<![\w.,].)\d{0,3}(?![\w,]|\.\d)")  # begins with what a text is looked through for fast
OTHER_SIZE = 0.15  # of the height of a line, by which lines of one text differ less
TIGHT = 0.5  # of the height of a line, by which lines of one text are apart at most
NUMBERS_PAGE = re.compile(r"[^\w]*(?:\w{1,6}\.?\s)?[^\w\0]*\0?-?\d+[^\w]*(?:(?:\w{1,4}\s)?\d+)?[^\w]*")


def without_repeats(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The lines of each page but those that stand on several pages in the same place: all but the first of them, and
    all where they but number the page. The first one is no heading.
    """
    where: dict[str, list[tuple[int, int]]] = defaultdict(list)  # by how it reads: pages, and numbers of lines
    for number, lines in enumerate(pages):
        for at in _edges(lines):
            for key in _keys(lines[at].text, number):
                where[key].append((number, at))
    gone: dict[int, set[int]] = defaultdict(set)  # by pages
    numbered: dict[int, set[int]] = defaultdict(set)  # the same, of those that but number the page
    heads: dict[int, set[int]] = defaultdict(set)  # the same, of all that repeat, the first of them too
    repeated = {key: _same_height(pages, found) for key, found in where.items() if len(found) > 1}
    for key, found in repeated.items():
        if len({number for number, _ in found}) > 1:
            numbers = NUMBERS_PAGE.fullmatch(key)
            for number, at in found:
                heads[number].add(at)
            for number, at in found if numbers else found[1:]:
                (numbered if numbers else gone)[number].add(at)
    for number, out in gone.items():
        out -= _of_text(pages[number], heads[number])
    for number, out in numbered.items():
        gone[number] |= out
    return [
        [line._replace(is_bold=False) if line.is_bold and at in heads[number] else line
         for at, line in enumerate(lines) if at not in gone[number]]
        if number in heads else list(lines)
        for number, lines in enumerate(pages)
    ]  # fmt: skip


def _of_text(lines: Sequence[Line], heads: set[int]) -> set[int]:
    """Of the lines that repeat, those that the text of the page goes on from or leads to: as near and as high as it."""
    found: set[int] = set()
    order = sorted(range(len(lines)), key=[line.bottom for line in lines].__getitem__)
    near = min(2 * EDGE_LINES, len(order) // 2 + 1)  # besides those that repeat there is one of the text among them
    for inwards in (order[:near], order[: -near - 1 : -1]):
        of_text = False
        level = [at for at in inwards if not lines[at].is_upright]
        for outer, inner in reversed(list(pairwise(level))):
            one, other = lines[outer], lines[inner]
            if abs(one.bottom - other.bottom) > SAME_HEIGHT:
                apart = max(one.bottom, other.bottom) - min(one.top, other.top)
                is_near = apart < TIGHT * one.size and abs(one.size - other.size) < OTHER_SIZE * one.size
                of_text = is_near and (of_text or inner not in heads)
            if of_text and outer in heads:
                found.add(outer)
    return found


def _edges(lines: Sequence[Line]) -> Iterable[int]:
    """The numbers of the lines nearest to the top and to the bottom, and of those in the margins."""
    bottoms = [line.bottom for line in lines]
    order = sorted(range(len(lines)), key=bottoms.__getitem__)
    turned = (at for at in order if lines[at].end_bottom != bottoms[at])  # few: asked before a property is
    upright = (at for at in turned if lines[at].is_upright and len(lines[at].text) > 1)
    return dict.fromkeys([*order[:EDGE_LINES], *order[-EDGE_LINES:], *upright])


def _keys(text: str, page: int) -> set[str]:
    """The line as it is, and with its first or its last number told as so many more than that of the page."""
    keys = {text}
    if numbers := list(WHOLE_NUMBER.finditer(text)):
        for found in (numbers[0], numbers[-1]):
            keys.add(f"{text[: found.start()]}\0{int(found[0]) - page}{text[found.end() :]}")
    return keys


def _same_height(pages: Sequence[Sequence[Line]], found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that have another at their height, on another page."""
    heights = [(round(pages[number][at].bottom / SAME_HEIGHT), number, at) for number, at in found]
    at_height = Counter(height for height, _, _ in heights)
    return [
        (number, at)
        for height, number, at in heights
        if sum(at_height[near] for near in (height - 1, height, height + 1)) > 1
    ]
