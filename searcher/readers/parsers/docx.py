"""Word: paragraphs, tables, lists with their numbers, footnotes, text boxes; what was deleted or hidden is left out."""

import io
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple

from searcher.errors import UnreadableFile
from searcher.readers.parsers.docx_chunks import chunk_items
from searcher.readers.parsers.docx_settled import settle
from searcher.readers.parsers.docx_styles import Number, Numbering, Styles
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.graphics import put_graphic
from searcher.readers.parsers.omml import spell_formulas
from searcher.readers.parsers.ooxml import commented, declared
from searcher.readers.parsers.zipped import Archive, Element, attribute, is_on
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.readers.symbols import symbol
from searcher.records import Document

__all__ = ["read_docx"]

GONE = {"del", "moveFrom", "instrText", "delText", "rPr", "pPr", "rt", "fldChar", "annotationRef"}
SIGNS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
NOTES = {"footnoteReference": "footnote", "endnoteReference": "endnote", "commentReference": "comment"}
HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{1,6}")
PICTURES = {"blip": "embed", "imagedata": "id"}  # and the attribute that refers to each
GRAPHICS = {"chart", "relIds"}
BELOW = {"txbxContent", "textpath", *PICTURES, *GRAPHICS}  # what stands in a paragraph and is set below it
WRAPPERS = {"sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "body"}


class Written(NamedTuple):
    """A paragraph: its text, and what is set below it: notes, and paragraphs of text boxes."""

    text: str
    below: list[Element]


def read_docx(raw: Raw, options: ReadOptions, within: bool = False) -> Iterator[Item]:
    """The document in the order in which it is read; what heads and feet say once, at its end.

    within: it is part of another document of Word.
    """
    archive = Archive(raw)
    main = archive.main("word/document.xml")
    word = _Word(raw, options, archive, main, within)
    yield word.document()
    yield from word.pictures.notes()


class _Word:
    """One document."""

    def __init__(self, raw: Raw, options: ReadOptions, archive: Archive, main: str, within: bool) -> None:
        self.raw, self.options, self.archive, self.main, self.within = raw, options, archive, main, within
        self.pictures = Pictures(raw, options, archive)
        self.draft = Draft(archive.source)
        self.styles = Styles(archive.maybe(next(archive.related(main, "styles"), None)))
        self.numbering = Numbering(archive.maybe(next(archive.related(main, "numbering"), None)), self.styles)
        self.notes = {kind: self._notes(kind) for kind in NOTES.values()}
        self.title: str | None = None
        self.group: object = None  # the item of a list that the last paragraph was, or the table that it was in
        self.open: set[tuple[str, int]] = set()  # that list and those around it, each with the level that is used

    def document(self) -> Item:
        """All of it."""
        root = self._part(self.main)
        body = root.find("body")
        self._blocks(root if body is None else body)
        margins = (self._part(name) for kind in ("header", "footer") for name in self.archive.related(self.main, kind))
        self.draft.put_margins(chain.from_iterable(map(self._margin, margins)))
        metadata = declared(self.archive)
        title = metadata.pop("title", None) or self.title
        return self.draft.document(title, metadata)

    def _notes(self, kind: str) -> dict[str, Element]:
        name = next(self.archive.related(self.main, f"{kind}s"), None)
        notes = self._part(name).findall(kind) if name else []
        return {attribute(note, "id") or "": note for note in notes if attribute(note, "type") in (None, "normal")}

    def _part(self, name: str) -> Element:
        """The tree of a part: its pictures and graphics say the members that they are, its formulas are lines."""
        root, relations = self.archive.xml(name), self.archive.relations(name)
        settle(root)
        spell_formulas(root)
        for picture in root.iter(*PICTURES):
            target = attribute(picture, PICTURES[picture.tag])
            picture.set("member", relations.get(target or "", ("", ""))[1])
        for graphic in root.iter(*GRAPHICS):
            members = [relations[value][1] for value in graphic.attrib.values() if value in relations]
            graphic.set("members", "\n".join(members))
        return root

    def _margin(self, root: Element) -> Iterator[str]:
        """The lines of a head or foot; its pictures are put on the way."""
        for paragraph in root.iter("p"):
            written = self._written(paragraph)
            self._below(Written("", [element for element in written.below if element.tag in PICTURES]))
            yield written.text
            yield from (attribute(each, "string") or "" for each in written.below if each.tag == "textpath")

    # -- blocks

    def _blocks(self, parent: Element) -> None:
        for element in parent:
            tag = element.tag
            if tag == "p":
                self._paragraph(element)
            elif tag == "tbl":
                self._table(element)
            elif tag in WRAPPERS:
                self._blocks(element)
            elif tag == "altChunk":
                self._chunk(element)
            elif tag == "subDoc":
                self.raw.note("a document to which it refers is left out: it is a file of its own")
            elif tag == "AlternateContent":
                self._blocks(element[0] if len(element) else element)

    def _chunk(self, element: Element) -> None:
        """A document of another kind, which is shown as part of this one."""
        self.group = None
        name = self.archive.relations(self.main).get(attribute(element, "id") or "", ("", ""))[1]
        try:
            if self.within:
                raise UnreadableFile(self.raw.source, "it is in a document within this one")  # and may be that itself
            data = self.archive.read(name)
            raw = Raw(self.raw.source, io.BytesIO(data), len(data), notes=self.raw.notes)
            for item in chunk_items(raw, self.options, partial(read_docx, within=True)):
                if isinstance(item, Document):
                    self.draft.put_document(item)
                else:
                    raw.note(item.reason)
        except UnreadableFile as fault:
            self.raw.note(f"a document within it is left out: {fault.reason}")

    def _paragraph(self, element: Element) -> None:
        style = self.styles.of(element)
        written = self._written(element)
        text = written.text.strip("\n")
        if element.getparent().tag in NOTES.values():
            text = text.lstrip()  # what parts it from its number
        if text.strip():
            number = self.numbering.next(element)
            item = number if number and not style.level else None
            mark = number.mark if number else ""
            gap = "\n" if item and self._goes_on(item) else "\n\n"
            if style.is_title and self.title is None:
                self.title = one_line(text)
            self.draft.put(f"{mark} {text.strip()}".strip() if mark else text, gap, style.level)
            self.group = item
        self._below(written)

    def _goes_on(self, item: Number) -> bool:
        """Whether an item stands close to the one before, which is of the same list or of one around it."""
        before, own = self.group, (item.group, item.depth)
        goes_on = isinstance(before, Number) and (
            item.group == before.group or item.depth > before.depth or own in self.open
        )
        self.open = {*self.open, own} if goes_on else {own}
        return goes_on

    def _below(self, written: Written) -> None:
        for element in written.below:
            before = self.draft.length
            if element.tag in PICTURES:
                self.pictures.put(self.draft, element.get("member"))
            elif element.tag in GRAPHICS:
                put_graphic(self.draft, self.archive, element.get("members", "").split("\n"))
            elif element.tag == "textpath":  # letters that are drawn
                self.draft.put(one_line(attribute(element, "string")))
            elif element.tag == "comment":
                self.draft.put(commented(self._written(element).text, attribute(element, "author")))
            else:
                self._blocks(element)
            if element.tag not in PICTURES or self.draft.length > before:
                self.group = None

    def _table(self, table: Element) -> None:
        self.group = table
        gap, below = "\n\n", []
        for row in _within(table, "tr"):
            properties = row.find("trPr")
            if properties is not None and properties.find("del") is not None:
                continue
            cells = []
            for cell in _within(row, "tc"):
                merged = cell.find("tcPr/vMerge")
                written = self._written(cell)
                below += written.below
                cells.append(
                    "" if merged is not None and attribute(merged, "val") != "restart" else one_line(written.text)
                )
            if any(cells):
                self.draft.put(" | ".join(cells), gap)
                gap = "\n"
        self._below(Written("", below))

    # -- running text

    def _written(self, element: Element) -> Written:
        pieces: list[str] = []
        below: list[Element] = []
        self._walk(element, pieces, below)
        return Written("".join(pieces), below)

    def _walk(self, parent: Element, pieces: list[str], below: list[Element]) -> None:
        for element in parent:
            tag = element.tag
            if tag in GONE or (tag == "r" and self._is_hidden(element)):
                continue
            if tag == "t":
                pieces.append(element.text or "")
            elif tag in SIGNS:
                pieces.append(SIGNS[tag])
            elif tag == "sym":
                pieces.append(_sign(element))
            elif tag in NOTES:
                note = self.notes[NOTES[tag]].pop(attribute(element, "id") or "", None)
                below.extend([] if note is None else [note])
            elif tag in BELOW:
                below.append(element)
            elif tag == "AlternateContent":
                self._first_that_says(element, pieces, below)
            else:
                if tag in ("p", "tr") and pieces:
                    pieces.append("\n")
                self._walk(element, pieces, below)

    def _first_that_says(self, element: Element, pieces: list[str], below: list[Element]) -> None:
        """The same is there in several ways, for newer and older programs."""
        before = len(pieces), len(below)
        for choice in element:
            self._walk(choice, pieces, below)
            if (len(pieces), len(below)) != before:
                return

    def _is_hidden(self, run: Element) -> bool:
        """As it says itself, else its style, else that of its paragraph."""
        own = run.find("rPr/vanish")
        if own is not None or not self.styles.hides:
            return is_on(own)
        paragraph = next(run.iterancestors("p"), None)
        styles = run.find("rPr/rStyle"), None if paragraph is None else paragraph.find("pPr/pStyle")
        said = (self.styles.hides.get(attribute(style, "val") or "") for style in styles)
        return next((hides for hides in said if hides is not None), False)


def _sign(element: Element) -> str:
    """What a sign shows that is given by its number in a font."""
    code = attribute(element, "char") or ""
    return symbol(int(code, 16), attribute(element, "font")) if HEXADECIMAL.fullmatch(code) else ""


def _within(parent: Element, tag: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, those in content controls and insertions too, not those of tables within."""
    for element in parent:
        if element.tag == tag:
            yield element
        elif element.tag in WRAPPERS:
            yield from _within(element, tag)
