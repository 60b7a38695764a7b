"""Pictures, as scanners, telephones and screens make them: what OCR reads in them; each page of a TIFF is a place."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from searcher.errors import UnreadableFile
from searcher.readers.parsers.drafting import Draft
from searcher.readers.parsers.ocr import recognized, reduction
from searcher.readers.parsers.ocr_steps import NOT_READ, page_by_ocr
from searcher.readers.parsers.pdf_page import Page
from searcher.readers.parsers.pdf_setting import cleaned, notes, set_in_pages
from searcher.readers.raw import Item, Raw, ReadOptions, Unsupported

__all__ = ["EMBEDDED", "page_of", "read_picture"]

EMBEDDED = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")  # in documents
KINDS = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")
MOST_PIXELS = 120_000_000  # of a page: A3 at 800 to the inch; they are held as they are once
KIND_OF_PAGE, SMALLER = 254, 1  # of TIFF (NewSubfileType): a smaller picture of another page
PIECE = 2**20  # bytes
MOST_STRETCHED = 4  # times, that pixels are as high as wide
ORIENTATION = 0x0112  # of Exif: how a camera was held
TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
WHITE = (255, 255, 255, 255)
Image.MAX_IMAGE_PIXELS = None  # ours is asked before anything is decoded, and says so in one line


def read_picture(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """What is written in a picture, as one document; a Note says which pages OCR read, and which not.

    Raises UnreadableFile for a file that is no picture, damaged, or of too many pixels, Unsupported for a picture in
    which nothing is written.
    """
    with _opened(raw, KINDS) as picture:
        numbers = _numbers(picture)
    digest = _digest(raw)
    pages = [cleaned(page_of(raw, f"{digest} {number}", number)) for number in numbers]
    if not any(page.lines for page in pages):
        for page in pages:
            if page.fault and page.fault.startswith(NOT_READ):
                raise UnreadableFile(raw.source, page.fault.removeprefix(NOT_READ))
        raise Unsupported(raw.source, "a picture in which OCR finds no text that it can read")
    draft = Draft(raw.source)
    set_in_pages(draft, pages, [""] * len(pages))
    if len(pages) == 1:
        draft.places.clear()
    yield draft.document()
    yield from notes(raw.source, pages, ())


def page_of(raw: Raw, key: str, number: int = 0, kinds: Sequence[str] = KINDS) -> Page:
    """What OCR reads on a page of a picture, a step of its file that `key` stands for; a fault says why it fails."""

    def read() -> Page:
        with _opened(raw, kinds) as picture:
            return _page(raw, picture, number)

    return page_by_ocr(key, read)


@contextmanager
def _opened(raw: Raw, kinds: Sequence[str]) -> Iterator[Any]:
    """A picture, whose faults become an UnreadableFile in a line."""
    raw.stream.seek(0)
    try:
        with Image.open(raw.stream, formats=kinds) as picture:
            yield picture
    except UnidentifiedImageError:
        raise UnreadableFile(raw.source, "no picture that can be read") from None
    except (OSError, SyntaxError, ValueError, EOFError) as fault:
        raise UnreadableFile(raw.source, f"a picture that is damaged or cut short ({fault!s:.100})") from None


def _digest(raw: Raw) -> str:
    """Stands for the picture, which messages of a mailbox may repeat: it is then read once."""
    raw.stream.seek(0)
    digest = hashlib.sha256()
    while piece := raw.stream.read(PIECE):
        digest.update(piece)
    return digest.hexdigest()


def _numbers(picture: Any) -> list[int]:
    """Its pages: only a TIFF has several, and a smaller picture of one beside it is none."""
    if picture.format != "TIFF":
        return [0]
    numbers = []
    for number in range(picture.n_frames):
        picture.seek(number)
        if not picture.tag_v2.get(KIND_OF_PAGE, 0) & SMALLER:
            numbers.append(number)
    return numbers


def _page(raw: Raw, picture: Any, number: int) -> Page:
    picture.seek(number)
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise UnreadableFile(
            raw.source, f"a picture of {width:,} × {height:,} pixels; the limit is {MOST_PIXELS / 1e6:,.0f} million"
        )
    across, down = _dots(picture)
    dots = max(across, down)
    width, height = round(width * dots / across), round(height * dots / down)
    by = reduction(width, height, dots)
    size = max(1, round(width * by)), max(1, round(height * by))
    made = _plain(picture)
    orientation = picture.getexif().get(ORIENTATION, 1)
    if size != made.size:
        made = made.resize(size, Image.Resampling.BOX if by < 0.5 else Image.Resampling.LANCZOS)
    if made.mode == "RGBA":
        made = Image.alpha_composite(Image.new("RGBA", made.size, WHITE), made)
    if orientation in TURNED:
        made = made.transpose(TURNED[orientation])
    return recognized(np.asarray(made.convert("RGB"))[..., ::-1])


def _dots(picture: Any) -> tuple[float, float]:
    """Pixels to an inch, across and down, where the file says so and it may be: those of a fax are not square."""
    said = picture.info.get("dpi") or (0, 0)
    across, down = (float(dots) if math.isfinite(dots) else 0.0 for dots in said)
    return (across, down) if min(across, down) * MOST_STRETCHED > max(across, down) > 0 else (1.0, 1.0)


def _plain(picture: Any) -> Any:
    """The picture with 8 bits for each of its colours, in a mode that can be made smaller."""
    if picture.mode[0] in "IF":
        values = np.asarray(picture, dtype=np.float32)
        span = float(np.ptp(values)) or 1.0
        return Image.fromarray(((values - values.min()) * (255 / span)).astype(np.uint8))
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
