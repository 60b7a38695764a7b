"""What Office draws from data: charts as rows of their values, diagrams as their texts, shapes as their paragraphs."""

import re
from collections.abc import Iterable, Iterator

from searcher.readers.numerals import numeral, whole
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.zipped import Archive, Element, attribute
from searcher.readers.symbols import shown

__all__ = ["paragraphs", "put_body", "put_graphic"]

NUMBERED = re.compile(r"(?P<kind>[a-zA-Z0-9]+?)(?P<around>Period|ParenR|ParenBoth|Plain|Minus)")
AROUND = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}", "Minus": "{}-"}
SPELT = {"alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman", "romanUc": "upperRoman"}
SIGNS = {"t": "", "br": "\n", "tab": "\t"}


def put_graphic(draft: Draft, archive: Archive, members: Iterable[str]) -> None:
    """Put the chart or the diagram that is in one of the members to which a frame refers."""
    for name in members:
        root = archive.maybe(name)
        if root.tag == "chartSpace":
            _chart(draft, root)
        elif root.tag == "dataModel":
            for point in root.iter("pt"):
                put_body(draft, point.find("t"))


def put_body(draft: Draft, body: Element) -> None:
    """Put the paragraphs of a shape."""
    for number, paragraph in enumerate(paragraphs(body)):
        draft.put(paragraph, "\n" if number else "\n\n")


def paragraphs(body: Element) -> Iterator[str]:
    """Those of a shape in which something stands, with the numbers of lists that count."""
    counts: dict[int, tuple[str, int]] = {}  # by level: how it is spelt, and the last number
    for paragraph in [] if body is None else body.iter("p"):
        if text := "".join(_runs(paragraph)).strip().replace("\v", "\n"):
            yield _counted(paragraph.find("pPr"), counts) + text


def _counted(properties: Element | None, counts: dict[int, tuple[str, int]]) -> str:
    """The number before a paragraph, which goes on counting those of its level that came right before."""
    level = 0 if properties is None else whole(attribute(properties, "lvl"), 0)
    for deeper in [other for other in counts if other > level]:
        del counts[deeper]
    found = None if properties is None else properties.find("buAutoNum")
    kind = NUMBERED.fullmatch(attribute(found, "type") or "") if found is not None else None
    if kind is None:
        counts.pop(level, None)
        return ""
    first = whole(attribute(found, "startAt"), 1)
    before, last = counts.get(level, ("", 0))
    number = last + 1 if before == kind[0] else first
    counts[level] = kind[0], number
    return AROUND[kind["around"]].format(numeral(SPELT.get(kind["kind"], kind["kind"]), number)) + " "


def _runs(parent: Element) -> Iterator[str]:
    """The pieces of a paragraph; of what is there in several ways, the first."""
    for element in parent:
        if element.tag in SIGNS:
            yield SIGNS[element.tag] or _shown(element)
        elif element.tag == "AlternateContent":
            yield from _runs(element[0] if len(element) else element)
        else:
            yield from _runs(element)


def _shown(text: Element) -> str:
    """A text, in which letters of fonts of signs are what they show."""
    said, properties = text.text or "", text.getparent().find("rPr")
    latin = None if properties is None else properties.find("latin")
    return shown(said, attribute(latin, "typeface"))


def _chart(draft: Draft, root: Element) -> None:
    """Its titles, and a row for each category with the values of all series."""
    for title in root.iter("title"):
        before = draft.length
        put_body(draft, title)
        if draft.length == before:  # it is that of a cell
            draft.put(one_line(title.findtext(".//v")))
    series = list(root.iter("ser"))
    names = [one_line(" ".join(each.text or "" for each in own.findall("tx//v"))) for own in series]
    points = [[_points(own, kinds) for own in series] for kinds in (("cat", "xVal"), ("val", "yVal"))]
    if not series:  # of the kinds that came with Office 2016
        names, points = _newer(root)
    labels: dict[int, str] = {at: text for own in points[0] for at, text in own.items()}
    gap = "\n\n"
    if any(names):
        draft.put(" | ".join(["", *names]) if labels else " | ".join(names), gap)
        gap = "\n"
    for at in sorted({at for own in points[1] for at in own} | set(labels)):
        draft.put(" | ".join([labels.get(at, ""), *(own.get(at, "") for own in points[1])]), gap)
        gap = "\n"


def _newer(root: Element) -> tuple[list[str], list[list[dict[int, str]]]]:
    """The names of the series of a chart of a newer kind (a waterfall, a treemap), and their categories and values."""
    data = list(root.iter("data"))
    called = {
        attribute(own.find("dataId"), "val"): one_line(own.findtext("tx//v"))
        for own in root.iter("series")
        if own.find("dataId") is not None
    }
    points = [
        [
            {
                index: one_line(point.text)
                for level in own.findall(f"{kind}/lvl")[:1]
                for point in level.iter("pt")
                if (index := whole(attribute(point, "idx"), None)) is not None
            }
            for own in data
        ]
        for kind in ("strDim", "numDim")
    ]
    return [called.get(attribute(own, "id"), "") for own in data], points


def _points(series: Element, kinds: tuple[str, str]) -> dict[int, str]:
    """The texts or numbers of a series by their places; of categories of several levels the innermost."""
    found: dict[int, str] = {}
    for kind in kinds:
        for point in series.findall(f"{kind}//pt"):
            index = whole(attribute(point, "idx"), None)
            if index is not None:
                found.setdefault(index, one_line(point.findtext("v")))
    return found
