"""OCR: scanned pages and pictures, drawn here and read back; what of them cannot be read is told."""

import ctypes
import io
import os
import platform
import struct
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from made_pdf import Piece, made_pdf, page_of

from searcher.errors import UnreadableFile
from searcher.readers import ReadOptions, Unsupported, child, read_text
from searcher.records import Document, Note

pytest.importorskip("rapidocr", reason="rapidocr is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

import numpy as np
from PIL import Image

from searcher.readers.parsers import ocr

TEXT = "The lamp of the tower is lit at dusk.\nEvery keeper notes the hour of it.\nIn fog the horn sounds twice."
Picture = Image.Image
Turn = Image.Transpose


def drawn(pages: Sequence[Sequence[Piece]], dots: int = 150) -> list[Picture]:
    """Pages of pieces of text, as a scanner sees them."""
    document = pypdfium2.PdfDocument(made_pdf(pages))
    return [page.render(scale=dots / 72).to_pil().convert("L") for page in document]


def snippet(text: str = TEXT, dots: int = 150) -> Picture:
    """A few lines without the rest of the page."""
    [page] = drawn([page_of(text)], dots)
    return page.crop((dots // 2, dots // 2, 5 * dots, 2 * dots))


def file_of(picture: Picture, kind: str, **how: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **how)
    return stream.getvalue()


def scanned(pictures: Sequence[Picture], dots: int = 150) -> bytes:
    """A PDF that holds nothing but pictures of its pages."""
    return file_of(pictures[0], "PDF", save_all=True, append_images=pictures[1:], resolution=dots)


def items(data: bytes, suffix: str = ".png") -> list[Any]:
    return list(read_text(data, "scan", ReadOptions(ocr=True), suffix))


def refused(data: bytes, suffix: str = ".png") -> str:
    with pytest.raises(UnreadableFile) as fault:
        items(data, suffix)
    assert "\n" not in fault.value.reason
    return fault.value.reason


def png(width: int, height: int, data: bytes = b"", depth: int = 8) -> bytes:
    """A PNG whose head says how large it is, whatever it holds."""
    head = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    told = (struct.pack(">I", len(of)) + name + of + struct.pack(">I", zlib.crc32(name + of)) for name, of in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


# -- PDF


def test_scanned_pages_are_read_beside_those_with_text_and_each_is_told() -> None:
    document = pypdfium2.PdfDocument.new()
    paper = snippet()
    turned = pypdfium2.PdfDocument(
        scanned([snippet("What lies on its side\nis turned by the file.").transpose(Turn.ROTATE_90)])
    )
    turned[0].set_rotation(90)
    stamp = made_pdf([[(72, 20, 8, "Scanned by a telephone")]])
    for part in (made_pdf([page_of("This page has its own text.")]), scanned([paper]), made_pdf([[]])):
        document.import_pages(pypdfium2.PdfDocument(part))
    document.import_pages(turned)
    document.import_pages(pypdfium2.PdfDocument(stamp))
    bitmap = pypdfium2.PdfBitmap.from_pil(drawn([page_of("Under the stamp stands this.")])[0])
    image = pypdfium2.PdfImage.new(document)
    image.set_bitmap(bitmap)
    image.set_matrix(pypdfium2.PdfMatrix().scale(612, 792))
    last = document[4]
    last.insert_obj(image)
    last.gen_content()
    data = io.BytesIO()
    document.save(data)
    read, *notes = items(data.getvalue(), ".pdf")
    assert notes == [
        Note("scan", "pages 2, 4-5 of 5: read by OCR"),
        Note("scan", "page 3 of 5: no text, and OCR finds none that it can read"),
    ]
    starts = {place["page"]: start for start, place in read.places}
    assert list(starts) == [1, 2, 4, 5]
    assert read.text[starts[2] : starts[4]].strip() == TEXT
    assert read.text[starts[4] : starts[5]].strip() == "What lies on its side\nis turned by the file."
    assert "Under the stamp stands this." in read.text[starts[5] :]
    assert list(read_text(data.getvalue(), "scan", suffix=".pdf"))[1] == Note(
        "scan", "pages 2-4 of 5: no text; scanned, perhaps"
    )


def test_a_scan_is_set_as_other_pages_are() -> None:
    left = "The cliff is bare and no tree\ngrows on it, for the wind blows\nfrom the west all the winter and\nthe salt reaches every window."
    right = "Beside the tower lies a garden\nwith a wall around it, which was\nbuilt by the second keeper of the\nlamp, whose name nobody knows."
    rows = [("Item", "Count", "Price"), ("Lamp oil", "12", "30.50"), ("Rope", "7", "15.25")]
    page = [
        (72, 740, 20, "Of the tower"), *page_of(left, 10, 700), *((330, y, size, text) for _, y, size, text in page_of(right, 10, 700)),
        *((72 + 150 * at, 600 - 13 * row, 10, cell) for row, cells in enumerate(rows) for at, cell in enumerate(cells)),
    ]  # fmt: skip
    read, _ = items(scanned(drawn([page])), ".pdf")
    assert read.text == f"Of the tower\n\n{left}\n\n{right}\n\nItem Count Price\nLamp oil 12 30.50\nRope 7 15.25"
    assert read.sections == ((0, "Of the tower"),)


# -- pictures


def test_pictures_of_any_kind_are_read() -> None:
    plain = snippet()
    clear = Image.new("RGBA", plain.size, (0, 0, 0, 0))
    clear.putalpha(plain.point(lambda value: 255 - value))
    held = Image.Exif()
    held[0x0112] = 6
    files = {
        ".png": file_of(clear, "PNG"), ".jpg": file_of(plain.transpose(Turn.ROTATE_90), "JPEG", exif=held),
        ".webp": file_of(plain.point(lambda value: 255 - value), "WEBP", lossless=True), ".bmp": file_of(plain.convert("P"), "BMP"),
        ".jpeg": file_of(plain.convert("CMYK"), "JPEG"),
        ".tif": file_of(plain.resize((plain.width, plain.height // 2)), "TIFF", dpi=(204, 102)),
        ".tiff": file_of(Image.fromarray(np.asarray(plain).astype(np.uint16) * 200), "TIFF"),
    }  # fmt: skip
    for suffix, data in files.items():
        read, note = items(data, suffix)
        assert (suffix, read.text, read.places) == (suffix, TEXT, ())
        assert note == Note("scan", "page 1 of 1: read by OCR")


def test_each_page_of_a_tiff_is_a_place() -> None:
    pages = [snippet("The first page of three."), Image.new("L", (600, 300), 255), snippet("The last of them.")]
    first, *others = (page.convert("1") for page in pages)
    read, note, empty = items(file_of(first, "TIFF", save_all=True, append_images=others, compression="group4"), ".tif")
    assert read.text == "The first page of three.\n\nThe last of them."
    assert read.places == ((0, {"page": 1}), (26, {"page": 3}))
    assert note.reason == "pages 1, 3 of 3: read by OCR"
    assert empty.reason == "page 2 of 3: no text, and OCR finds none that it can read"


@pytest.mark.parametrize("turn", [Turn.ROTATE_90, Turn.ROTATE_180, Turn.ROTATE_270])
def test_what_was_laid_down_wrongly_is_read_upright(turn: Turn) -> None:
    assert items(file_of(snippet().transpose(turn), "PNG"))[0].text == TEXT


def test_a_long_screenshot_is_read_in_pieces() -> None:
    lines = [f"Message number {number} came in the night." for number in range(1, 61)]
    pages = drawn([page_of("\n".join(lines[at : at + 20]), 14) for at in (0, 20, 40)], 96)
    tall = Image.new("L", (700, 3 * 480), 255)
    for number, page in enumerate(pages):
        tall.paste(page.crop((40, 40, 740, 520)), (0, 480 * number))
    tall = tall.resize((1400, 2 * tall.height))
    assert tall.width * tall.height > ocr.PIECE_PIXELS
    assert items(file_of(tall, "PNG"))[0].text.split() == " ".join(lines).split()


def test_lines_that_it_is_not_sure_of_are_left_out_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.repeat(np.asarray(snippet())[..., None], 3, axis=2)
    [*lines] = ocr.recognized(pixels).lines
    assert [line.text for line in lines] == TEXT.split("\n")
    monkeypatch.setattr(ocr, "SURE", 1.01)
    assert ocr.recognized(pixels)[:2] == ([], "read by OCR; lines that it is not sure of were left out")


# -- what cannot be read


def large_among_small() -> list[Picture]:
    """Pages of which the second has more pixels than are read at a time."""
    wide = Image.new("L", (1280, 4000), 255)
    for top in range(0, 4000, 400):
        wide.paste(snippet(), (0, top))
    return [snippet("A small page."), wide, snippet("The last one.")]


@pytest.mark.parametrize(
    ("limit", "most", "why"),
    [
        # A small page takes between 500 and 600 MiB, the large one between 900 and 1,000.
        ("OCR_BYTES", 750 * 2**20, "it needs more than 750 MiB of memory to be read"),
        ("MOST_EXTENDED", 2, "it takes too long to read; it was given up"),
    ],
)
def test_a_page_over_the_limits_fails_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, limit: str, most: int, why: str
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))  # a process of its own: one that has read pages keeps their memory
    monkeypatch.setattr(child, limit, most)
    read, by_ocr, lost = items(scanned(large_among_small()), ".pdf")
    assert read.text == "A small page.\n\nThe last one."
    assert [place for _, place in read.places] == [{"page": 1}, {"page": 3}]
    assert (by_ocr, lost) == (
        Note("scan", "pages 1, 3 of 3: read by OCR"),
        Note("scan", f"page 2 of 3: not read by OCR: {why}"),
    )


def test_pages_of_a_tiff_that_are_too_large_or_damaged_fail_alone() -> None:
    first, *others = (
        snippet("The first page."),
        snippet("A torn page."),
        Image.new("L", (3000, 30)),
        snippet("The last one."),
    )
    data = file_of(first, "TIFF", save_all=True, append_images=others, compression="tiff_adobe_deflate")
    large = data.replace(struct.pack("<HHIHH", 256, 3, 1, 3000, 0), struct.pack("<HHII", 256, 4, 1, 5_000_000))
    with Image.open(io.BytesIO(data)) as pages:
        pages.seek(1)
        at = pages.tag_v2[273][0]
    torn = large[:at] + b"\xff" * 40 + large[at + 40 :]
    read, by_ocr, damaged, too_large = items(torn, ".tif")
    assert read.text == "The first page.\n\nThe last one."
    assert by_ocr.reason == "pages 1, 4 of 4: read by OCR"
    assert damaged.reason.startswith("page 2 of 4: not read by OCR: a picture that is damaged or cut short")
    limit = "a picture of 5,000,000 × 30 pixels; the limit is 120 million"
    assert too_large.reason == f"page 3 of 4: not read by OCR: {limit}"


def test_what_is_no_sound_picture_is_refused_in_a_line() -> None:
    whole = file_of(snippet(), "PNG")
    assert refused(png(60_000, 60_000)) == "a picture of 60,000 × 60,000 pixels; the limit is 120 million"
    assert refused(png(200_000, 200_000, depth=1)).startswith("a picture of 200,000 × 200,000 pixels")
    assert refused(whole[: len(whole) // 2]) == "a picture that is damaged or cut short (image file is truncated)"
    assert "damaged or cut short" in refused(png(500, 500, b"no zlib"))
    for data in (b"", b"plain words", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"GIF89a\1\0\1\0"):
        assert refused(data) == "no picture that can be read"


def test_a_picture_of_the_largest_size_that_is_taken_stays_within_the_memory() -> None:
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(12_001) * 100) for _ in range(100)) + packer.flush()
    assert refused(png(12_000, 10_000, rows)) == "a picture in which OCR finds no text that it can read"


def test_a_picture_without_words_is_passed_over() -> None:
    with pytest.raises(Unsupported, match="a picture in which OCR finds no text that it can read"):
        items(file_of(Image.new("RGB", (300, 200), (200, 180, 40)), "JPEG"), ".jpg")


def test_pictures_in_a_mail_are_read_too() -> None:
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Notes", "a@example.org", "b@example.org"
    mail.set_content("See the picture.")
    mail.add_attachment(file_of(snippet(), "PNG"), "image", "png", filename="notes.png")
    found = [item for item in items(bytes(mail), ".eml") if isinstance(item, Document)]
    assert [item.text for item in found if item.source.endswith("notes.png")] == [TEXT]


NO_SOCKETS = """
    import ctypes, struct, sys

    load, equal, answer = 0x20, 0x15, 0x06
    steps = [
        (load, 0, 0, 4), (equal, 0, 5, ARCHITECTURE), (load, 0, 0, 0), (equal, 0, 3, SOCKET),
        (load, 0, 0, 16), (equal, 2, 0, 2), (equal, 1, 0, 10), (answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x80000000),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]

    system, program = ctypes.CDLL(None, use_errno=True), Program(len(steps), ctypes.addressof(code))
    assert system.prctl(38, 1, 0, 0, 0) == 0
    assert system.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
    if sys.argv[1:]:
        from searcher.readers import ReadOptions, read_text

        print(next(iter(read_text(sys.stdin.buffer.read(), "x", ReadOptions(ocr=True), ".png"))).text)
    else:
        import socket

        socket.socket()
"""
SYSTEMS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # what seccomp calls them, and their socket(2)


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() not in SYSTEMS, reason="needs Linux's seccomp")
def test_whoever_opens_a_connection_is_killed_and_ocr_is_not() -> None:
    architecture, number = SYSTEMS[platform.machine()]
    code = textwrap.dedent(NO_SOCKETS).replace("ARCHITECTURE", hex(architecture)).replace("SOCKET", str(number))
    assert ctypes.sizeof(ctypes.c_void_p) == 8
    calling = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    if calling.returncode != -31:
        pytest.skip("no filter of system calls can be set here")
    reading = subprocess.run(
        [sys.executable, "-c", code, "read"], input=file_of(snippet(), "PNG"), capture_output=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert reading.stdout.decode().strip() == TEXT
