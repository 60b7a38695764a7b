"""EPUB: the chapters of a book in the order in which they are read, each with its title in the table of contents."""

import io
import posixpath
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import unquote

from lxml import etree

from searcher.errors import UnreadableFile
from searcher.readers.blocks import HEADINGS, Block, blocks, laid_out
from searcher.readers.decoding import decoded
from searcher.readers.headings import Heading
from searcher.readers.htmltree import drop_hidden, flatten_cells, gather_readings, parsed, spell_formulas, unwrapped
from searcher.readers.marks import drop_marks
from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.zipped import DAMAGED, Archive, Element, attribute
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Note

__all__ = ["read_epub"]

CONTAINER = "META-INF/container.xml"
FONT_KEYS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # which hide fonts, not texts
# To HTML an element that is empty in XML is open: a title would be all of the page.
VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
EMPTY = re.compile(rf"<((?!(?:{VOID})\b)[a-zA-Z][\w:-]*)(\s[^<>]*)?/>")
WHOLE = ("table", "ul", "ol", "dl", "a", *HEADINGS)  # below which stands what is written in a picture in them
INVISIBLE = ("head", "script", "style", "template", "noscript", "svg")
DECLARED = {
    "title": "title", "creator": "author", "description": "description", "subject": "keywords", "language": "language",
    "date": "date", "publisher": "publisher",
}  # fmt: skip


def read_epub(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The book as one document; a chapter is a place. A Note for chapters that are not in the file or unreadable."""
    archive = Archive(raw)
    package = _package(archive)
    root, folder = archive.xml(package), posixpath.dirname(package)
    locked = _locked(archive)
    items = {each.get("id"): each for each in root.findall("manifest/item")}
    names = {key: _joined(folder, item.get("href")) for key, item in items.items()}
    titles = _titles(archive, root, folder, names)
    draft, missing, pictures = Draft(raw.source), [], Pictures(raw, options, archive)
    for reference in root.findall("spine/itemref"):
        item, name = items.get(reference.get("idref")), names.get(reference.get("idref"), "")
        if item is not None and "nav" in (item.get("properties") or "").split():
            continue
        if name in locked:
            raise UnreadableFile(raw.source, "it is protected against copying (DRM)")
        if not archive.has(name):
            missing.append(name or str(reference.get("idref")))
        elif (page := _page(archive, name)) is not None:
            _chapters(draft, page, titles.get(name, {}), _written_in(pictures, page, posixpath.dirname(name)))
    metadata = _declared(root)
    yield draft.document(metadata.pop("title", None), metadata)
    yield from pictures.notes()
    if missing:
        yield Note(raw.source, f"chapters that are not in the file: {', '.join(missing)}")


def _package(archive: Archive) -> str:
    """The member that says what the book is made of."""
    for file in archive.maybe(CONTAINER).iter("rootfile"):
        if archive.has(name := unquote(file.get("full-path") or "")):
            return name
    for name in archive.names:
        if name.endswith(".opf"):
            return name
    raise UnreadableFile(archive.source, f"{DAMAGED}: it does not say what the book is made of")


def _locked(archive: Archive) -> set[str]:
    found: set[str] = set()
    for data in archive.maybe("META-INF/encryption.xml").iter("EncryptedData"):
        if attribute(data.find("EncryptionMethod"), "Algorithm") not in FONT_KEYS:
            found.update(unquote(each.get("URI") or "") for each in data.iter("CipherReference"))
    return found


def _joined(folder: str, reference: str | None) -> str:
    """The member that a reference from a folder leads to."""
    path = unquote((reference or "").partition("#")[0])
    return posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


class Entry(NamedTuple):
    """An entry of the table of contents: the member that it leads to, the element in it, and what it is called."""

    name: str
    fragment: str
    title: str


def _titles(archive: Archive, root: Element, folder: str, names: dict[Any, str]) -> dict[str, dict[str, str]]:
    """What the table of contents calls each chapter, of EPUB 3, else of EPUB 2: by the member that it is in, and by the
    element at which it begins, "" for the top. What an entry of the same member holds is no chapter of its own.
    """
    new: list[Entry] = []
    old: list[Entry] = []
    for item in root.findall("manifest/item"):
        name = names[item.get("id")]
        if not archive.has(name):
            continue
        if "nav" in (item.get("properties") or "").split() and (page := _page(archive, name)) is not None:
            new += _of_nav(page, posixpath.dirname(name))
        elif item.get("media-type") == "application/x-dtbncx+xml":
            with suppress(UnreadableFile):
                old += _of_ncx(archive.xml(name), posixpath.dirname(name))
    found: dict[str, dict[str, str]] = {}
    for name, fragment, title in new or old:
        if title:
            found.setdefault(name, {}).setdefault(fragment, title)
    return found


def _of_nav(page: Element, folder: str) -> Iterator[Entry]:
    for nav in page.iter("nav"):
        if "toc" not in (nav.get("epub:type") or nav.get("type") or "toc"):
            continue
        for link in nav.iter("a"):
            entry = _entry(folder, link.get("href"), link.text_content())
            above = next(link.iterancestors("ol"), None)
            outer = above.getparent() if above is not None else None
            around = outer.find("a") if outer is not None and outer.tag == "li" else None
            if around is None or _joined(folder, around.get("href")) != entry.name:
                yield entry


def _of_ncx(tree: Element, folder: str) -> Iterator[Entry]:
    for point in tree.iter("navPoint"):
        entry = _entry(folder, attribute(point.find("content"), "src"), point.findtext("navLabel/text"))
        around = point.getparent()
        if (
            around is None
            or around.tag != "navPoint"
            or _joined(folder, attribute(around.find("content"), "src")) != entry.name
        ):
            yield entry


def _entry(folder: str, reference: str | None, title: str | None) -> Entry:
    return Entry(_joined(folder, reference), unquote((reference or "").partition("#")[2]), one_line(title))


def _page(archive: Archive, name: str) -> Element | None:
    """The tree of a page; XHTML is read as HTML, which forgives everything. None for one without anything."""
    data = archive.read(name)
    text = decoded(Raw(archive.source, io.BytesIO(data), len(data)), markup=True)
    root = parsed(EMPTY.sub(r"<\1\2></\1>", unwrapped(text)), archive.source)
    if root is None:
        return None
    for drawing in list(root.iter("svg")):
        for image in drawing.iter("image"):  # a cover, mostly
            drawing.addnext(etree.Element("img", src=image.get("xlink:href") or image.get("href") or ""))
    etree.strip_elements(root, *INVISIBLE, with_tail=False)
    drop_hidden(root)
    gather_readings(root)
    drop_marks(root, is_book=True)
    spell_formulas(root)
    return root


def _written_in(pictures: Pictures, page: Element, folder: str) -> dict[Element, int]:
    """Set below each picture what stands written in it; the elements that say so, with the number of the picture."""
    found = {}
    for image in list(page.iter("img")):
        if text := pictures.read(_joined(folder, image.get("src"))):
            element = etree.Element("pre")
            element.text = text
            outermost = [image, *image.iterancestors(*WHOLE)][-1]
            outermost.addnext(element)
            found[element] = pictures.number
    return found


def _chapters(draft: Draft, page: Element, titles: Mapping[str, str], pictures: Mapping[Element, int]) -> None:
    """A page under what there is: a chapter, or several that begin at elements of it."""
    flatten_cells(page)
    laid = blocks(page)
    order = {element: number for number, element in enumerate(page.iter())} if len(titles) > 1 else {}
    owners = {block.owner for block in laid if block.owner.tag != "body"}
    begins = []  # where the chapters after the first do, in the order of the page
    for element in order:
        anchor = element.get("id") or element.get("name")
        if anchor and (name := titles.get(anchor)):
            whole = next((each for each in (element, *element.iterancestors()) if each in owners), element)
            begins.append((order[whole], name))
    begins.sort(key=lambda begin: begin[0])
    title, own = titles.get("") or next(iter(titles.values()), ""), []
    for block in laid:
        while begins and begins[0][0] <= order.get(block.owner, 0):
            title = begins.pop(0)[1]
        own.append(title)
    for title, run in groupby(zip(laid, own, strict=True), lambda each: each[1]):
        _chapter(draft, [block for block, _ in run], title, pictures)


def _chapter(draft: Draft, laid: list[Block], title: str, pictures: Mapping[Element, int]) -> None:
    """A chapter under what there is; its title as a heading where it has none of its own."""
    first = next((block.text for block in laid if block.level), None)
    draft.at(chapter=title or first, cut=True)
    if title and not first:
        draft.headings.append(Heading(draft.length + (2 if draft.length else 0), 1, title))
    for number, run in groupby(laid, lambda block: pictures.get(block.owner)):
        text, headings, _ = laid_out(run)
        start = draft.length + (2 if draft.length else 0)
        draft.aside(text, picture=number) if number else draft.put(text)
        draft.headings += [heading._replace(start=heading.start + start) for heading in headings]


def _declared(root: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    metadata = root.find("metadata")
    for element in [] if metadata is None else metadata.iter():
        key, text = DECLARED.get(element.tag if isinstance(element.tag, str) else ""), one_line(element.text)
        if key and text:
            text = text[:10] if key == "date" else text
            found[key] = (
                f"{found[key]}; {text}" if key in ("author", "keywords") and key in found else found.get(key, text)
            )
    return found
