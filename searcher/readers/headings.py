"""Headings to sections: where each part of a text starts and the path of headings that leads to it."""

from collections.abc import Iterable
from typing import NamedTuple

from searcher.records import HEADINGS

__all__ = ["LONGEST_TITLE", "Heading", "best_title", "line_starts", "lines", "sections"]

LONGEST_TITLE = 200  # a longer "heading" is a paragraph with the wrong markup


class Heading(NamedTuple):
    """A heading: where its line starts, its level from 1 (the top), its text on one line."""

    start: int
    level: int
    title: str


def sections(headings: Iterable[Heading]) -> tuple[tuple[int, str], ...]:
    """The (start, heading path) pairs of a Document.

    >>> sections([Heading(0, 1, "Guide"), Heading(9, 2, "Install"), Heading(30, 2, "Use")])
    ((0, 'Guide'), (9, 'Guide > Install'), (30, 'Guide > Use'))
    """
    path: list[Heading] = []
    found = []
    for heading in headings:
        while path and path[-1].level >= heading.level:
            path.pop()
        path.append(heading)
        found.append((heading.start, HEADINGS.join(above.title[:LONGEST_TITLE] for above in path)))
    return tuple(found)


def best_title(headings: Iterable[Heading]) -> str | None:
    """The first heading of the top level, else the first of any, else None."""
    ranked = sorted(headings, key=lambda heading: (heading.level != 1, heading.start))
    return ranked[0].title[:LONGEST_TITLE] if ranked else None


def lines(text: str) -> list[str]:
    """The lines of a text without what ends them; there are as many as `line_starts`."""
    starts = line_starts(text)
    return [text[a:b].rstrip("\r\n") for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]


def line_starts(text: str) -> list[int]:
    r"""Offsets at which lines start, where \n, \r\n and \r end a line and nothing else does."""
    starts = [0]
    position = 0
    for line in text.replace("\r\n", " \n").replace("\r", "\n").split("\n"):
        position += len(line) + 1
        starts.append(position)
    return starts[:-1]
