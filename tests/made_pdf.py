"""Small PDF files, written for the tests."""

from collections.abc import Container, Sequence
from typing import NamedTuple

__all__ = ["Glyph", "glyph_pdf", "made_pdf", "page_of"]

Piece = tuple[float, float, float, str]  # left, bottom, size, text


class Glyph(NamedTuple):
    """Something drawn, one after the other; left, bottom: where it begins.

    means: of each of its characters, what the font says that it means, the character itself without it. told: what the
    page says that all of it means, as browsers do for glyphs that stand for other characters than their own.
    """

    left: float
    bottom: float
    text: str
    told: str = ""
    means: Sequence[str] = ()
    bold: bool = False


def glyph_pdf(glyphs: Sequence[Glyph], height: int = 700) -> bytes:
    """A PDF with one page of glyphs of any script in 10 points, each of them 6 points wide.

    The page is drawn upside down and turned again, as browsers do. height: of the boxes of glyphs, in thousandths of the
    size of the font.
    """
    codes: dict[str, int] = {}
    drawn = []
    for glyph in glyphs:
        meant = [*glyph.means] or list(glyph.text)
        shown = bytes(codes.setdefault(text, 33 + len(codes)) for text in meant).hex()
        piece = f"BT /F{1 + glyph.bold} 10 Tf 1 0 0 -1 {glyph.left} {792 - glyph.bottom} Tm <{shown}> Tj ET\n"
        told = ("\ufeff" + glyph.told).encode("utf-16-be").hex()
        drawn.append(f"/Span << /ActualText <{told}> >> BDC {piece} EMC\n" if glyph.told else piece)
    stream = f"1 0 0 -1 0 792 cm\n{''.join(drawn)}".encode()
    said = "\n".join(f"<{code:02x}> <{text.encode('utf-16-be').hex()}>" for text, code in codes.items())
    mapped = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{said}\nendbfchar\nendcmap end end"
    ).encode()
    box, count = b"600 0 20 0 580 %d d1 20 0 560 %d re f" % (height, height), 223
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R /F2 8 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 -200 600 800] /FontMatrix [.001 0 0 .001 0 0] /FirstChar 33"
        b" /LastChar 255 /Widths [%s] /Encoding << /Type /Encoding /Differences [33 %s] >> /CharProcs << /a 7 0 R >>"
        b" /ToUnicode 6 0 R >>" % (b" 600" * count, b" /a" * count),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(mapped), mapped),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(box), box),
    ]
    objects.append(objects[4].replace(b"/Subtype /Type3", b"/Subtype /Type3 /BaseFont /Made-Bold"))
    return _file(objects, "/Root 1 0 R")


def page_of(text: str, size: float = 11, top: float = 740) -> list[Piece]:
    """The lines of a text one under the other; an empty one leaves its place free."""
    lines = text.split("\n")
    return [(72, top - number * size * 1.2, size, line) for number, line in enumerate(lines) if line]


def made_pdf(
    pages: Sequence[Sequence[Piece]],
    labels: str = "",
    outline: Sequence[tuple[str, int]] = (),
    title: str = "",
    author: str = "",
    rotate: int = 0,
    annotations: Sequence[str] = (),
    attached: str = "",
    has_heights: bool = True,
    bold: Container[str] = (),
) -> bytes:
    """A PDF with pieces of text on pages, in Helvetica.

    labels: a number tree of page labels, such as "0 << /S /r >>". outline: titles and the pages, from 0, that they lead
    to. rotate: by how many degrees the pages are shown turned. annotations: of the first page, as they are written within
    << >>. attached: the name of a file that is in it. has_heights: whether the font says how high it is above and below
    the line; LibreOffice 7 says 0 of either. bold: the texts that are set in Helvetica-Bold.
    """
    objects: list[bytes] = [b""] * 5
    info, font, bold_font = 3, 4, 5
    objects[font - 1] = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects[bold_font - 1] = objects[font - 1].replace(b"Helvetica", b"Helvetica-Bold")
    if not has_heights:
        objects[font - 1] = (
            b"<< /Type /Font /Subtype /TrueType /BaseFont /Helvetica /Encoding /WinAnsiEncoding /FontDescriptor"
            b" << /Type /FontDescriptor /FontName /Helvetica /Flags 32 /Ascent 0 /Descent 0 >> >>"
        )
    objects[info - 1] = f"<< /Title ({title}) /Author ({author}) /CreationDate (D:20240301120000Z) >>".encode("latin-1")
    numbers = []
    for page in pages:
        stream = b"".join(
            f"BT /F{1 + (text in bold)} {size} Tf 1 0 0 1 {x} {y} Tm ({_escaped(text)}) Tj ET\n".encode("cp1252")
            for x, y, size, text in page
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate %d /Contents %d 0 R"
            b" /Resources << /Font << /F1 %d 0 R /F2 %d 0 R >> >> >>" % (rotate, len(objects), font, bold_font)
        )
        numbers.append(len(objects))
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(numbers)} >>".encode()
    more = f" /PageLabels << /Nums [{labels}] >>" if labels else ""
    if outline:
        root = len(objects) + 1
        first, last = root + 1, root + len(outline)
        objects.append(f"<< /Type /Outlines /First {first} 0 R /Last {last} 0 R /Count {len(outline)} >>".encode())
        for at, (name, page) in enumerate(outline, first):
            around = (f" /Prev {at - 1} 0 R" if at > first else "") + (f" /Next {at + 1} 0 R" if at < last else "")
            leads = f"/Dest [{numbers[page]} 0 R /Fit]"
            objects.append(f"<< /Title ({_escaped(name)}) /Parent {root} 0 R {leads}{around} >>".encode("latin-1"))
        more += f" /Outlines {root} 0 R"
    if annotations:
        first = len(objects) + 1
        objects += [f"<< /Type /Annot {annotation} >>".encode("latin-1") for annotation in annotations]
        own = numbers[0] - 1
        refs = [f"{at} 0 R" for at in range(first, len(objects) + 1)]
        objects[own] = objects[own].replace(b"/Rotate", f"/Annots [{' '.join(refs)}] /Rotate".encode())
        fields = [ref for ref, annotation in zip(refs, annotations, strict=True) if "/Widget" in annotation]
        more += f" /AcroForm << /Fields [{' '.join(fields)}] >>" if fields else ""
    if attached:
        objects.append(b"<< /Type /EmbeddedFile /Length 4 >>\nstream\na,b\n\nendstream")
        file = f"<< /Type /Filespec /F ({attached}) /UF ({attached}) /EF << /F {len(objects)} 0 R >> >>"
        more += f" /Names << /EmbeddedFiles << /Names [({attached}) {file}] >> >>"
    objects[0] = f"<< /Type /Catalog /Pages 2 0 R{more} >>".encode()
    return _file(objects, f"/Root 1 0 R /Info {info} 0 R")


def _file(objects: Sequence[bytes], trailer: str) -> bytes:
    data, starts = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} {trailer} >>\nstartxref\n{len(data)}\n"
    return data + end.encode() + b"%%EOF\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
