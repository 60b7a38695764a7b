"""The texts of an RTF file set under each other: paragraphs, rows of tables, and below each what is marked in it."""

import re
from typing import Any

from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.ooxml import commented
from searcher.readers.parsers.rtf_codes import CELL, ROW
from searcher.readers.parsers.rtf_texts import LEVEL, TEXT, UNDER, Texts
from searcher.readers.parsers.rtf_words import DECLARED
from searcher.records import Document

__all__ = ["laid_out"]

LINE_END = re.compile(f"\n|(?<={ROW})")
LEVELS = re.compile(rf"{LEVEL}(\d){LEVEL}")
NAMES = re.compile(f"{UNDER}([^{UNDER}]+){UNDER}")
MARKED = re.compile(f"[{UNDER}{LEVEL}][^{UNDER}{LEVEL}]*[{UNDER}{LEVEL}]")


def laid_out(texts: Texts, source: str, pictures: Pictures) -> Document:
    """The document."""
    draft, level, before = Draft(source), 0, ""
    for line in LINE_END.split(texts.said(TEXT)):
        for found in LEVELS.findall(line):
            level = int(found)
        shown = MARKED.sub("", line)
        is_row = CELL in shown or ROW in shown
        kind, text = ("row", _row(shown)) if is_row else (TEXT, shown.strip())
        if text.strip():
            draft.put(text, "\n" if kind == before == "row" else "\n\n", 0 if is_row else level)
            before = kind
        length = draft.length
        for name in NAMES.findall(line):
            _put_below(draft, texts, name, pictures)
        before = before if draft.length == length else "below"
    metadata: dict[str, Any] = {key: one_line(texts.said(name)) for name, key in DECLARED.items()}
    return draft.document(metadata.pop("title") or None, metadata)


def _row(cells: str) -> str:
    return " | ".join(one_line(cell) for cell in cells.replace(ROW, "").rstrip(CELL).split(CELL)).rstrip(" |")


def _put_below(draft: Draft, texts: Texts, name: str, pictures: Pictures) -> None:
    """A picture, a comment or a note."""
    if blip := texts.blips.get(name):
        pictures.put_data(draft, blip.file(), blip.kind)
    elif name in texts.authors:
        draft.put(commented(texts.said(name), texts.authors[name]))
    else:
        draft.put(texts.said(name).strip())
