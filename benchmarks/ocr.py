"""How many words of a page does OCR read, in which fonts, sizes and resolutions, and how long does a page take?

    SEARCHER_DATA=… python benchmarks/ocr.py [--pages 1] [--seed 0] [--worn]

Pages of A4 are filled with abstracts of SciFact, others for each page, and drawn grey. One thing changes at a time: the
font, its size in points, the resolution in pixels to an inch, and (`--worn`) what a scanner does: a page laid down 2°
askew, out of focus, with noise, as a JPEG of low quality, in black and white. Fonts that the machine lacks are passed over.
A word is right where it is read as it stands, its comma and bracket too, as often as it is there; lines are not compared.

Time is the processor's, in this process, from the bytes of a PNG to the text, after one page to warm up.
"""

import argparse
import io
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from common import data_folder, report
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from searcher.readers import ReadOptions
from searcher.readers.parsers.scans import read_picture
from searcher.readers.raw import Raw
from searcher.records import Document

FONTS = {
    "serif": "LiberationSerif-Regular", "sans": "LiberationSans-Regular", "mono": "LiberationMono-Regular",
    "serif italic": "LiberationSerif-Italic", "sans bold": "LiberationSans-Bold", "narrow": "LiberationSansNarrow-Regular",
    "DejaVu sans": "DejaVuSans", "DejaVu serif": "DejaVuSerif",
}  # fmt: skip
USUAL = ("serif", 11, 200)
SIZES, RESOLUTIONS = (6, 8, 14), (75, 100, 150, 300)
A4, MARGIN, INCH = (595, 842), 57, 72  # points
Picture = Any


def texts(seed: int) -> Iterator[str]:
    """Abstracts of which every sign is in any font, in random order."""
    lines = (data_folder() / "scifact" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    abstracts = [text for text in (json.loads(line)["text"] for line in lines) if text.isascii()]
    random.Random(seed).shuffle(abstracts)
    return iter(abstracts)


def drawn(source: Iterator[str], font: str, size: float, dots: int) -> tuple[Picture, list[str]]:
    """A page full of text, and its words."""
    face = ImageFont.truetype(f"{FONTS[font]}.ttf", size * dots / INCH)
    width, height, margin = (round(points * dots / INCH) for points in (*A4, MARGIN))
    page, words, top = Image.new("L", (width, height), 255), [], margin
    pen, step = ImageDraw.Draw(page), round(1.25 * size * dots / INCH)
    while True:
        for line in wrapped(next(source).split(), lambda text: pen.textlength(text, face) <= width - 2 * margin):
            if top + step > height - margin:
                return page, words
            pen.text((margin, top), " ".join(line), 20, face)
            words += line
            top += step
        top += step


def wrapped(words: list[str], fits: Callable[[str], bool]) -> Iterator[list[str]]:
    """Lines of words."""
    line: list[str] = []
    for word in words:
        if line and not fits(" ".join([*line, word])):
            yield line
            line = []
        line.append(word)
    yield line


def askew(page: Picture) -> Picture:
    """Laid down by two degrees aside."""
    return page.rotate(2, Image.Resampling.BICUBIC, fillcolor=255)


def out_of_focus(page: Picture) -> Picture:
    """Blurred over a pixel and a half."""
    return page.filter(ImageFilter.GaussianBlur(1.5))


def noisy(page: Picture) -> Picture:
    """Normal noise of a standard deviation of 30 of 255."""
    pixels = np.asarray(page) + np.random.default_rng(0).normal(0, 30, (page.height, page.width))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def jpeg(page: Picture) -> Picture:
    """Kept as a JPEG of quality 15."""
    stream = io.BytesIO()
    page.save(stream, "JPEG", quality=15)
    return Image.open(stream)


def black_and_white(page: Picture) -> Picture:
    """With one bit a pixel, as a fax."""
    return page.point(lambda value: 255 * (value > 127)).convert("1")


WORN = {"2° askew": askew, "out of focus": out_of_focus, "noise": noisy, "JPEG": jpeg, "1 bit": black_and_white}


def read(page: Picture, dots: int) -> tuple[list[str], float]:
    """The words that are read, and seconds of the processor's time."""
    stream = io.BytesIO()
    page.save(stream, "PNG", dpi=(dots, dots))
    data = stream.getvalue()
    begun = time.process_time()
    document = next(read_picture(Raw("page", io.BytesIO(data), len(data)), ReadOptions(ocr=True)))
    taken = time.process_time() - begun
    assert isinstance(document, Document)
    return document.text.split(), taken


def main() -> None:
    """A line for each kind of page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=1, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worn", action="store_true")
    given = parser.parse_args()
    font, size, dots = USUAL
    kinds: list[tuple[str, tuple[str, float, int], Callable[[Picture], Picture]]] = []
    kinds += [(name, (name, size, dots), lambda page: page) for name in FONTS if there(name)]
    kinds += [(f"{each} pt", (font, each, dots), lambda page: page) for each in SIZES]
    kinds += [(f"{each} to the inch", (font, size, each), lambda page: page) for each in RESOLUTIONS]
    kinds += [(name, USUAL, change) for name, change in WORN.items()] if given.worn else []
    source = texts(given.seed)
    read(drawn(source, *USUAL)[0], dots)
    result: dict[str, list[float]] = {}
    for name, how, change in kinds:
        right = wanted = 0
        seconds = []
        for _ in range(given.pages):
            page, words = drawn(source, *how)
            found, taken = read(change(page), how[2])
            right += (Counter(words) & Counter(found)).total()
            wanted += len(words)
            seconds.append(taken)
        result[name] = [right, wanted, round(1000 * statistics.median(seconds))]
        print(
            f"{name:18} {right:5} of {wanted:5} words ({right / wanted:.3f}), {result[name][2]:6,} ms a page",
            flush=True,
        )
    right, wanted = (sum(int(row[at]) for row in result.values()) for at in (0, 1))
    report("ocr", {"right": right, "words": wanted, "recall": round(right / wanted, 4), "kinds": result})


def there(font: str) -> bool:
    """Whether the machine has it."""
    try:
        ImageFont.truetype(f"{FONTS[font]}.ttf", 10)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
