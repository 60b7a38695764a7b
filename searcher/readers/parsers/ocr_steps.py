"""A page that OCR reads as a step of its file: what fails there, or is over the limits, fails that page alone."""

from collections.abc import Callable
from typing import Any

from searcher.readers.apart import StepLost, step
from searcher.readers.parsers.ocr import PIECE_SECONDS
from searcher.readers.parsers.pdf_page import Line, Page

__all__ = ["NOT_READ", "page_by_ocr"]

NOT_READ = "not read by OCR: "


def page_by_ocr(key: str, read: Callable[[], Page]) -> Page:
    """The page that `read` gives; one without lines, whose fault begins with NOT_READ, where it fails.

    key: stands for the page or the picture, as that of `step` does. An UnreadableFile of `read` says why it fails.
    """
    try:
        lines, fault = step(key, PIECE_SECONDS, lambda: _value(read()))
    except StepLost as lost:
        return Page([], f"{NOT_READ}{lost}", seen=True)
    return Page([Line(*line) for line in lines], fault, seen=True)


def _value(page: Page) -> list[Any]:
    """The page as JSON holds it."""
    return [page.lines, page.fault]
