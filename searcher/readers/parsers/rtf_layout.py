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
        _put_below(draft, texts, NAMES.findall(line), pictures)
        before = before if draft.length == length else "below"
    metadata: dict[str, Any] = {key: one_line(texts.said(name)) for name, key in DECLARED.items()}
    return draft.document(metadata.pop("title") or None, metadata)


def _row(cells: str) -> str:
    return " | ".join(one_line(cell) for cell in cells.replace(ROW, "").rstrip(CELL).split(CELL)).rstrip(" |")


def _put_below(draft: Draft, texts: Texts, names: list[str], pictures: Pictures) -> None:
    """Pictures, comments and notes, below each what is marked in it."""
    waiting = names[::-1]
    while waiting:
        name = waiting.pop()
        said = texts.said(name)
        waiting += NAMES.findall(said)[::-1]
        if blip := texts.blips.get(name):
            pictures.put_data(draft, blip.file(), blip.kind)
            continue
        lines = LINE_END.split(MARKED.sub("", said))
        text = "\n".join(_row(line) if CELL in line or ROW in line else line for line in lines).strip()
        draft.put(commented(text, texts.authors[name]) if name in texts.authors else text)
