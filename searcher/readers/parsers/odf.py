"""OpenDocument: texts, sheets and slides; what was deleted or is hidden is left out, notes stand below their words."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.grids import Shown
from searcher.readers.parsers.odf_blocks import Blocks
from searcher.readers.parsers.odf_lists import Numbering
from searcher.readers.parsers.odf_rows import MOST_REPEATED, cells, hidden_columns, rows
from searcher.readers.parsers.odf_styles import Styles, is_shown
from searcher.readers.parsers.zipped import Archive, Element, attribute, tree
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Note

__all__ = ["read_flat_odf", "read_odf"]

MANIFEST = "META-INF/manifest.xml"
FURNITURE = {"page-number", "header", "footer", "date-time"}  # frames that stand on every slide
MARGINS = {"header", "footer"}  # of a text; on first and on left pages they may be others
DECLARED = {
    "title": "title", "creator": "author", "initial-creator": "author", "subject": "description",
    "description": "description", "keyword": "keywords", "language": "language", "creation-date": "date",
    "date": "date",
}  # fmt: skip


def read_odf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The document; Notes for sheets and slides that are hidden, which are left out. UnreadableFile if encrypted."""
    archive = Archive(raw)
    if archive.maybe(MANIFEST).find(".//encryption-data") is not None:
        raise UnreadableFile(raw.source, "it is encrypted; it opens only with a password")
    roots = [archive.xml("content.xml"), archive.maybe("styles.xml")]
    yield from _OpenDocument(raw, roots, archive.maybe("meta.xml"), Pictures(raw, options, archive)).items()


def read_flat_odf(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same where it is one XML text."""
    root = tree(raw.whole(), raw.source)
    yield from _OpenDocument(raw, [root], root, Pictures(raw, options)).items()


class _OpenDocument:
    """One document. roots: of what has its styles; the first has its body. left_out: what is hidden, in words."""

    def __init__(self, raw: Raw, roots: list[Element], meta: Element, pictures: Pictures) -> None:
        self.raw, self.roots, self.meta, self.pictures = raw, roots, meta, pictures
        self.body = roots[0].find("body")
        self.styles = Styles(roots)
        self.draft = Draft(raw.source)
        self.blocks = Blocks(raw, self.draft, self.styles, Numbering(roots), pictures)
        self.left_out: list[str] = []

    def items(self) -> Iterator[Item]:
        """The document, then what is to be told."""
        sheets = slides = 0
        for kind in [] if self.body is None else self.body:
            for element in kind:
                if kind.tag == "spreadsheet" and element.tag == "table":
                    sheets += 1
                    self._sheet(element, attribute(element, "name") or str(sheets))
                elif kind.tag == "presentation" and element.tag == "page":
                    slides += 1
                    self._slide(element, slides)
                else:
                    self.blocks.put(element)
            if kind.tag == "text":
                self.draft.put_margins(self._margins())
        metadata = self._declared()
        title = metadata.pop("title", None)
        document = self.draft.document(title, metadata)
        yield replace(document, title=title) if sheets else document
        yield from self.pictures.notes()
        if self.left_out:
            yield Note(self.raw.source, f"what is hidden is left out: {', '.join(self.left_out)}")

    def _margins(self) -> Iterator[str]:
        """The lines of the heads and feet of all pages."""
        for part in (part for root in self.roots for page in root.iter("master-page") for part in page):
            for paragraph in part.iter("p", "h") if part.tag.partition("-")[0] in MARGINS else ():
                yield self.blocks.text.of(paragraph, [])

    def _declared(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        meta = self.meta.find(".//meta")
        for element in [] if meta is None else meta:
            key, text = DECLARED.get(element.tag), one_line(element.text)
            if key and text:
                found.setdefault(key, text[:10] if key == "date" else text)
        return found

    def _sheet(self, table: Element, name: str) -> None:
        """A line for each row that holds something, and below it what stands in its cells, under the sheet's name."""
        if self.styles.hide(table):
            self.left_out.append(f"sheet {name}")
            return
        self.draft.at(sheet=name, cut=True)
        self.draft.put(name, level=1)
        shown = Shown(hidden_columns(table))
        gap, number = "\n\n", 0  # of the rows so far
        for row, times in rows(table):
            below: list[Element] = []
            found = cells(row, self.blocks.text, below, number + 1)
            number += times
            if not is_shown(row):
                shown.leave_out(found, times)
                continue
            if line := " | ".join(shown.cells(found)):
                for repeated in range(min(times, MOST_REPEATED)):
                    self.draft.at(sheet=name, row=number - times + repeated + 1)
                    self.draft.put(line, gap)
                    gap = "\n"
            for element in below:
                self.draft.at(sheet=name, row=number)
                is_comment = element.tag == "annotation"
                self.blocks.put(element, gap if is_comment else "\n\n")
                gap = "\n" if is_comment else "\n\n"
        self.left_out += shown.told(f"sheet {name}")
        self.draft.at(sheet=name)
        for element in table.findall("shapes"):
            self.blocks.put(element)

    def _slide(self, page: Element, number: int) -> None:
        """The title first, wherever it stands, then the other shapes in their order, and what the speaker notes."""
        if self.styles.hide(page):
            self.left_out.append(f"slide {number}")
            return
        self.draft.at(slide=number, cut=True)
        notes = page.find("notes")
        title = next((frame for frame in page.iter("frame") if attribute(frame, "class") == "title"), None)
        if title is not None:
            lines = (self.blocks.text.of(each, []) for each in title.iter("p", "h"))
            self.draft.put(one_line("\n".join(lines)), level=1)
        for element in page:
            if element is not title and element is not notes and attribute(element, "class") not in FURNITURE:
                self.blocks.put(element)
        if notes is not None:
            self.draft.at(slide=number, notes=True)
            for frame in notes.iter("frame"):
                if attribute(frame, "class") not in FURNITURE:
                    self.blocks.put(frame)
