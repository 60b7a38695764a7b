"""Small files that hold much of what their formats may: what fuzzing begins with."""

import io
from collections.abc import Mapping
from zipfile import ZipFile

from made_office import RELATIONS, A, docx, odt, pptx, relations, shape, xlsx, zipped
from made_pdf import made_pdf, page_of

__all__ = ["rich_docx", "rich_mail", "rich_odt", "rich_pdf", "rich_pptx", "rich_rtf", "rich_xlsx"]

R, M = f'xmlns:r="{RELATIONS}"', 'xmlns:m="m"'
C, XLINK = 'xmlns:c="c"', 'xmlns:xlink="http://www.w3.org/1999/xlink"'
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000001f40000012c0800000000")
CHART = (
    f'<c:chartSpace {C} xmlns:a="{A}"><c:title><a:p><a:r><a:t>Oil</a:t></a:r></a:p></c:title><c:ser><c:tx><c:pt><c:v>L</c:v></c:pt></c:tx>'
    '<c:cat><c:pt idx="0"><c:v>May</c:v></c:pt></c:cat><c:val><c:pt idx="0"><c:v>12</c:v></c:pt></c:val></c:ser></c:chartSpace>'
)
FORMULA = (
    f"<m:oMath {M}><m:f><m:num><m:r><m:t>1</m:t></m:r></m:num><m:den><m:rad><m:deg/><m:e><m:sSup><m:e><m:r><m:t>b</m:t></m:r></m:e>"
    "<m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:e></m:rad></m:den></m:f><m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub/>"
    "<m:e><m:m><m:mr><m:e/><m:e/></m:mr></m:m></m:e></m:nary><m:d><m:dPr><m:begChr m:val='['/></m:dPr><m:e/></m:d></m:oMath>"
)


def _holding(data: bytes, members: Mapping[str, str | bytes]) -> bytes:
    with ZipFile(io.BytesIO(data)) as archive:
        return zipped({name: archive.read(name) for name in archive.namelist()} | dict(members))


def rich_docx() -> bytes:
    """Fields, changes, notes, comments, boxes, a chart, a picture, a formula, and documents of other kinds."""
    marks = [f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "separate", "end")]
    field = f"{marks[0]}<w:r><w:instrText>IF</w:instrText></w:r>{marks[1]}<w:r><w:t>shown</w:t></w:r>{marks[2]}"
    box = "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>box</w:t></w:r></w:p></w:txbxContent><v:textpath xmlns:v='v' string='art'/></w:pict></w:r>"
    references = '<w:r><w:footnoteReference w:id="1"/><w:commentReference w:id="2"/></w:r>'
    drawing = f'<w:r><w:drawing><a:blip xmlns:a="{A}" {R} r:embed="i"/><c:chart {C} {R} r:id="c"/></w:drawing></w:r>'
    chunks = "".join(f'<w:altChunk {R} r:id="{key}"/>' for key in ("h", "m", "t"))
    gone = '<w:p><w:pPr><w:rPr><w:del w:id="1"/></w:rPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr><w:r><w:rPr><w:vanish/></w:rPr></w:r></w:p>'
    table = f"<w:tbl><w:sdt><w:sdtContent><w:tr><w:tc><w:p>{box}</w:p></w:tc><w:tc><w:tcPr><w:cellDel/></w:tcPr><w:p/></w:tc></w:tr></w:sdtContent></w:sdt></w:tbl>"
    body = f"{gone}<w:p>{field}{references}{box}{drawing}{FORMULA}</w:p>{table}{chunks}"
    targets = {
        "i": ("image", "i.png"), "c": ("chart", "c.xml"), "h": ("aFChunk", "h.html"), "m": ("aFChunk", "m.mht"),
        "t": ("aFChunk", "t.rtf"), "footnotes": ("footnotes", "footnotes.xml"), "comments": ("comments", "comments.xml"),
        "header": ("header", "header.xml"), "numbering": ("numbering", "numbering.xml"),
    }  # fmt: skip
    note = '<w:footnote w:id="1"><w:p><w:r><w:t>note</w:t></w:r></w:p></w:footnote>'
    lists = '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:lvlText w:val="%1."/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    return _holding(docx(body, footnotes=note, numbering=lists, header=f"<w:p>{box}</w:p>"), {
        "word/_rels/document.xml.rels": relations(targets), "word/i.png": PNG, "word/c.xml": CHART,
        "word/h.html": "<html><h1>page</h1><table><tr><td>a</td></tr></table></html>", "word/t.rtf": rich_rtf(),
        "word/m.mht": "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>message</p>",
        "word/comments.xml": '<w:comments xmlns:w="w"><w:comment w:id="2" w:author="A"><w:p><w:r><w:t>why</w:t></w:r></w:p></w:comment></w:comments>',
    })  # fmt: skip


def rich_xlsx() -> bytes:
    """Comments, a thread, a picture, a chart, a box, hidden rows and columns, a picture in a cell."""
    ms = "http://schemas.microsoft.com/office/2017"
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cols><col min="2" max="3" hidden="1"/></cols>'
        '<sheetData><row r="1"><c r="A1"><v>7</v></c><c r="D1" t="e" vm="1"><v>#VALUE!</v></c></row><row r="2" hidden="1"><c r="A2"><f>A1</f></c></row>'
        '</sheetData><mergeCells><mergeCell ref="A1:A2"/></mergeCells></worksheet>'
    )
    spot = "<xdr:from><xdr:col>0</xdr:col><xdr:row>0</xdr:row></xdr:from>"
    drawn = (
        f'<xdr:wsDr xmlns:xdr="xdr" xmlns:a="{A}" {R} {C}><xdr:oneCellAnchor>{spot}<xdr:grpSp><xdr:sp><xdr:txBody><a:p><a:r><a:t>box</a:t></a:r></a:p>'
        f'</xdr:txBody></xdr:sp></xdr:grpSp><xdr:pic><a:blip r:embed="i"/></xdr:pic><c:chart r:id="c"/></xdr:oneCellAnchor></xdr:wsDr>'
    )
    kinds = {
        f"{ms}/06/relationships/rdRichValue": "v.xml", f"{ms}/06/relationships/rdRichValueStructure": "s.xml",
        f"{ms}/06/relationships/richValueRel": "l.xml", f"{ms}/10/relationships/person": "p.xml",
    }  # fmt: skip
    others = "".join(
        f'<Relationship Id="x{at}" Type="{kind}" Target="{name}"/>' for at, (kind, name) in enumerate(kinds.items())
    )
    book = {
        "rId1": ("worksheet", "worksheets/sheet1.xml"),
        "rId3": ("styles", "styles.xml"),
        "m": ("sheetMetadata", "m.xml"),
    }
    parts = {"d": ("drawing", "../d.xml"), "c": ("comments", "../c.xml"), "t": ("threadedComment", "../t.xml")}
    return _holding(xlsx({"One": [["a"]]}), {
        "xl/_rels/workbook.xml.rels": relations(book).replace("</Rel", f"{others}</Rel"),
        "xl/worksheets/sheet1.xml": sheet, "xl/worksheets/_rels/sheet1.xml.rels": relations(parts),
        "xl/c.xml": '<comments><authors><author>A</author></authors><commentList><comment ref="A1" authorId="0"><text><r><t>note</t></r></text></comment></commentList></comments>',
        "xl/t.xml": '<T><threadedComment ref="B2" personId="1" id="2"><text>why</text></threadedComment></T>',
        "xl/p.xml": '<P><person displayName="Ann" id="1"/></P>', "xl/d.xml": drawn, "xl/chart.xml": CHART,
        "xl/_rels/d.xml.rels": relations({"i": ("image", "i.png"), "c": ("chart", "chart.xml")}), "xl/i.png": PNG,
        "xl/m.xml": '<metadata><metadataType name="XLRICHVALUE"/><futureMetadata name="XLRICHVALUE"><bk><rvb i="0"/></bk></futureMetadata>'
        '<valueMetadata><bk><rc t="1" v="0"/></bk></valueMetadata></metadata>',
        "xl/v.xml": '<R><rv s="0"><v>0</v></rv></R>', "xl/s.xml": '<S><s><k n="_rvRel:LocalImageIdentifier"/></s></S>',
        "xl/l.xml": f'<L {R}><rel r:id="i"/></L>', "xl/_rels/l.xml.rels": relations({"i": ("image", "i.png")}),
    })  # fmt: skip


def rich_pptx() -> bytes:
    """A chart, a picture, a formula, a table, a comment, notes."""
    table = "<a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>cell</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl>"
    frame = f'<p:graphicFrame>{table}<c:chart {C} {R} r:id="c"/></p:graphicFrame>'
    both = "<mc:AlternateContent xmlns:mc='mc'><mc:Choice/><mc:Fallback/></mc:AlternateContent>"
    slide = shape("Title", "title") + shape("a\nb").replace("</a:p>", f"{FORMULA}{both}</a:p>", 1) + frame
    picture = f'<p:grpSp><p:pic><p:blipFill><a:blip {R} r:embed="i"/></p:blipFill></p:pic></p:grpSp>'
    targets = {"c": ("chart", "../c.xml"), "i": ("image", "../i.png"), "m": ("comments", "../m.xml")}
    return _holding(pptx([slide + picture, shape("x")], {2: "said"}), {
        "ppt/slides/_rels/slide2.xml.rels": relations(targets), "ppt/c.xml": CHART, "ppt/i.png": PNG,
        "ppt/m.xml": "<p:cmLst xmlns:p='p'><p:cm><p:text>long</p:text></p:cm></p:cmLst>",
    })  # fmt: skip


def rich_odt() -> bytes:
    """A list, a note, a comment, a box, a shape, a picture, a chart, changes, a table with what is hidden."""
    note = "<text:note><text:note-body><text:p>note</text:p></text:note-body></text:note>"
    comment = "<office:annotation><text:p>why</text:p></office:annotation>"
    frame = f'<draw:frame><draw:object {XLINK} xlink:href="./O"/></draw:frame><draw:frame><draw:image {XLINK} xlink:href="i.png"/></draw:frame>'
    box = "<draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame><draw:rect><text:p>r</text:p></draw:rect>"
    row = f'<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3">{comment}<text:p>c</text:p></table:table-cell></table:table-row>'
    table = f'<table:table table:name="T"><table:table-column table:visibility="collapse"/>{row}</table:table>'
    body = f"<text:list><text:list-item><text:p>a{note}{comment}{box}{frame}<text:s text:c='3'/></text:p></text:list-item></text:list>{table}"
    return _holding(
        odt(body), {"i.png": PNG, "O/content.xml": "<d><body><chart><title><p>Oil</p></title></chart></body></d>"}
    )


def rich_rtf() -> bytes:
    """Fonts, styles, a list, a field, a table, a note, a comment, shapes, an object and pictures."""
    head = rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset204 A;}}{\stylesheet{\s1 heading 1;}}{\info{\title T}}"
    picture = (
        rb"{\*\shppict{\pict{\*\picprop{\sp{\sn a}{\sv b}}}\pngblip "
        + PNG.hex().encode()
        + rb"}}{\nonshppict{\pict\wmetafile8 01}}"
    )
    shapes = rb"{\shp{\*\shpinst{\sp{\sn pib}{\sv {\pict\dibitmap0 28000000}}}{\sp{\sn gtextUNICODE}{\sv art}}{\shptxt box}}{\shprslt no}}"
    text = rb"\pard\s1{\listtext\pard 1.}One\par\pard a\u8364?\'e9{\field{\*\fldinst PAGE}{\fldrslt 3}}{\footnote n}{\*\atnauthor A}{\*\annotation why}"
    return (
        head
        + text
        + picture
        + shapes
        + rb"{\object{\*\objdata 01}{\result r}}\trowd\intbl a\cell b\cell\row{\pict\jpegblip\bin3 \xff\xd8\xff}}"
    )


def rich_pdf() -> bytes:
    """Fields of a form, remarks and an attached file."""
    annotations = [
        "/Subtype /Widget /FT /Tx /T (name) /V (Ada) /Rect [150 736 300 754]",
        "/Subtype /Widget /FT /Btn /T (box) /AS /Yes /V /Yes /Rect [60 738 70 750]",
        "/Subtype /Widget /FT /Ch /T (town) /V (Delft) /Opt [(Delft) (Leiden)] /Rect [150 706 300 724]",
        "/Subtype /Highlight /Contents (I doubt it.) /Rect [72 736 100 754]",
        "/Subtype /FreeText /Contents (typed) /DA (/Helv 11 Tf) /Rect [120 737 300 752]",
    ]
    return made_pdf(
        [page_of("Some words\non two lines."), page_of("More-\nover.")], annotations=annotations, attached="a.csv"
    )


def rich_mail() -> str:
    """A message in parts: two texts, a forwarded one, attachments with names in two codes."""
    inner = "Content-Type: message/rfc822\n\nSubject: Inner\nFrom: c@d.e\n\nforwarded\n"
    page = "Content-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<p>caf=E9</p>\n"
    named = "Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=utf-8''%C3%A9.csv\nContent-Transfer-Encoding: base64\n\nYSxiCjEsMgo=\n"
    best = (
        f"Content-Type: multipart/alternative; boundary=c\n\n--c\nContent-Type: text/plain\n\nplain\n--c\n{page}--c--\n"
    )
    return f"Subject: =?utf-8?q?caf=C3=A9?=\nFrom: A <a@b.c>\nContent-Type: multipart/mixed; boundary=b\n\n--b\n{best}--b\n{inner}--b\n{named}--b--\n"
