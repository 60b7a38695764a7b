"""OpenDocument: texts, sheets and slides; what was deleted or is hidden is left out, notes stand below their words."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.ooxml import commented
from searcher.readers.parsers.zipped import Archive, Element, attribute, tree
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Note

__all__ = ["read_flat_odf", "read_odf"]

GONE = {
    "tracked-changes",
    "annotation-end",
    "forms",
    "sequence-decls",
    "note-citation",
    "ruby-text",
    "desc",
}
SPACES_MOST, REPEATED_MOST = 100, 1000
DECLARED = {
    "title": "title", "creator": "author", "initial-creator": "author", "subject": "description",
    "description": "description", "keyword": "keywords", "language": "language", "creation-date": "date",
    "date": "date",
}  # fmt: skip


def read_odf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The document; Notes for sheets and slides that are hidden, which are left out."""
    archive = Archive(raw)
    if (
        archive.has("META-INF/manifest.xml")
        and archive.xml("META-INF/manifest.xml").find(".//encryption-data") is not None
    ):
        raise UnreadableFile(raw.source, "it is encrypted; it opens only with a password")
    styles = [archive.maybe("styles.xml")]
    pictures = Pictures(raw, options, archive)
    yield from _OpenDocument(raw, archive.xml("content.xml"), styles, archive.maybe("meta.xml"), pictures).items()


def read_flat_odf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same where it is one XML text."""
    root = tree(raw.whole(), raw.source)
    yield from _OpenDocument(raw, root, [], root, Pictures(raw, options)).items()


class _OpenDocument:
    """One document. numbered: names of list styles that count. hidden: names of styles that are not shown."""

    def __init__(self, raw: Raw, root: Element, styles: list[Element], meta: Element, pictures: Pictures) -> None:
        self.raw, self.meta, self.pictures, self.archive = raw, meta, pictures, pictures.archive
        self.objects: set[str] = set()  # that were read
        self.draft = Draft(raw.source)
        self.body = root.find("body")
        self.numbered: set[str] = set()
        self.hidden: set[str] = set()
        for sheet in [root, *styles]:
            for style in sheet.iter("list-style"):
                if len(style) and style[0].tag == "list-level-style-number" and attribute(style[0], "num-format"):
                    self.numbered.add(attribute(style, "name") or "")
            for style in sheet.iter("style"):
                text, table = style.find("text-properties"), style.find("table-properties")
                drawn = style.find("drawing-page-properties")
                off = attribute(text, "display") == "none" or attribute(table, "display") == "false"
                if off or attribute(drawn, "visibility") == "hidden":
                    self.hidden.add(attribute(style, "name") or "")

    def items(self) -> Iterator[Item]:
        """The document, then what is to be told."""
        left_out: list[str] = []
        sheets = slides = 0
        for kind in [] if self.body is None else self.body:
            for element in kind:
                if kind.tag == "spreadsheet" and element.tag == "table":
                    sheets += 1
                    name = attribute(element, "name") or str(sheets)
                    self._sheet(element, name) if not self._is_hidden(element) else left_out.append(f"sheet {name}")
                elif kind.tag == "presentation" and element.tag == "page":
                    slides += 1
                    self._slide(element, slides) if not self._is_hidden(element) else left_out.append(f"slide {slides}")
                else:
                    self._block(element)
        metadata = self._declared()
        title, is_sheets = metadata.pop("title", None), sheets > 0
        document = self.draft.document(title, metadata)
        yield replace(document, title=title) if is_sheets else document
        yield from self.pictures.notes()
        if left_out:
            yield Note(self.raw.source, f"what is hidden is left out: {', '.join(left_out)}")

    def _declared(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        meta = self.meta.find(".//meta")
        for element in [] if meta is None else meta:
            key, text = DECLARED.get(element.tag), one_line(element.text)
            if key and text:
                found.setdefault(key, text[:10] if key == "date" else text)
        return found

    def _is_hidden(self, element: Element) -> bool:
        return attribute(element, "style-name") in self.hidden or attribute(element, "display") == "none"

    # -- blocks

    def _block(self, element: Element, gap: str = "\n\n", mark: str = "") -> None:
        tag = element.tag
        if tag in GONE or (tag in ("section", "p", "h") and self._is_hidden(element)):
            return
        if tag in ("p", "h"):
            below: list[Element] = []
            text = self._written(element, below).strip("\n")
            level = attribute(element, "outline-level") if tag == "h" else None
            if text.strip():
                self.draft.put(
                    f"{mark}{text.strip()}" if mark else text,
                    gap,
                    int(level) if level and level.isdecimal() else tag == "h",
                )
            for other in below:
                self._block(other)
        elif tag == "list":
            self._list(element, gap)
        elif tag == "table":
            self._table(element)
        elif tag == "annotation":
            said = "\n".join(self._written(part, []) for part in element.iter("p"))
            self.draft.put(commented(said, element.findtext("creator")))
        elif tag == "image":
            self._picture(element)
        elif tag == "object":
            self._block(self._object(element), gap)
        else:
            for child in element:
                self._block(child, gap)

    def _object(self, element: Element) -> Element:
        """The body of a document within this one, such as a chart; a formula is a paragraph. Nothing a second time."""
        name = (attribute(element, "href") or "").removeprefix("./")
        if self.archive and name:
            try:
                element = self.archive.maybe(None if name in self.objects else f"{name}/content.xml")
            except UnreadableFile as fault:
                self.raw.note(f"{name} is left out: {fault.reason}")
                return etree.Element("none")
            self.objects.add(name)
        formula = next(element.iter("math"), None)
        if formula is None:
            return next(element.iter("body"), etree.Element("none"))
        line = etree.Element("p")
        line.text = one_line(formula.findtext(".//annotation") or "".join(formula.itertext()))
        return line

    def _picture(self, image: Element) -> None:
        """The first image of a frame, with the others, which are the same in other kinds."""
        others = list(image.itersiblings("image"))
        if any(each.tag in ("image", "object") for each in image.itersiblings(preceding=True)):
            return  # of an object it is what that looks like
        if data := image.findtext("binary-data"):
            self.pictures.put_data(self.draft, data)
        names = (attribute(each, "href") or "" for each in (image, *others))
        self.pictures.put(self.draft, *(name.removeprefix("./") for name in names))

    def _list(self, element: Element, gap: str, style: str = "") -> None:
        style = attribute(element, "style-name") or style
        number = 0
        for item in element.iterchildren("list-item", "list-header"):
            number += item.tag == "list-item"
            mark = f"{number}. " if style in self.numbered else "- "
            for child in item:
                if child.tag == "list":
                    self._list(child, "\n", style)
                else:
                    self._block(child, gap, mark if item.tag == "list-item" else "")
                gap, mark = "\n", ""

    def _rows(self, table: Element) -> Iterator[tuple[Element, int]]:
        """Rows, those in groups too, and how often each is repeated."""
        for element in table:
            if element.tag == "table-row":
                if attribute(element, "visibility") in (None, "visible"):
                    yield element, _times(element, "number-rows-repeated")
                else:
                    yield None, _times(element, "number-rows-repeated")
            elif element.tag in ("table-header-rows", "table-row-group", "table-rows"):
                yield from self._rows(element)

    def _cells(self, row: Element, below: list[Element]) -> list[str]:
        cells: list[str] = []
        for cell in row.iterchildren("table-cell", "covered-table-cell"):
            below += cell.findall("annotation")
            parts = (part for part in cell if part.tag not in GONE and part.tag != "annotation")
            text = one_line("\n".join(self._written(part, below) for part in parts))
            cells += [text] * (min(_times(cell, "number-columns-repeated"), REPEATED_MOST) if text else 1)
            if not text:
                cells += [""] * (min(_times(cell, "number-columns-repeated"), REPEATED_MOST) - 1)
        while cells and not cells[-1]:
            cells.pop()
        return cells

    def _table(self, table: Element) -> None:
        gap: str = "\n\n"
        below: list[Element] = []
        for row, _ in self._rows(table):
            if row is not None and (cells := self._cells(row, below)):
                self.draft.put(" | ".join(cells), gap)
                gap = "\n"
        for element in below:
            self._block(element)

    def _sheet(self, table: Element, name: str) -> None:
        self.draft.at(sheet=name, cut=True)
        self.draft.put(name, level=1)
        gap, number = "\n\n", 0
        below: list[Element] = table.findall("shapes")
        for row, times in self._rows(table):
            cells = [] if row is None else self._cells(row, below)
            for _ in range(min(times, REPEATED_MOST) if cells else 0):
                number += 1
                self.draft.at(sheet=name, row=number)
                self.draft.put(" | ".join(cells), gap)
                gap = "\n"
            number += times - min(times, REPEATED_MOST) if cells else times
        self.draft.at(sheet=name)
        for element in below:
            self._block(element)

    def _slide(self, page: Element, number: int) -> None:
        self.draft.at(slide=number, cut=True)
        notes = page.find("notes")
        title = next((frame for frame in page.iter("frame") if attribute(frame, "class") == "title"), None)
        if title is not None:
            self.draft.put(one_line(self._written(title, [])), level=1)
        for element in page:
            if element is not title and element is not notes:
                self._block(element)
        if notes is not None:
            self.draft.at(slide=number, notes=True)
            for frame in notes.iter("frame"):
                self._block(frame)

    # -- running text

    def _written(self, element: Element, below: list[Element]) -> str:
        pieces = [element.text or ""]
        for child in element:
            tag = child.tag
            if tag == "s":
                count = attribute(child, "c") or "1"
                pieces.append(" " * min(int(count) if count.isdecimal() else 1, SPACES_MOST))
            elif tag in ("tab", "line-break"):
                pieces.append("\t" if tag == "tab" else "\n")
            elif tag == "note":
                below += child.findall("note-body")
            elif tag == "object":
                inner = self._object(child)
                if inner.tag == "p":  # a formula, which stands in its line
                    pieces.append(inner.text)
                else:
                    below.append(inner)
            elif tag in ("text-box", "table", "image", "annotation"):
                below.append(child)
            elif tag not in GONE and not self._is_hidden(child) and attribute(child, "is-hidden") != "true":
                if tag in ("p", "h", "list-item", "table-row") and "".join(pieces).strip():
                    pieces.append("\n")
                pieces.append(self._written(child, below))
            pieces.append(child.tail or "")
        return "".join(pieces)


def _times(element: Element, name: str) -> int:
    value = attribute(element, name) or "1"
    return max(1, int(value)) if value.isdecimal() and len(value) < 9 else 1
