"""Lists of OpenDocument, and headings that count: what stands before each, and how far it has been counted."""

from collections.abc import Iterable
from typing import NamedTuple

from searcher.readers.numerals import numeral, whole
from searcher.readers.parsers.zipped import Element, attribute

__all__ = ["Counted", "Numbering"]

LIST_LEVELS = {"list-level-style-number", "list-level-style-bullet", "list-level-style-image"}
OUTLINE_LEVELS = {"outline-level-style"}
BULLET = "-"
DEEPEST_STYLE = 20


class Level(NamedTuple):
    """How one level counts. shown: how many levels its numbers show, as "2.1" does two."""

    format: str
    prefix: str
    suffix: str
    shown: int
    start: int


class Counted(NamedTuple):
    """A list that is open at some depth: its style, the numbers reached at each level, and the level that it is."""

    style: str
    numbers: dict[int, int]
    depth: int = 1


class Numbering:
    """The styles of lists of a document, and the lists so far."""

    def __init__(self, roots: Iterable[Element]) -> None:
        self._levels: dict[str, dict[int, Level]] = {}
        self._styled: dict[str, str] = {}  # styles of paragraphs, and the lists that they bring
        self._outline = Counted("", {})
        self._ended: dict[str, Counted] = {}  # the last list by its style, and each by its id
        for root in roots:
            for style in root.iter("list-style"):
                self._levels[attribute(style, "name") or ""] = _levels(style, LIST_LEVELS)
            for style in root.iter("outline-style"):
                self._levels[""] = _levels(style, OUTLINE_LEVELS)
            for style in root.iter("style"):
                if attribute(style, "family") == "paragraph" and (name := attribute(style, "list-style-name")):
                    self._styled[attribute(style, "name") or ""] = name

    def begin(self, element: Element, around: Counted | None) -> Counted:
        """A list; around: the one in an item of which it stands."""
        own = attribute(element, "style-name") or (around.style if around else self._styles_of(element))
        if around:
            return Counted(own, around.numbers, around.depth + 1)
        before = self._ended.get(f"#{attribute(element, 'continue-list')}")
        if before is None and attribute(element, "continue-numbering") == "true":
            before = self._ended.get(own)
        counted = Counted(own, before.numbers if before else {})
        self._ended[own] = counted
        if (name := element.get("{http://www.w3.org/XML/1998/namespace}id")) is not None:
            self._ended[f"#{name}"] = counted
        return counted

    def mark(self, item: Element, counted: Counted) -> str:
        """What stands before an item of a list, which is counted; nothing for one that only holds another list."""
        first = next(iter(item), None)
        if item.tag != "list-item" or first is None or first.tag == "list":
            return ""
        return self._next(counted, attribute(item, "start-value")) or BULLET

    def heading(self, element: Element, level: int) -> str:
        """What stands before a heading, if headings count."""
        if attribute(element, "is-list-header") == "true":
            return ""
        return self._next(self._outline._replace(depth=level), attribute(element, "start-value"))

    def _next(self, counted: Counted, start: str | None) -> str:
        """The number of what comes next, "" where that has none."""
        levels, numbers, depth = self._levels.get(counted.style, {}), counted.numbers, counted.depth
        level = levels.get(depth) or levels.get(max(levels, default=0))
        begins = level.start if level else 1
        numbers[depth] = whole(start, numbers.get(depth, begins - 1) + 1)
        for deeper in [other for other in numbers if other > depth]:
            del numbers[deeper]
        if not level or not level.format:
            return ""
        shown = range(max(1, depth - level.shown + 1), depth + 1)
        kinds = ((of, levels.get(of, level)) for of in shown)
        spelled = [numeral(kind.format, numbers.get(of, kind.start)) for of, kind in kinds if kind.format]
        return f"{level.prefix}{'.'.join(spelled)}{level.suffix}".strip()

    def _styles_of(self, element: Element) -> str:
        """The list that the style of the first paragraph brings."""
        first = next(element.iter("p", "h"), None)
        return self._styled.get(attribute(first, "style-name") or "", "")


def _levels(style: Element, kinds: set[str]) -> dict[int, Level]:
    found = {}
    for at, each in enumerate(style, 1):
        if each.tag in kinds:
            found[whole(attribute(each, "level"), at)] = Level(
                attribute(each, "num-format") or "",
                attribute(each, "num-prefix") or "",
                attribute(each, "num-suffix") or "",
                whole(attribute(each, "display-levels"), 1),
                whole(attribute(each, "start-value"), 1),
            )
    return found
