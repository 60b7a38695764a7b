"""Pictures in RTF, as digits or as bytes, in shapes, cells and objects; what Word writes a second time for others goes."""

import io
import textwrap

import pytest
from test_embedded import NOT_ASKED, items, places, png, written

from searcher.readers.parsers.rtf_pictures import Blip
from searcher.records import Note


def rtf(body: bytes) -> bytes:
    return rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}" + body + b"}"


def digits(data: bytes) -> bytes:
    """As Word breaks them into lines."""
    return "\r\n".join(textwrap.wrap(data.hex(), 128)).encode()


def word(data: bytes, kind: bytes = b"pngblip") -> bytes:
    """A picture as Word writes it: with its properties, then again for programs that know no such kind."""
    properties = rb"{\*\picprop{\sp{\sn wzName}{\sv Picture 1}}}\picw100\pich100\picscalex50"
    again = rb"{\nonshppict{\pict\wmetafile8 0102}}"
    return (
        rb"{\*\shppict{\pict"
        + properties
        + b"\\"
        + kind
        + rb"\bliptag7{\*\blipuid 0aff}"
        + digits(data)
        + b"}}"
        + again
    )


def floating(data: bytes) -> bytes:
    """A picture that floats: the property of a shape, with what older programs show."""
    shape = rb"{\sp{\sn shapeType}{\sv 75}}{\sp{\sn pib}{\sv {\pict\pngblip " + digits(data) + b"}}}"
    return rb"{\shp{\*\shpinst\shpleft0" + shape + rb"}{\shprslt{\*\do{\dptxbxtext Not this.}}{\pict\wmetafile8 01}}}"


def test_without_ocr_pictures_are_told_and_their_digits_and_properties_are_no_text() -> None:
    body = rb"Before.\par " + word(png(300, 200)) + rb"\par " + floating(png(300, 201)) + rb"After.\par"
    assert [getattr(item, "text", item) for item in items(rtf(body), ".rtf", ocr=False)] == [
        "Before.\n\nAfter.", Note("file", NOT_ASKED),
    ]  # fmt: skip
    assert len(items(rtf(word(png(20, 20))), ".rtf", ocr=False)) == 1  # an icon


def test_pictures_that_are_not_shown_are_not_told() -> None:
    shown = rb"{\pict\pngblip " + digits(png(300, 200)) + b"}"
    silent = (
        rb"{\header %s}",
        rb"{\*\listpicture %s}",
        rb"{\v %s}",
        rb"{\*\background{\shp %s}}",
        rb"{\nonshppict %s}",
    )
    body = b"".join(way % shown for way in silent)
    assert len(items(rtf(rb"Text." + body), ".rtf", ocr=False)) == 1
    assert len(items(rtf(rb"Text." + shown), ".rtf", ocr=False)) == 2


def test_what_an_object_looks_like_and_boxes_of_older_programs_are_text() -> None:
    made = rb"{\object\objemb{\*\objclass Word.Document}{\*\objdata 0102}{\result{Shown.}}}"
    box = rb"{\*\do\dobxcolumn\dptxbx{\dptxbxtext\pard In a box.\par}\dpx1}"
    assert items(rtf(made + rb"\par " + box), ".rtf", ocr=False)[0].text == "Shown.\n\nIn a box."


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_a_bitmap_without_the_header_of_a_file_is_made_one(mode: str) -> None:
    pillow = pytest.importorskip("PIL.Image")
    image = pillow.linear_gradient("L").convert(mode)
    stream = io.BytesIO()
    image.save(stream, "DIB")
    blip = Blip([stream.getvalue().hex().encode()], kind="bmp")
    assert pillow.open(io.BytesIO(blip.file())).convert("RGB").tobytes() == image.convert("RGB").tobytes()


def test_digits_that_are_cut_short_or_none_are_as_many_bytes_as_they_are() -> None:
    assert Blip([b"89 5", b"0\r\n4", b"e4x7"]).file() == b"\x89PNG"
    assert Blip([b"8"], kind="bmp").file() == b""


@pytest.mark.usefixtures("by_ocr")
def test_pictures_are_read_where_they_stand() -> None:
    lamp, horn, buoy = (
        written("The lamp is lit at dusk."),
        written("The horn sounds in fog.", "JPEG"),
        written("A red buoy"),
    )
    cell = (
        rb"\trowd\cellx100\cellx200\pard\intbl a{\pict\pngblip\bin"
        + b"%d " % len(buoy)
        + buoy
        + rb"}\cell b\cell\row\pard "
    )
    body = (
        rb"First.\par "
        + word(lamp)
        + rb"\par "
        + word(horn, b"jpegblip")
        + rb"\par Second.\par "
        + floating(lamp)
        + cell
    )
    document, *notes = items(rtf(body + rb"{\pict\emfblip 0100}Last.\par"), ".rtf")
    assert (
        document.text
        == "First.\n\nThe lamp is lit at dusk.\n\nThe horn sounds in fog.\n\nSecond.\n\na | b\n\nA red buoy\n\nLast."
    )
    assert places(document) == [
        ("The lamp is lit at dusk.", {"picture": 1}), ("The horn sounds in fog.", {"picture": 2}),
        ("Second.\n\na | b", {}), ("A red buoy", {"picture": 3}), ("Last.", {}),
    ]  # fmt: skip
    assert [note.reason for note in notes] == [
        "pictures 1-3 of 4: read by OCR",
        "picture 4 of 4: not read by OCR: it takes no pictures of this kind (EMF)",
    ]


@pytest.fixture
def by_ocr() -> None:
    """Skip where it is not installed."""
    pytest.importorskip("rapidocr", reason="rapidocr is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
