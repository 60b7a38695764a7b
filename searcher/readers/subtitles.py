"""Subtitles, SubRip and WebVTT: what is said, each cue's time a place."""

import re
from collections.abc import Iterator

from searcher.places import Place
from searcher.readers.decoding import decoded
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document, Failure

__all__ = ["read_subtitles"]

TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
TIMES = re.compile(rf"^[ \t]*{TIME}[ \t]*-->[ \t]*{TIME}.*$", re.MULTILINE)
TAG = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>]*)>|</?[a-z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}", re.IGNORECASE)
PAUSE = 3.0  # seconds without a word, after which a paragraph begins


def read_subtitles(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The cues as one text, a line for each, a blank line where nobody speaks. A Failure where there are none."""
    text = decoded(raw).replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    found = list(TIMES.finditer(text))
    pieces: list[str] = []
    places: list[tuple[int, Place]] = []
    length, ended, before = 0, 0.0, ""
    for number, times in enumerate(found):
        stop = found[number + 1].start() if number + 1 < len(found) else len(text)
        said = _said(text[times.end() : stop])
        hours, minutes, seconds, fraction = (times[group] or "0" for group in range(1, 5))
        start = 3600 * int(hours) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")
        if not said or said == before:  # captions that roll repeat the line above
            continue
        gap = "" if not pieces else "\n\n" if start - ended > PAUSE else "\n"
        length += len(gap)
        places.append(
            (length, {"time": f"{int(hours):02}:{int(minutes):02}:{int(seconds):02}.{fraction.ljust(3, '0')}"})
        )
        pieces += [gap, said]
        length += len(said)
        hours, minutes, seconds, fraction = (times[group] or "0" for group in range(5, 9))
        ended, before = 3600 * int(hours) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}"), said
    if not found and text.strip():
        yield Failure(raw.source, "no subtitles: no line says from when to when something is shown")
    else:
        yield Document(raw.source, "".join(pieces), places=tuple(places))


def _said(block: str) -> str:
    """The lines of a cue on one line, up to the blank line; a speaker's name before what is said."""
    import html

    lines = block.removeprefix("\n").split("\n\n")[0]
    text = TAG.sub(lambda tag: f"{tag[1].strip()}: " if tag[1] else "", lines)
    return " ".join(html.unescape(text).split())
