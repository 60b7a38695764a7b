"""PowerPoint: slides in their order with titles, tables, charts and diagrams, and under each what its speaker notes."""

from collections.abc import Iterator

from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.ooxml import declared
from searcher.readers.parsers.zipped import Archive, Element, attribute
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Note

__all__ = ["read_pptx"]

TITLES = {"title", "ctrTitle"}
Relations = dict[str, tuple[str, str]]  # what a part refers to by id: the kind and the member
FURNITURE = {"sldNum", "dt", "ftr", "hdr", "sldImg"}  # placeholders that stand on every slide


def read_pptx(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The presentation as one document; a Note for slides that are not shown, which are left out."""
    archive = Archive(raw)
    main = archive.main("ppt/presentation.xml")
    relations = archive.relations(main)
    names = [_slide(each, relations) for each in archive.xml(main).iter("sldId")]
    draft, hidden, pictures = Draft(raw.source), [], Pictures(raw, options, archive)
    for number, name in enumerate(names, 1):
        if not archive.has(name):
            raw.note(f"slide {number} is not in the file")
        elif attribute(slide := archive.xml(name), "show") in ("0", "false"):
            hidden.append(number)
        else:
            _read(draft, archive, pictures, name, slide, number)
    metadata = declared(archive)
    title = metadata.pop("title", None)
    yield draft.document(None if title == "PowerPoint Presentation" else title, metadata)
    yield from pictures.notes()
    if hidden:
        yield Note(raw.source, f"hidden slides are left out: {', '.join(map(str, hidden))}")


def _slide(element: Element, relations: Relations) -> str:
    """The member that an element refers to by any of its attributes."""
    found = (relations[value] for value in map(str, element.attrib.values()) if value in relations)
    return next((name for kind, name in found if kind == "slide"), "")


def _read(draft: Draft, archive: Archive, pictures: Pictures, name: str, slide: Element, number: int) -> None:
    draft.at(slide=number, cut=True)
    relations = archive.relations(name)
    for shape in _shapes(draft, archive, slide.find("cSld/spTree"), relations):
        for picture in shape.iter("blip"):
            pictures.put(draft, relations.get(attribute(picture, "embed") or "", ("", ""))[1])
    for kind, target in relations.values():
        if kind == "notesSlide" and archive.has(target):
            draft.at(slide=number, notes=True)
            for shape in archive.xml(target).iter("sp"):
                if attribute(shape.find("nvSpPr/nvPr/ph"), "type") == "body":
                    _body(draft, shape.find("txBody"))


def _shapes(draft: Draft, archive: Archive, parent: Element, relations: Relations) -> Iterator[Element]:
    """Put the title first, wherever it stands among the shapes, then the others in their order, and give each."""
    shapes = list(_flat(parent))
    kinds = [attribute(shape.find("nvSpPr/nvPr/ph"), "type") for shape in shapes]
    order = sorted(range(len(shapes)), key=lambda at: kinds[at] not in TITLES)
    for at in order:
        shape = shapes[at]
        if shape.tag == "graphicFrame":
            _frame(draft, archive, shape, relations)
        elif kinds[at] in TITLES:
            title = one_line("\n".join(_paragraphs(shape.find("txBody"))))
            draft.put(title, level=1)
        elif kinds[at] not in FURNITURE:
            _body(draft, shape.find("txBody"))
        yield shape


def _flat(parent: Element) -> Iterator[Element]:
    """Shapes, those in groups too; of what is there in several ways, the first."""
    for element in [] if parent is None else parent:
        if element.tag in ("sp", "cxnSp", "graphicFrame", "pic"):
            yield element
        elif element.tag == "grpSp":
            yield from _flat(element)
        elif element.tag == "AlternateContent" and len(element):
            yield from _flat(element[0])


def _body(draft: Draft, body: Element) -> None:
    for number, paragraph in enumerate(_paragraphs(body)):
        draft.put(paragraph, "\n" if number else "\n\n")


def _paragraphs(body: Element) -> Iterator[str]:
    for paragraph in [] if body is None else body.iter("p"):
        pieces = []
        for element in paragraph.iter("t", "br", "tab"):
            pieces.append({"br": "\n", "tab": "\t"}.get(element.tag, element.text or ""))
        if text := "".join(pieces).strip().replace("\v", "\n"):
            yield text


def _frame(draft: Draft, archive: Archive, frame: Element, relations: Relations) -> None:
    """A table, a chart, or a diagram."""
    gap = "\n\n"
    for row in frame.iter("tr"):
        cells = [one_line("\n".join(_paragraphs(cell.find("txBody")))) for cell in row.findall("tc")]
        if any(cells):
            draft.put(" | ".join(cells), gap)
            gap = "\n"
    for element in frame.iter("chart", "relIds"):
        for name in {relations[value][1] for value in map(str, element.attrib.values()) if value in relations}:
            if not archive.has(name):
                continue
            root = archive.xml(name)
            if root.tag == "chartSpace":
                _chart(draft, root)
            elif root.tag == "dataModel":
                for point in root.iter("pt"):
                    _body(draft, point.find("t"))


def _chart(draft: Draft, root: Element) -> None:
    """Its titles, and a row for each category with the values of all series."""
    for title in root.iter("title"):
        _body(draft, title)
    series = list(root.iter("ser"))
    names = [one_line(" ".join(each.findtext("v") or "" for each in own.findall("tx//pt"))) for own in series]
    points = [[_points(own, kinds) for own in series] for kinds in (("cat", "xVal"), ("val", "yVal"))]
    labels: dict[int, str] = {at: text for own in points[0] for at, text in own.items()}
    gap = "\n\n"
    if any(names):
        draft.put(" | ".join(["", *names]) if labels else " | ".join(names), gap)
        gap = "\n"
    for at in sorted({at for own in points[1] for at in own} | set(labels)):
        draft.put(" | ".join([labels.get(at, ""), *(own.get(at, "") for own in points[1])]), gap)
        gap = "\n"


def _points(series: Element, kinds: tuple[str, str]) -> dict[int, str]:
    """The texts or numbers of a series by their places; of categories of several levels the innermost."""
    found: dict[int, str] = {}
    for kind in kinds:
        for point in series.findall(f"{kind}//pt"):
            index = attribute(point, "idx") or ""
            if index.isdecimal():
                found.setdefault(int(index), one_line(point.findtext("v")))
    return found
