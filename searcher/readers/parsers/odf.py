"""OpenDocument: texts, sheets and slides; what was deleted or is hidden is left out, notes stand below their words."""

from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lxml import etree

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.grids import Shown, column_name, trimmed
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
FURNITURE = {"page-number", "header", "footer", "date-time"}  # frames that stand on every slide
SPACES_MOST, REPEATED_MOST, COLUMNS_MOST = 100, 1000, 2**14
SHAPES = {
    "custom-shape", "rect", "square", "circle", "ellipse", "line", "polyline", "polygon", "regular-polygon", "path",
    "connector", "caption", "measure",
}  # fmt: skip
BELOW = {"text-box", "table", "image", "annotation", "g", *SHAPES}  # what stands in a paragraph and is set below it
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
        self.left_out: list[str] = []  # what is hidden
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
        left_out = self.left_out
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
        if any(attribute(each, "is-hidden") == "true" for each in element.iterchildren("hidden-paragraph")):
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
            by = ", ".join(filter(None, (element.get("cell"), one_line(element.findtext("creator")))))
            self.draft.put(commented(said, by), gap)
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
            self.pictures.put_data(self.draft, _bytes(data))
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

    def _rows(self, table: Element, kind: str = "row") -> Iterator[tuple[Element, int]]:
        """Rows or columns, those in groups too, and how often each is repeated."""
        for element in table:
            if element.tag == f"table-{kind}":
                yield element, _times(element, f"number-{kind}s-repeated")
            elif element.tag in (f"table-header-{kind}s", f"table-{kind}-group", f"table-{kind}s"):
                yield from self._rows(element, kind)

    def _cells(self, row: Element, below: list[Element], number: int = 0) -> list[str]:
        """The texts of a row; below: what stands in them goes here. number: the row's, if comments name their cells."""
        cells: list[str] = []
        for cell in row.iterchildren("table-cell", "covered-table-cell"):
            for comment in cell.findall("annotation"):
                comment.set("cell", f"{column_name(len(cells) + 1)}{number}" if number else "")
                below.append(comment)
            parts = (part for part in cell if part.tag not in GONE and part.tag != "annotation")
            text = one_line("\n".join(self._written(part, below) for part in parts))
            cells += [text] * (min(_times(cell, "number-columns-repeated"), REPEATED_MOST) if text else 1)
            if not text:
                cells += [""] * (min(_times(cell, "number-columns-repeated"), REPEATED_MOST) - 1)
        return trimmed(cells)

    def _table(self, table: Element) -> None:
        gap: str = "\n\n"
        below: list[Element] = []
        for row, _ in self._rows(table):
            if _is_shown(row) and (cells := self._cells(row, below)):
                self.draft.put(" | ".join(cells), gap)
                gap = "\n"
        for element in below:
            self._block(element)

    def _hidden_columns(self, table: Element) -> Iterator[int]:
        """Those of a sheet, from 1."""
        count = 0
        for column, times in self._rows(table, "column"):
            yield from () if _is_shown(column) else range(count + 1, min(count + times, COLUMNS_MOST) + 1)
            count += times

    def _sheet(self, table: Element, name: str) -> None:
        """A line for each row that holds something, and below it what stands in its cells, under the sheet's name."""
        self.draft.at(sheet=name, cut=True)
        self.draft.put(name, level=1)
        shown = Shown(self._hidden_columns(table))
        gap, number = "\n\n", 0
        for row, times in self._rows(table):
            below: list[Element] = []
            cells = self._cells(row, below, number + 1)
            if not _is_shown(row):
                shown.leave_out(cells, times)
                number += times
                continue
            cells = shown.cells(cells)
            for repeated in range(1, min(times, REPEATED_MOST) + 1 if cells else 1):
                self.draft.at(sheet=name, row=number + repeated)
                self.draft.put(" | ".join(cells), gap)
                gap = "\n"
            number += times
            for element in below:
                self.draft.at(sheet=name, row=number)
                self._block(element, gap if element.tag == "annotation" else "\n\n")
                gap = "\n" if element.tag == "annotation" else "\n\n"
        self.left_out += shown.told(f"sheet {name}")
        self.draft.at(sheet=name)
        for element in table.findall("shapes"):
            self._block(element)

    def _slide(self, page: Element, number: int) -> None:
        """The title first, wherever it stands, then the other shapes in their order, and what the speaker notes."""
        self.draft.at(slide=number, cut=True)
        notes = page.find("notes")
        title = next((frame for frame in page.iter("frame") if attribute(frame, "class") == "title"), None)
        if title is not None:
            self.draft.put(one_line("\n".join(self._written(each, []) for each in title.iter("p", "h"))), level=1)
        for element in page:
            if element is not title and element is not notes and attribute(element, "class") not in FURNITURE:
                self._block(element)
        if notes is not None:
            self.draft.at(slide=number, notes=True)
            for frame in notes.iter("frame"):
                if attribute(frame, "class") not in FURNITURE:
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
            elif tag in BELOW:
                below.append(child)
            elif tag not in GONE and not self._is_hidden(child) and attribute(child, "is-hidden") != "true":
                if tag in ("p", "h", "list-item", "table-row") and "".join(pieces).strip():
                    pieces.append("\n")
                pieces.append(self._written(child, below))
            pieces.append(child.tail or "")
        return "".join(pieces)


def _bytes(base64: str) -> bytes:
    """What that stands for, nothing if it stands for nothing."""
    try:
        return a2b_base64(base64)
    except ValueError:
        return b""


def _is_shown(row: Element) -> bool:
    return attribute(row, "visibility") in (None, "visible")


def _times(element: Element, name: str) -> int:
    value = attribute(element, name) or "1"
    return max(1, int(value)) if value.isdecimal() and len(value) < 9 else 1
