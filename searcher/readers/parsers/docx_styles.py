"""Styles and numbering of Word: which paragraphs are headings, what is hidden, and what stands before a list item."""

import re
from typing import NamedTuple

from searcher.readers.numerals import numeral, whole
from searcher.readers.parsers.zipped import Element, attribute, is_on
from searcher.readers.symbols import shown

__all__ = ["Number", "Numbering", "Styles"]

HEADING = re.compile(r"heading (\d)", re.IGNORECASE)
TITLES = {"title"}
DEEPEST_HEADING, DEEPEST_STYLE = 9, 20
BULLETS = {"bullet", "none"}


class Style(NamedTuple):
    """level: of a heading, 0 for text."""

    level: int = 0
    is_title: bool = False


class Styles:
    """The styles of a document. hides: by their ids whether the text of those is hidden that say so."""

    def __init__(self, root: Element) -> None:
        self._styles = {attribute(style, "styleId") or "": style for style in root.findall("style")}
        said = {name: [style.find("rPr/vanish") for style in self.chain(name)] for name in self._styles}
        firsts = {name: next((each for each in own if each is not None), None) for name, own in said.items()}
        self.hides = {name: is_on(first) for name, first in firsts.items() if first is not None}

    def chain(self, name: str | None) -> list[Element]:
        """A style and those that it is based on."""
        found: list[Element] = []
        while name in self._styles and len(found) < DEEPEST_STYLE:
            found.append(self._styles[name])
            name = attribute(found[-1].find("basedOn"), "val")
        return found

    def of(self, paragraph: Element) -> Style:
        """What a paragraph is."""
        chain = self.chain(attribute(paragraph.find("pPr/pStyle"), "val"))
        names = [(attribute(style.find("name"), "val") or "").casefold() for style in chain]
        if names and names[0] in TITLES:
            return Style(1, is_title=True)
        for level in [paragraph.find("pPr/outlineLvl"), *(style.find("pPr/outlineLvl") for style in chain)]:
            value = whole(attribute(level, "val"), None)
            if value is not None:
                return Style(value + 1 if value < DEEPEST_HEADING else 0)
        named = next((found for name in names if (found := HEADING.fullmatch(name))), None)
        return Style(int(named[1]) if named else 0)

    def numbered(self, paragraph: Element) -> tuple[str, int] | None:
        """The id of its list, and its level in that from 0; None where it is in no list."""
        chain = self.chain(attribute(paragraph.find("pPr/pStyle"), "val"))
        number = level = None
        for properties in [paragraph.find("pPr/numPr"), *(style.find("pPr/numPr") for style in chain)]:
            if properties is not None:
                number = number or attribute(properties.find("numId"), "val")
                level = level or attribute(properties.find("ilvl"), "val")
        if number in (None, "0"):
            return None
        return str(number), whole(level, 0)


class Level(NamedTuple):
    """One level of a list. pattern: such as "%1.%2"."""

    start: int
    kind: str
    pattern: str


class Number(NamedTuple):
    """What stands before a list item, the list that it belongs to, and its level in that from 0."""

    mark: str
    group: str
    depth: int


class Numbering:
    """The lists of a document, and how far each has been counted."""

    def __init__(self, root: Element, styles: Styles) -> None:
        self._styles = styles
        kinds = {attribute(kind, "abstractNumId"): _levels(kind) for kind in root.findall("abstractNum")}
        self._levels: dict[str, dict[int, Level]] = {}
        self._kind: dict[str, str] = {}  # lists of a kind count on where one of them ended
        for number in root.findall("num"):
            name, kind = attribute(number, "numId") or "", attribute(number.find("abstractNumId"), "val") or ""
            changed = {
                whole(attribute(each, "ilvl"), 0): each for each in number.findall("lvlOverride") if len(each) > 0
            }
            self._levels[name] = dict(kinds.get(kind, {}))
            for at, each in changed.items():
                begun = whole(attribute(each.find("startOverride"), "val"), 1)
                old = self._levels[name].get(at, Level(1, "decimal", f"%{at + 1}."))
                self._levels[name][at] = old._replace(start=begun)
            self._kind[name] = name if changed else f"kind {kind}"
        self._counts: dict[str, dict[int, int]] = {}

    def next(self, paragraph: Element) -> Number | None:
        """The mark of a paragraph, which is counted; None where it is in no list."""
        if (place := self._styles.numbered(paragraph)) is None:
            return None
        name, at = place
        levels = self._levels.get(name)
        if not levels:
            return Number("-", name, at)
        counts = self._counts.setdefault(self._kind[name], {})
        level = levels.get(at, Level(1, "bullet", ""))
        counts[at] = counts.get(at, level.start - 1) + 1
        for deeper in [other for other in counts if other > at]:
            del counts[deeper]
        if level.kind in BULLETS:
            return Number("-" if level.kind == "bullet" else "", self._kind[name], at)

        def counted(found: re.Match[str]) -> str:
            of = int(found[1]) - 1
            other = levels.get(of, level)
            count = counts.setdefault(of, other.start)
            return numeral(other.kind, count)

        return Number(re.sub(r"%(\d)", counted, level.pattern).strip(), self._kind[name], at)


def _levels(kind: Element) -> dict[int, Level]:
    found = {}
    for level in kind.findall("lvl"):
        pattern = attribute(level.find("lvlText"), "val") or ""
        found[whole(attribute(level, "ilvl"), 0)] = Level(
            whole(attribute(level.find("start"), "val"), 1),
            attribute(level.find("numFmt"), "val") or "decimal",
            shown(pattern),
        )
    return found
