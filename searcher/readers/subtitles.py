"""Subtitles, SubRip, WebVTT and SubStation Alpha: what is said, each cue's time a place."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from searcher.places import Place
from searcher.readers.decoding import decoded
from searcher.readers.raw import Item, Raw, ReadOptions
from searcher.records import Document, Failure

__all__ = ["read_ssa", "read_subtitles"]

TIME = r"(-?)(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
TIMES = re.compile(rf"^[ \t]*{TIME}[ \t]*--?>[ \t]*{TIME}.*$", re.MULTILINE)
NUMBER = re.compile(r"(?:^|\n)[ \t]*\d+[ \t]*\n\Z")  # of the cue whose times follow
RUBY = re.compile(r"<ruby[^<>]*>((?:(?!</ruby>).)*)(?:</ruby>|\Z)", re.IGNORECASE | re.DOTALL)
READING = re.compile(r"<rt[^<>]*>([^<>]*)(?:</rt>)?", re.IGNORECASE)
TAG = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>]*)>|</?[a-z][^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}", re.IGNORECASE)
BREAK = re.compile(r"(?<!:)\\[Nh]")  # of SubStation Alpha, which players know in SubRip too
# Of SubStation Alpha: the parts of an event, what says how words look, that they are shapes, ends of lines.
USUAL = ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"]
OVERRIDE = re.compile(r"(\{[^{}]*\})([^{}]*)")
DRAWING = re.compile(r"\\p[1-9]")
LINE = re.compile(r"\\[Nn]")
PAUSE = 3.0  # seconds without a word, after which a paragraph begins
AT_ONCE = 0.1  # seconds; captions that roll follow each other so closely


class Cue(NamedTuple):
    """From when to when, in seconds, which lines are shown."""

    start: float
    end: float
    lines: list[str]


def read_subtitles(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The cues as one text in the order in which they are shown, a line for each, a blank line where nobody speaks. A
    Failure where there are none.
    """
    yield _shown_of(raw, _cues)


def read_ssa(raw: Raw, options: ReadOptions) -> Iterator[Item]:
    """The same for SubStation Alpha, of which neither styles nor drawings nor what is commented out is read."""
    yield _shown_of(raw, _events)


def _shown_of(raw: Raw, cues_of: Callable[[str], Iterator[Cue]]) -> Item:
    text = decoded(raw).replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    cues = sorted(cues_of(text), key=lambda cue: cue.start)
    if not cues and text.strip():
        return Failure(raw.source, "no subtitles: no line says from when to when something is shown")
    pieces: list[str] = []
    places: list[tuple[int, Place]] = []
    length, ended, above = 0, 0.0, list[str]()
    for cue in cues:
        rolled = _rolled(above, cue.lines) if cue.start <= ended + AT_ONCE else 0
        said = " ".join(cue.lines[rolled:])
        gap = "" if not pieces else "\n\n" if cue.start - ended > PAUSE else "\n"
        if cue.lines:
            ended, above = max(ended, cue.end), cue.lines
        if said:
            places.append((length + len(gap), {"time": _shown(cue.start)}))
            pieces += [gap, said]
            length += len(gap) + len(said)
    return Document(raw.source, "".join(pieces), places=tuple(places))


def _cues(text: str) -> Iterator[Cue]:
    """Those of a file, in its order; a number above the times is none of the cue before."""
    is_vtt = text.startswith("WEBVTT")
    found = list(TIMES.finditer(text))
    for times, after in zip(found, [*found[1:], None], strict=False):
        block = text[times.end() : len(text) if after is None else after.start()].removeprefix("\n")
        if after is not None:
            block = NUMBER.sub("", block)
        # In WebVTT a name or a note may follow the blank line; in SubRip it is one of the cue.
        block = f"\n{block}".split("\n\n")[0] if is_vtt else BREAK.sub(" ", block)
        parts = times.groups()
        yield Cue(_seconds(parts[:5]), _seconds(parts[5:]), _said(block))


def _events(text: str) -> Iterator[Cue]:
    """Those of SubStation Alpha, in which a line above the events says what their parts are."""
    parts, within = USUAL, False
    for line in text.split("\n"):
        kind, _, said = line.partition(":")
        if line.startswith("["):
            within = line.strip().lower() == "[events]"
        elif within and kind == "Format":
            parts = [part.strip().lower() for part in said.split(",")]
        elif within and kind == "Dialogue":
            event = dict(zip(parts, said.split(",", len(parts) - 1), strict=False))
            times = TIMES.match(f"{event.get('start', '')} --> {event.get('end', '')}")
            if times:
                shown = OVERRIDE.sub(_worded, event.get("text", "").replace("\\h", " "))
                lines = [" ".join(each.split()) for each in LINE.split(shown)]
                yield Cue(_seconds(times.groups()[:5]), _seconds(times.groups()[5:]), [each for each in lines if each])


def _worded(override: re.Match[str]) -> str:
    """What follows an override, nothing where that makes a drawing of it."""
    return "" if DRAWING.search(override[1]) else override[2]


def _seconds(parts: tuple[str | None, ...]) -> float:
    """What a time says; one before the beginning is the beginning."""
    sign, hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return 0.0 if sign == "-" else 3600 * int(hours) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")


def _shown(seconds: float) -> str:
    whole, thousandths = divmod(round(1000 * seconds), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{thousandths:03}"


def _said(block: str) -> list[str]:
    """The lines of a cue that say something; a speaker's name before what is said."""
    import html

    text = RUBY.sub(_read, block)
    text = TAG.sub(lambda tag: f"{tag[1].strip()}: " if tag[1] else "", text)
    lines = [" ".join(html.unescape(line).split()) for line in text.split("\n")]
    return [line for line in lines if line]


def _read(ruby: re.Match[str]) -> str:
    """Characters, and behind all of them how they are read."""
    said = "".join(READING.findall(ruby[1]))
    return READING.sub("", ruby[1]) + (f"({said})" if said else "")


def _rolled(above: list[str], lines: list[str]) -> int:
    """How many of the first lines are the last ones of those above: captions that roll show them again."""
    most = min(len(above), len(lines))
    return next((count for count in range(most, 0, -1) if above[-count:] == lines[:count]), 0)
