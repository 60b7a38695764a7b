"""What stands written in a picture: its lines, told from the pixels by RapidOCR, and where each stands.

The models are PP-OCRv6's small ones, which come in RapidOCR's wheel: nothing is fetched. Their time and memory go with
the pixels, of which a picture is therefore read so many at a time.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from rapidocr import RapidOCR

from searcher.readers.apart import more_time
from searcher.readers.parsers.ocr_order import in_reading_order
from searcher.readers.parsers.pdf_page import Box, Line, Page

__all__ = ["DPI", "MOST_PIXELS", "NOTHING_READ", "PIECE_SECONDS", "recognized", "reduction"]

BY_OCR = "read by OCR"
PARTLY_BY_OCR = "read by OCR; lines that it is not sure of were left out"
NOTHING_READ = "no text, and OCR finds none that it can read"
DPI = 170  # to which what has more is made smaller
MOST_PIXELS = 45_000_000  # of a picture, by when a poster of A0 is read; larger ones are made smaller
BELIEVED = 100  # pixels to an inch; files say 72 or 96 where nobody knows
PAGE_SIDE = 1414  # pixels that the shorter side of a page has at this, where nobody knows
PIECE_PIXELS = 2_900_000  # that are read at a time, in some 0.8 GB: a page of A4 or Letter
LEAST_SIDE = 736  # of a piece; a smaller one RapidOCR would enlarge, whatever its other side is
PIECE_SECONDS = 60.0  # of processor time for a piece at most; 6 to 11 are usual, 30 for small print
SURE = 0.5  # the mean probability of a line's characters, below which PaddleOCR leaves lines out too
DOUBTFUL = 0.75  # that of a page, below which it may stand on its head
LETTERS = 0.83  # of the height of a box, which has a margin, for the height of a font
SAME_SIZE = (0.6, 1.25)  # times the usual height of a box, for letters of one size: those of digits are lower
NO_MEMORY = re.compile("bad_alloc|bad allocation|Failed to allocate|Insufficient memory")
ENGINE = {
    "Global.log_level": "critical",
    "Global.use_cls": False,  # whether single lines stand on their heads, which pages do as a whole
    "Global.max_side_len": 10**6,  # pieces are small enough
    "Global.use_vertical_padding": False,
    "Global.text_score": 0.0,
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


class Found(NamedTuple):
    """A line in a picture. corners: (4, 2), in pixels from the left and the top, clockwise from where it begins."""

    text: str
    score: float
    corners: np.ndarray


def recognized(pixels: np.ndarray, dots: float = DPI) -> Page:
    """The lines of a picture, of which `dots` pixels make an inch, in the order in which a person reads them.

    pixels: uint8 (height, width, 3), blue first. Where it lies on its side or stands on its head it is read upright.
    """
    found = _found(pixels)
    if _lies(found):
        found = max(_found(np.rot90(pixels)), _found(np.rot90(pixels, 3)), key=_certainty)
    elif found and _certainty(found) < DOUBTFUL:
        found = max(found, _found(np.rot90(pixels, 2)), key=_certainty)
    sure = [line for line in found if line.score >= SURE]
    fault = NOTHING_READ if not found else BY_OCR if len(sure) == len(found) else PARTLY_BY_OCR
    return Page(in_reading_order(_lines(sure, 72 / dots)), fault, seen=True)


def reduction(width: int, height: int, dots: float) -> float:
    """By what a picture is made smaller before it is read, at most 1. dots: pixels to an inch, as it says itself."""
    wanted = DPI / dots if dots >= BELIEVED else PAGE_SIDE / min(width, height)
    return min(1.0, wanted, (MOST_PIXELS / (width * height)) ** 0.5)


def _certainty(found: Sequence[Found]) -> float:
    """The mean probability of the characters."""
    signs = sum(len(line.text) for line in found)
    return sum(line.score * len(line.text) for line in found) / signs if signs else 0.0


def _lies(found: Sequence[Found]) -> bool:
    """Whether most that is written runs up or down the picture."""
    heights = np.array([np.ptp(line.corners, axis=0) for line in found if len(line.text) > 2])
    return len(heights) > 0 and float(np.mean(heights[:, 1] > 1.5 * heights[:, 0])) > 0.5


# -- pixels


@cache
def _engine() -> RapidOCR:
    cv2.setNumThreads(1)
    logging.disable(logging.CRITICAL)
    return RapidOCR(params=ENGINE)


def _found(pixels: np.ndarray) -> list[Found]:
    """All lines of a picture, read a piece at a time."""
    found = []
    for left, top, piece in _pieces(pixels):
        if piece.min() == piece.max():
            continue
        more_time(PIECE_SECONDS)
        read = _read(piece)
        if read.txts is not None and read.boxes is not None:
            for text, score, corners in zip(read.txts, read.scores, read.boxes, strict=True):
                found.append(Found(" ".join(text.split()), float(score), corners + np.array([left, top])))
    return [line for line in found if line.text]


def _read(piece: np.ndarray) -> Any:
    """What RapidOCR finds. MemoryError where any of its libraries has too little memory, which each says otherwise."""
    try:
        return _engine()(_bordered(piece))
    except Exception as fault:
        if NO_MEMORY.search(str(fault)):
            raise MemoryError from None
        raise


def _pieces(pixels: np.ndarray, left: int = 0, top: int = 0) -> Iterator[tuple[int, int, np.ndarray]]:
    """The picture in pieces that can be read at once, each with where it begins; cut where there is least on a line."""
    height, width = pixels.shape[:2]
    if height * width <= PIECE_PIXELS:
        yield left, top, pixels
        return
    across = height >= width
    side = height if across else width
    middle = slice(side // 3, side - side // 3)
    strip = pixels[middle, :, 1] if across else pixels[:, middle, 1]
    cut = middle.start + int(strip.std(axis=1 if across else 0).argmin())
    if across:
        yield from _pieces(pixels[:cut], left, top)
        yield from _pieces(pixels[cut:], left, top + cut)
    else:
        yield from _pieces(pixels[:, :cut], left, top)
        yield from _pieces(pixels[:, cut:], left + cut, top)


def _bordered(piece: np.ndarray) -> np.ndarray:
    height, width = piece.shape[:2]
    below, right = max(0, LEAST_SIDE - height), max(0, LEAST_SIDE - width)
    return cv2.copyMakeBorder(np.ascontiguousarray(piece), 0, below, 0, right, cv2.BORDER_REPLICATE)


# -- lines


def _lines(found: Sequence[Found], points: float) -> list[Line]:
    """The lines as those of a PDF's page, which is turned so that they are level. points: that a pixel has."""
    if not found:
        return []
    corners = points * np.array([line.corners for line in found], dtype=float) * (1, -1)
    along = corners[:, 1] - corners[:, 0]
    widths, heights = np.hypot(*along.T), LETTERS * np.hypot(*(corners[:, 3] - corners[:, 0]).T)
    level = widths > heights
    slope = float(np.median(along[level, 1] / along[level, 0])) if level.any() else 0.0
    centres = corners.mean(axis=1) @ np.array([[1.0, -slope], [slope, 1.0]])  # nearly a rotation: the angle is small
    usual = float(np.median(heights[level])) if level.any() else 0.0
    least, most = SAME_SIZE
    sizes = np.where((heights > least * usual) & (heights < most * usual), usual, heights)
    sides = (side.tolist() for side in (*centres.T, widths, sizes))
    return [_line(line.text, *side) for line, *side in zip(found, *sides, strict=True)]


def _line(text: str, x: float, y: float, width: float, height: float) -> Line:
    """A line around a centre. One that is higher than wide runs upwards, as what is printed in a margin does."""
    left, right, bottom, top = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    if height > 1.5 * width and len(text) > 2:
        step = height / len(text)
        return Line.of(text, Box(left, right, bottom, bottom + step), Box(left, right, top - step, top), width)
    step = width / len(text)
    return Line.of(text, Box(left, left + step, bottom, top), Box(right - step, right, bottom, top), height)
