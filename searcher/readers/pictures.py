"""Pictures and other files pasted into a text as base64: taken out, so that they are no passages, and told."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from searcher.records import Document, Note

__all__ = ["without_pictures"]

SHORTEST = 200  # characters of data; less is little noise
# How PNG, JPEG, GIF, WebP, BMP, TIFF, SVG, XML, PDF, zip (Office), gzip, WOFF, ID3 and Ogg begin in base64.
MAGIC = (
    *("iVBORw0KGgo", "/9j/", "R0lGOD", "UklGR", "Qk0", "SUkqA", "TU0AK", "PHN2Zy", "PD94bWwg", "JVBERi0", "UEsDB"),
    *("H4sI", "d09G", "SUQz", "T2dnUw"),
)
END_OF_LINE = re.compile(r"\r?\n")
_BREAK = r"(?:\r?\n|\\n)[ \t]*+"  # within data; JSON writes it with a backslash
_RUN = r"[A-Za-z0-9+/_-]"
_LAST = rf"{_BREAK}{_RUN}++(?==*[ \t]*(?:[\"'>)\]\\]|\r?\n|\Z))"  # all of its line, as the last of several may be short
_BASE64 = rf"(?:{_BREAK})?+{_RUN}{{40,}}+(?:(?:{_BREAK}{_RUN}{{40,}}+)++(?:{_LAST})?+)?+=*+"
URI = re.compile(rf"data:[\w.+/;=-]{{0,100}}?(?:;base64,(?P<base64>{_BASE64})|,(?P<plain>[^\s\"'<>()\\]++))")
BARE = re.compile(rf"(?<![A-Za-z0-9+/_-])(?P<base64>{_BASE64})(?P<plain>(?!))?")
INSTEAD = "…"


def without_pictures(document: Document) -> tuple[Document, Note | None]:
    """The document without the data of pasted files, a dot in the place of each, and what is to be told of it.

    Lines stay where they are; sections and breaks move with the text.
    """
    text, cuts = _cut(document.text)
    answer = document.metadata.get("answer")
    said, more = _cut(answer) if isinstance(answer, str) else (answer, [])
    if not cuts and not more:
        return document, None
    starts = [start for start, _ in cuts]
    lost = [0, *accumulate(removed for _, removed in cuts)]

    def moved(at: int) -> int:
        return at - lost[bisect_right(starts, at)]

    size = sum(removed for _, removed in [*cuts, *more]) * 3 / 4 / 1000
    count = len(cuts) or len(more)
    what = "1 file pasted as base64 is" if count == 1 else f"{count} files pasted as base64 are"
    note = Note(document.source, f"{what} left out, {size:,.1f} kB")
    return replace(
        document,
        text=text,
        sections=tuple((moved(start), path) for start, path in document.sections),
        breaks=tuple(map(moved, document.breaks)),
        metadata={**document.metadata, "answer": said} if more else document.metadata,
    ), note


def _cut(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text without data of pasted files, and where each stood with how many characters it lost."""
    pieces, cuts, done = [], [], 0
    for start, end in sorted(_found(text)):
        if start < done:  # a URI holds what is data by itself
            continue
        instead = INSTEAD + "".join(END_OF_LINE.findall(text, start, end))
        pieces += [text[done:start], instead]
        cuts.append((start, end - start - len(instead)))
        done = end
    return "".join([*pieces, text[done:]]), cuts


def _found(text: str) -> Iterator[tuple[int, int]]:
    """Where data stands, in any order; each mark is looked for by itself, which costs next to nothing."""
    for mark, kind in [("data:", URI), *((magic, BARE) for magic in MAGIC)]:
        at = text.find(mark)
        while at >= 0:
            data = kind.match(text, at)
            span = data.span("base64" if data["base64"] else "plain") if data else (0, 0)
            if span[1] - span[0] >= SHORTEST:
                yield span
            at = text.find(mark, max(at + 1, span[1]))
