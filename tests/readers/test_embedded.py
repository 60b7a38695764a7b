"""Pictures within documents: read by OCR where they stand, each once, and told where they are not."""

import base64
import io
import random
import zlib
from collections.abc import Mapping
from email.message import EmailMessage
from typing import Any
from zipfile import ZipFile

import pypdfium2
import pytest
from made_office import docx, epub, odt, pptx, relations, shape, zipped
from made_pdf import made_pdf, page_of

from searcher.readers import ReadOptions, read_text
from searcher.readers.parsers.picture_size import is_ornament, is_picture
from searcher.records import Document, Note

NOT_ASKED = "its pictures are not read; with --ocr what is written in them is"
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'
EMF = b"\1\0\0\0" + bytes(100)


def png(width: int, height: int, row: bytes = b"") -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    rows = zlib.compress((b"\0" + row.ljust(width, b"\xff")) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\0\0\0\0") + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def written(text: str, kind: str = "PNG") -> bytes:
    """A picture in which a text stands."""
    stream = io.BytesIO()
    page = pypdfium2.PdfDocument(made_pdf([page_of(text, 12)]))[0].render(scale=2).to_pil().convert("L")
    page.crop((100, 60, 900, 200)).save(stream, kind)
    return stream.getvalue()


def holding(data: bytes, members: Mapping[str, str | bytes]) -> bytes:
    """An archive with more members, or others."""
    with ZipFile(io.BytesIO(data)) as archive:
        return zipped({name: archive.read(name) for name in archive.namelist()} | dict(members))


def items(data: bytes, suffix: str, ocr: bool = True) -> list[Any]:
    return list(read_text(data, "file", ReadOptions(ocr=ocr), suffix))


def places(document: Document) -> list[tuple[str, Mapping[str, Any]]]:
    """The text of each place."""
    ends = [*(start for start, _ in document.places[1:]), len(document.text)]
    return [
        (document.text[start:end].strip(), place) for (start, place), end in zip(document.places, ends, strict=True)
    ]


def word(*pictures: bytes | str, kind: str = "png") -> bytes:
    """A Word document of paragraphs, those of bytes with a picture."""
    body, media, targets = "", {}, {}
    for number, each in enumerate(pictures):
        if isinstance(each, str):
            body += f"<w:p><w:r><w:t>{each}</w:t></w:r></w:p>"
            continue
        body += f'<w:p><w:r><w:drawing><a:blip {A} {R} r:embed="i{number}"/></w:drawing></w:r></w:p>'
        media[f"word/media/{number}.{kind}"] = each
        targets[f"i{number}"] = ("image", f"media/{number}.{kind}")
    return holding(docx(body), {"word/_rels/document.xml.rels": relations(targets), **media})


# -- without OCR


@pytest.mark.parametrize(
    ("width", "height", "small"),
    [(16, 16, True), (99, 99, True), (2000, 5, True), (5, 2000, True), (100, 100, False), (700, 30, False)],
)
def test_icons_and_lines_are_told_from_pictures_by_their_first_bytes(width: int, height: int, small: bool) -> None:
    pillow = pytest.importorskip("PIL.Image")
    assert is_ornament(png(width, height)[:40]) is small
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP"):
        for how in ({}, {"lossless": True}, {"exif": bytes(3000)}) if kind == "WEBP" else ({"exif": bytes(3000)}, {}):
            stream = io.BytesIO()
            pillow.new("RGB", (width, height)).save(stream, kind, **how)
            assert is_ornament(stream.getvalue()) is small, kind
            assert is_picture(stream.getvalue())


def test_no_bytes_are_too_strange_to_be_measured() -> None:
    chance = random.Random(1)
    heads = (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBPVP8X",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"BM",
        b"II*\0",
        b"",
    )
    for head in heads:
        for _ in range(50):
            data = head + chance.randbytes(chance.randint(0, 60))
            assert is_ornament(data) in (True, False)
            assert is_picture(data) is bool(head)


def test_without_ocr_pictures_are_told_once_and_ornaments_are_not() -> None:
    large, small = png(400, 300), png(40, 40)
    assert items(word("Before.", large, small, large), ".docx", ocr=False)[1:] == [Note("file", NOT_ASKED)]
    assert items(word("Before.", small), ".docx", ocr=False)[1:] == []
    assert items(word("Before.", EMF, kind="emf"), ".docx", ocr=False)[1:] == []
    assert items(word("Before.", large), ".docx", ocr=False)[0].text == "Before."


def test_signatures_in_mails_are_no_attachments_that_nobody_reads() -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Hello", "a@example.org"
    mail.set_content("Kind regards.")
    mail.add_related(png(90, 40), "image", "png", cid="<logo>")
    assert [type(item) for item in items(bytes(mail), ".eml", ocr=False)] == [Document]
    mail.add_related(png(900, 400), "image", "png", cid="<photo>")
    _, note = items(bytes(mail), ".eml", ocr=False)
    assert note.reason.startswith("1 attachment not read (a picture is read with --ocr only")
    assert note.reason.endswith("): part.png")


# -- with OCR


@pytest.fixture
def by_ocr() -> None:
    """Skip where it is not installed."""
    pytest.importorskip("rapidocr", reason="rapidocr is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.mark.usefixtures("by_ocr")
def test_pictures_of_a_word_document_stand_where_they_are_and_each_is_read_once() -> None:
    lamp, horn = written("The lamp is lit at dusk."), written("The horn sounds in fog.", "GIF")
    data = word(
        "First.",
        lamp,
        "Second.",
        png(40, 40),
        lamp,
        horn,
        lamp[:-200],
        EMF,
        png(300, 200),
        "Last.",
    )
    document, *notes = items(data, ".docx")
    assert document.text == "First.\n\nThe lamp is lit at dusk.\n\nSecond.\n\nThe horn sounds in fog.\n\nLast."
    assert places(document) == [
        ("The lamp is lit at dusk.", {"picture": 1}), ("Second.", {}), ("The horn sounds in fog.", {"picture": 2}),
        ("Last.", {}),
    ]  # fmt: skip
    assert [note.reason.partition(" (")[0] for note in notes] == [
        "pictures 1-2 of 5: read by OCR",
        "picture 3 of 5: not read by OCR: a picture that is damaged or cut short",
        "picture 4 of 5: not read by OCR: it takes no pictures of this kind",
        "picture 5 of 5: no text, and OCR finds none that it can read",
    ]


@pytest.mark.usefixtures("by_ocr")
def test_pictures_in_cells_notes_and_heads_of_word_are_read_too() -> None:
    def drawn(key: str) -> str:
        return f'<w:p><w:r><w:drawing><a:blip {A} {R} r:embed="{key}"/></w:drawing></w:r></w:p>'

    body = f"<w:tbl><w:tr><w:tc>{drawn('i')}</w:tc><w:tc><w:p><w:r><w:t>Cell.</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
    old = f'<w:p><w:r><w:pict><v:imagedata xmlns:v="v" {R} r:id="i"/></w:pict></w:r></w:p>'
    members = {
        "word/_rels/document.xml.rels": relations({"header": ("header", "header.xml"), "i": ("image", "media/a.png")}),
        "word/_rels/header.xml.rels": relations({"i": ("image", "media/b.png")}),
        "word/media/a.png": written("Words in a cell."), "word/media/b.png": written("Words of the letterhead."),
    }  # fmt: skip
    document, note = items(holding(docx(body, header=old), members), ".docx")
    assert document.text == " | Cell.\n\nWords in a cell.\n\nWords of the letterhead."
    assert note == Note("file", "pictures 1-2 of 2: read by OCR")


@pytest.mark.usefixtures("by_ocr")
def test_a_picture_on_a_slide_says_so_and_a_logo_on_each_is_read_once() -> None:
    pic = f'<p:pic><p:blipFill><a:blip {R} r:embed="{{}}"/></p:blipFill></p:pic>'
    slides = [
        pic.format("logo") + shape("One", "title") + pic.format("map"),
        pic.format("logo") + shape("Two", "title"),
    ]
    rels = relations({"logo": ("image", "../media/logo.png"), "map": ("image", "../media/map.jpg")})
    members = {f"ppt/slides/_rels/slide{number}.xml.rels": rels for number in (1, 2)}
    pictures = {
        "ppt/media/logo.png": written("Lighthouse Trust"),
        "ppt/media/map.jpg": written("The north channel", "JPEG"),
    }
    document, note = items(holding(pptx(slides), members | pictures), ".pptx")
    assert places(document) == [
        ("One", {"slide": 1}), ("Lighthouse Trust", {"slide": 1, "picture": 1}),
        ("The north channel", {"slide": 1, "picture": 2}), ("Two", {"slide": 2}),
    ]  # fmt: skip
    assert note == Note("file", "pictures 1-2 of 2: read by OCR")


@pytest.mark.usefixtures("by_ocr")
@pytest.mark.parametrize("flat", [False, True])
def test_pictures_of_open_document_are_read_in_the_kind_that_can_be(flat: bool) -> None:
    picture = written("The lamp is lit at dusk.")
    inside = f"<office:binary-data>{base64.b64encode(picture).decode()}</office:binary-data>" if flat else ""
    drawing = f'<draw:image {XLINK} xlink:href="Pictures/a.svg"/>' if not flat else ""
    frame = f'<draw:frame>{drawing}<draw:image {XLINK} xlink:href="./Pictures/a.png">{inside}</draw:image></draw:frame>'
    data = odt(f"<text:p>Before.{frame}</text:p><text:p>After.</text:p>")
    if flat:
        with ZipFile(io.BytesIO(data)) as archive:
            data = archive.read("content.xml")
    else:
        data = holding(data, {"Pictures/a.png": picture, "Pictures/a.svg": "<svg/>"})
    document, note = items(data, ".fodt" if flat else ".odt")
    assert document.text == "Before.\n\nThe lamp is lit at dusk.\n\nAfter."
    assert document.places == ((9, {"picture": 1}), (35, {}))
    assert note == Note("file", "picture 1 of 1: read by OCR")


@pytest.mark.usefixtures("by_ocr")
def test_pictures_of_a_book_stand_below_their_paragraph_and_its_cover_is_a_chapter() -> None:
    cover = '<body><svg><image xlink:href="../cover%20art.png"/></svg></body>'
    page = '<body><h1>Fog <img src="../i.png"/></h1><p>A <b>horn</b><img src="../i.png"/> sounds.</p><p>Then no more.</p></body>'
    data = epub({"text/a.xhtml": cover, "text/b.xhtml": page}, {"text/a.xhtml": "Cover"})
    folder = next(name for name in ZipFile(io.BytesIO(data)).namelist() if name.endswith("text/a.xhtml"))[
        : -len("text/a.xhtml")
    ]
    members = {f"{folder}cover art.png": written("A Book of Lamps"), f"{folder}i.png": written("Two blasts a minute")}
    document, note = items(holding(data, members), ".epub")
    assert document.text == "A Book of Lamps\n\nFog\n\nTwo blasts a minute\n\nA horn sounds.\n\nThen no more."
    assert places(document) == [
        ("A Book of Lamps", {"chapter": "Cover", "picture": 1}), ("Fog", {"chapter": "Fog"}),
        ("Two blasts a minute", {"chapter": "Fog", "picture": 2}),
        ("A horn sounds.\n\nThen no more.", {"chapter": "Fog"}),
    ]  # fmt: skip
    assert note == Note("file", "pictures 1-2 of 2: read by OCR")
