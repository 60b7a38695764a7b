"""Small documents of Word, PowerPoint, Excel, OpenDocument and EPUB, written for the tests."""

import io
from collections.abc import Mapping
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl

__all__ = ["docx", "epub", "odt", "pptx", "xlsx", "zipped"]

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{full}:1.0"'
    for name, full in {
        "office": "office",
        "text": "text",
        "table": "table",
        "style": "style",
        "draw": "drawing",
        "meta": "meta",
    }.items()
)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """A ZIP archive."""
    stream = io.BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def relations(targets: Mapping[str, tuple[str, str]]) -> str:
    """What a part refers to: kind and target by id."""
    each = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONS}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{PACKAGE}">{each}</Relationships>'


def docx(body: str, strict: bool = False, **parts: str) -> bytes:
    """A Word document. parts: styles, numbering, footnotes, header, core: what is within their roots."""
    roots = {"footnotes": "footnotes", "styles": "styles", "numbering": "numbering", "header": "hdr", "footer": "ftr"}
    members: dict[str, str] = {
        "_rels/.rels": relations({"r1": ("officeDocument", "word/document.xml")}),
        "word/document.xml": f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>',
        "word/_rels/document.xml.rels": relations({name: (name, f"{name}.xml") for name in parts if name in roots}),
    }
    for name, content in parts.items():
        if name == "core":
            members["docProps/core.xml"] = (
                f'<c:coreProperties xmlns:c="core" xmlns:dc="dc" xmlns:dcterms="t">{content}</c:coreProperties>'
            )
        else:
            members[f"word/{name}.xml"] = f'<w:{roots[name]} xmlns:w="{W}">{content}</w:{roots[name]}>'
    if strict:
        members = {
            name: text.replace(W, "http://purl.oclc.org/ooxml/wordprocessingml/main") for name, text in members.items()
        }
    return zipped(members)


def pptx(slides: list[str], notes: Mapping[int, str] | None = None, hidden: tuple[int, ...] = ()) -> bytes:
    """A presentation of slides, each what stands in its tree of shapes; notes by the number of a slide, from 1."""
    notes = notes or {}
    members = {
        "_rels/.rels": relations({"r1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{P}" xmlns:r="{RELATIONS}"><p:sldIdLst>'
        + "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in range(1, len(slides) + 1))
        + "</p:sldIdLst></p:presentation>",
        # The names of the files are in another order than the slides.
        "ppt/_rels/presentation.xml.rels": relations(
            {f"rId{n}": ("slide", f"slides/slide{len(slides) + 1 - n}.xml") for n in range(1, len(slides) + 1)}
        ),
    }
    for number, shapes in enumerate(slides, 1):
        name = f"slide{len(slides) + 1 - number}.xml"
        show = ' show="0"' if number in hidden else ""
        members[f"ppt/slides/{name}"] = (
            f'<p:sld xmlns:p="{P}" xmlns:a="{A}"{show}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>'
        )
        if number in notes:
            members[f"ppt/slides/_rels/{name}.rels"] = relations({"n": ("notesSlide", f"../notesSlides/n{number}.xml")})
            members[f"ppt/notesSlides/n{number}.xml"] = (
                f'<p:notes xmlns:p="{P}" xmlns:a="{A}"><p:cSld><p:spTree>{shape(notes[number], "body")}'
                f"{shape('7', 'sldNum')}</p:spTree></p:cSld></p:notes>"
            )
    return zipped(members)


def shape(text: str, kind: str = "") -> str:
    """A shape of a slide, a paragraph for each line."""
    paragraphs = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
    holder = f'<p:ph type="{kind}"/>' if kind else ""
    return f"<p:sp><p:nvSpPr><p:nvPr>{holder}</p:nvPr></p:nvSpPr><p:txBody>{paragraphs}</p:txBody></p:sp>"


def xlsx(sheets: Mapping[str, list[list[Any]]], hidden: tuple[str, ...] = (), merged: str = "") -> bytes:
    """A workbook of sheets with rows; merged: a range of the first."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    if merged:
        book.worksheets[0].merge_cells(merged)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def odt(body: str, kind: str = "text", styles: str = "", meta: str = "", **members: str) -> bytes:
    """An OpenDocument of a kind: text, spreadsheet or presentation. members: more of them."""
    root = f"<office:document-content {ODF}>"
    styles = f"<office:automatic-styles>{styles}</office:automatic-styles>"
    body = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return zipped({
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": f"{root}{styles}{body}</office:document-content>",
        "meta.xml": f"<office:document-meta {ODF}><office:meta>{meta}</office:meta></office:document-meta>",
        **members,
    })  # fmt: skip


def epub(chapters: Mapping[str, str], contents: Mapping[str, str] | None = None, **more: str) -> bytes:
    """A book of chapters: name of a file to its page. contents: what the table of contents calls them. more: members."""
    nav = "".join(f'<li><a href="{name}">{title}</a></li>' for name, title in (contents or {}).items())
    items = "".join(
        f'<item id="i{n}" href="{name.replace(" ", "%20")}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(chapters)))
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="dc"><dc:title>A Book</dc:title>'
        f"<dc:creator>Ada</dc:creator><dc:creator>Bob</dc:creator></metadata><manifest>{items}"
        '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/></manifest>'
        f"<spine><itemref idref='nav'/>{spine}</spine></package>"
    )
    return zipped({
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": opf,
        "OPS/nav.xhtml": f"<html><body><nav><ol>{nav}</ol></nav></body></html>",
        **{f"OPS/{name}": page for name, page in chapters.items()},
        **more,
    })  # fmt: skip
