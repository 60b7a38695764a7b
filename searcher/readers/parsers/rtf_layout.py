"""The texts of an RTF file set under each other: paragraphs, rows of tables, and below each what is marked in it."""

import re
from typing import Any

from searcher.readers.parsers.drafting import Draft, one_line
from searcher.readers.parsers.embedded import Pictures
from searcher.readers.parsers.ooxml import commented
from searcher.readers.parsers.rtf_codes import CELL, LINE, ROW
from searcher.readers.parsers.rtf_texts import LABEL, LEVEL, MARGIN, TEXT, UNDER, Texts
from searcher.readers.parsers.rtf_words import DECLARED
from searcher.records import Document

__all__ = ["laid_out"]

LINE_END = re.compile(f"\n|(?<={ROW})")
LEVELS = re.compile(rf"{LEVEL}(\d){LEVEL}")
NAMES = re.compile(f"{UNDER}([^{UNDER}]+){UNDER}")
LABELS = re.compile(f"{LABEL}([^{LABEL}\t]*)\t?")
INDENT = "  "  # what a line of code begins with
CLOSE = {ROW, LABEL}  # lines that stand close to another of their kind
MARKED = re.compile(f"[{UNDER}{LEVEL}][^{UNDER}{LEVEL}]*[{UNDER}{LEVEL}]")


def laid_out(texts: Texts, source: str, pictures: Pictures) -> Document:
    """The document."""
    draft, level, before = Draft(source), 0, ""
    for line in LINE_END.split(texts.said(TEXT)):
        for found in LEVELS.findall(line):
            level = int(found)
        kind, text = _shown(line)
        if text.strip():
            kind = TEXT if kind == LABEL and level else kind
            draft.put(text, "\n" if kind == before and kind in CLOSE else "\n\n", 0 if kind == ROW else level)
            before = kind
        length = draft.length
        _put_below(draft, texts, NAMES.findall(line), pictures)
        before = before if draft.length == length else "below"
    draft.put_margins(_shown(line)[1] for line in LINE_END.split(texts.said(MARGIN)))
    metadata: dict[str, Any] = {key: one_line(texts.said(name)) for name, key in DECLARED.items()}
    return draft.document(metadata.pop("title") or None, metadata)


def _shown(line: str) -> tuple[str, str]:
    """What a line is, and what it says."""
    shown = MARKED.sub("", line)
    if CELL in shown or ROW in shown:
        return ROW, _row(LABELS.sub(r"\1 ", shown))
    kind = LABEL if LABEL in shown else TEXT
    label, shown = _labelled(shown)
    shown = shown.replace(LINE, "\n").strip("\t\n").rstrip()
    return kind, label + (shown if shown.startswith(INDENT) else shown.lstrip())


def _labelled(text: str) -> tuple[str, str]:
    """What stands before an item of a list, of which there may be one for older programs too, and the rest."""
    first = LABELS.search(text)
    label = one_line(first[1]) if first else ""
    return f"{label} " if label else "", LABELS.sub("", text)


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
        text = "\n".join(_shown(line)[1] for line in lines).strip()
        draft.put(commented(text, texts.authors[name]) if name in texts.authors else text)
