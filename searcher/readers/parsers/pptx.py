"""PowerPoint: slides in their order with titles, tables, charts and diagrams, and under each what its speaker notes."""

from collections.abc import Iterator

from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.graphics import paragraphs, put_body, put_graphic
from searcher.readers.parsers.omml import spell_formulas
from searcher.readers.parsers.ooxml import commented, declared
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
    shapes = 0
    for number, name in enumerate(names, 1):
        if not archive.has(name):
            raw.note(f"slide {number} is not in the file")
        elif attribute(slide := archive.xml(name), "show") in ("0", "false"):
            hidden.append(number)
        else:
            _read(draft, archive, pictures, name, slide, number)
            shapes += sum(attribute(each, "hidden") in ("1", "true") for each in slide.iter("cNvPr"))
    metadata = declared(archive)
    title = metadata.pop("title", None)
    yield draft.document(None if title == "PowerPoint Presentation" else title, metadata)
    yield from pictures.notes()
    if hidden:
        yield Note(raw.source, f"hidden slides are left out: {', '.join(map(str, hidden))}")
    if shapes:
        yield Note(raw.source, f"what is hidden on slides is left out: {shapes:,} shape{'s' * (shapes > 1)}")


def _slide(element: Element, relations: Relations) -> str:
    """The member that an element refers to by any of its attributes."""
    found = (relations[value] for value in map(str, element.attrib.values()) if value in relations)
    return next((name for kind, name in found if kind == "slide"), "")


def _read(draft: Draft, archive: Archive, pictures: Pictures, name: str, slide: Element, number: int) -> None:
    draft.at(slide=number, cut=True)
    relations = archive.relations(name)
    spell_formulas(slide)
    for shape in _shapes(draft, archive, slide.find("cSld/spTree"), relations):
        for picture in shape.iter("blip"):
            pictures.put(draft, relations.get(attribute(picture, "embed") or "", ("", ""))[1])
    for target in (target for kind, target in relations.values() if kind == "comments" and archive.has(target)):
        for comment in archive.xml(target).iter("cm", "reply"):  # older programs write a text, newer ones paragraphs
            said = comment.findtext("text") or "\n".join(paragraphs(comment.find("txBody")))
            draft.put(commented(said, None))
    for kind, target in relations.values():
        if kind == "notesSlide" and archive.has(target):
            draft.at(slide=number, notes=True)
            for shape in archive.xml(target).iter("sp"):
                if attribute(shape.find("nvSpPr/nvPr/ph"), "type") == "body":
                    put_body(draft, shape.find("txBody"))


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
            title = one_line("\n".join(paragraphs(shape.find("txBody"))))
            draft.put(title, level=1)
        elif kinds[at] not in FURNITURE:
            put_body(draft, shape.find("txBody"))
        yield shape


def _flat(parent: Element) -> Iterator[Element]:
    """Shapes that are shown, those in groups too; of what is there in several ways, the first."""
    for element in [] if parent is None else parent:
        if _is_hidden(element):
            continue
        if element.tag in ("sp", "cxnSp", "graphicFrame", "pic"):
            yield element
        elif element.tag == "grpSp":
            yield from _flat(element)
        elif element.tag == "AlternateContent" and len(element):
            yield from _flat(element[0])


def _is_hidden(shape: Element) -> bool:
    """Whether a shape, or a group, is switched off in the list of what is on the slide."""
    own = shape[0].find("cNvPr") if len(shape) else None
    return own is not None and attribute(own, "hidden") in ("1", "true")


def _frame(draft: Draft, archive: Archive, frame: Element, relations: Relations) -> None:
    """A table, a chart, or a diagram."""
    gap = "\n\n"
    for row in frame.iter("tr"):
        cells = [one_line("\n".join(paragraphs(cell.find("txBody")))) for cell in row.findall("tc")]
        if any(cells):
            draft.put(" | ".join(cells), gap)
            gap = "\n"
    for element in frame.iter("chart", "relIds"):
        put_graphic(draft, archive, {relations[value][1] for value in element.attrib.values() if value in relations})
