"""What a person writes for a place in a document → where that is in its text: the inverse of how places are said."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from searcher.errors import BadValue
from searcher.places import SAID, said
from searcher.plain import is_there
from searcher.records import HEADINGS, Document

__all__ = ["Stretch", "around", "section_of", "stretch_at"]

SHOWN = 5  # names in a message
SPACES, ARROW = re.compile(r"\s+"), re.compile(r"\s*>\s*")
START = re.compile(r"[0-9]{1,18}")
LINE = re.compile(r"(?:lines? |l\. ?)([0-9]{1,18})")
PAGE = re.compile(r"(?:pages? |pp?\. ?|pg\.? |p )")  # as people shorten it
TIME = re.compile(r"(?:at )?(?:([0-9]{1,6}):)?([0-9]{1,2}):([0-9]{2})(?:[.,]([0-9]{1,3}))?")
CAPTION_SECONDS = 60.0  # that the last caption stands at most: its end is not stored
PLURAL = {
    "page": "pages", "slide": "slides", "row": "rows", "cell": "cells", "message": "messages", "time": "times",
    "picture": "pictures", "label": "printed labels", "sheet": "sheets", "chapter": "chapters", "name": "names",
}  # fmt: skip


@dataclass(frozen=True)
class Stretch:
    """A stretch `document.text[start:end]` that a person named. point: whether a point or a line, no whole, was."""

    document: Document
    start: int
    end: int
    point: bool = False


def stretch_at(documents: Sequence[Document], at: str | int) -> Stretch:
    """Where a place is in the documents of a file.

    at: a code point of the text, or words as hits say them: "page 3", "p. iv", "slide 2, notes", "sheet Costs, row 5",
    "line 120", "00:12:30", a heading path or its end, the qualified name of a definition.

    Raises BadValue, naming what there is, for a place that is not there or that is several.
    """
    wanted = _plain(str(at))
    if isinstance(at, int) or START.fullmatch(wanted):
        return _start(documents, int(at))
    shortened = _plain(PAGE.sub("page ", wanted, count=1)) if PAGE.match(wanted) else wanted
    for find, words in ((_said, wanted), (_said, shortened), (_headed, wanted), (_line, wanted), (_time, wanted)):
        found = list(find(documents, words))
        if len(found) > 1:
            raise BadValue(
                f"{at!r} is {len(found):,} places: {_listed(map(_named, found))}; give more of one, or START"
            )
        if found:
            return found[0]
    raise BadValue(f"no place {at!r:.80}; there are {_what_there_is(documents)}")


def _plain(words: str) -> str:
    return ARROW.sub(HEADINGS, SPACES.sub(" ", words.strip())).casefold()


def _start(documents: Sequence[Document], at: int) -> Stretch:
    if len(documents) > 1:
        names = _listed(document.source for document in documents)
        raise BadValue(f"START counts in one document; these are {len(documents):,}: {names}")
    length = len(documents[0].text)
    if not 0 <= at <= length:
        raise BadValue(f"no START {at:,}; the text has code points 0 to {length:,}, and {_what_there_is(documents)}")
    return Stretch(documents[0], at, at, point=True)


# -- what there is


def _spans(document: Document) -> Iterator[tuple[int, int, Mapping[str, Any]]]:
    ends = [start for start, _ in document.places[1:]] + [len(document.text)]
    for (start, place), end in zip(document.places, ends, strict=False):
        yield start, end, place


def _ways(name: str, value: Any) -> list[str]:
    """The ways to say one part of a place; of a definition also those that it stands in."""
    if name == "name":
        parts = str(value).split(".")
        return [_plain(".".join(parts[:count])) for count in range(1, len(parts) + 1)]
    bare = [str(value)] if isinstance(value, str) and not START.fullmatch(value) else []
    ways = [SAID[name].format(value), *bare, *([f"page {value}"] if name == "label" else [])]
    return [_plain(way) for way in dict.fromkeys(ways)]


def _sayings(place: Mapping[str, object]) -> set[str]:
    """All that may be said for a place: some of its parts, in their order."""
    parts = [_ways(name, place[name]) for name in SAID if is_there(place.get(name))]
    chosen = product(*([None, *ways] for ways in parts))
    return {", ".join(part for part in some if part is not None) for some in chosen} - {""}


def _said(documents: Sequence[Document], wanted: str) -> Iterator[Stretch]:
    """The runs of places that may be called so; the number of a page goes before a label printed on another."""
    for document in documents:
        called = [span for span in _spans(document) if wanted in _sayings(span[2])]
        numbered = [span for span in called if wanted == f"page {span[2].get('page')}"]
        runs: list[tuple[int, int]] = []
        for start, end, _ in numbered or called:
            first = runs.pop()[0] if runs and runs[-1][1] == start else start
            runs.append((first, end))
        for start, end in runs:
            yield Stretch(document, start, end)


def _headed(documents: Sequence[Document], wanted: str) -> Iterator[Stretch]:
    """The sections of that heading path, else those whose path ends so."""
    paths = [(document, start, _plain(path)) for document in documents for start, path in document.sections]
    whole = [(document, start) for document, start, path in paths if path == wanted]
    ending = [(document, start) for document, start, path in paths if path.endswith(f"{HEADINGS}{wanted}")]
    for document, start in whole or ending:
        yield Stretch(document, *section_of(document, start))


def section_of(document: Document, at: int) -> tuple[int, int]:
    """Start and end of the section that an offset is in, the sections below it included; the whole text without any."""
    start, path = 0, ""
    for begin, heading in document.sections:
        if begin <= at:
            start, path = begin, heading
        elif not heading.startswith(f"{path}{HEADINGS}"):
            return start, begin
    return start, len(document.text)


def _line_starts(document: Document) -> Iterator[tuple[int, int]]:
    """(line of the file, offset) of each line of the text."""
    own = {start: int(place["line"]) for start, place in document.places if "line" in place}
    breaks = (found.end() for found in re.finditer("\n", document.text))
    line = document.first_line - 1
    for offset in sorted({0, *breaks, *own}):
        line = own.get(offset, line + 1)
        yield line, offset


def _line(documents: Sequence[Document], wanted: str) -> Iterator[Stretch]:
    """The line of that number, else the last before it of a text that does not have all lines of its file."""
    if not (found := LINE.fullmatch(wanted)):
        return
    number = int(found[1])
    for document in documents:
        lines = list(_line_starts(document))
        if lines[0][0] <= number <= max(line for line, _ in lines):
            _, offset = max((each for each in lines if each[0] <= number), key=lambda each: (each[0], -each[1]))
            end = document.text.find("\n", offset)
            yield Stretch(document, offset, len(document.text) if end < 0 else end, point=True)


def _seconds(words: str) -> tuple[float, float] | None:
    """The first and last moment that a time may mean: without a fraction all of its second."""
    if not (found := TIME.fullmatch(words)):
        return None
    hours, minutes, seconds, fraction = found.groups()
    whole = 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds)
    return (whole, whole + 0.999) if fraction is None else (whole + float(f"0.{fraction}"),) * 2


def _time(documents: Sequence[Document], wanted: str) -> Iterator[Stretch]:
    """The caption that stands at that time."""
    if (moment := _seconds(wanted)) is None:
        return
    for document in documents:
        spans = [(own[0], start, end) for start, end, place in _spans(document)
                 if (own := _seconds(str(place.get("time"))))]  # fmt: skip
        begun = [span for span in spans if span[0] <= moment[1]]
        if begun and moment[0] <= max(span[0] for span in spans) + CAPTION_SECONDS:
            _, start, end = max(begun)
            yield Stretch(document, start, end)


def around(text: str, start: int, end: int, lines: int) -> tuple[int, int]:
    """From the beginning of the line so many before the start to the end of the line so many after the end."""
    end = max(start, end - text[start:end].endswith("\n"))  # the end of a line belongs to it
    before = [-1, *(found.start() for found in re.finditer("\n", text[:start]))]
    after = [*(end + found.start() for found in re.finditer("\n", text[end:])), len(text)]
    return before[max(0, len(before) - 1 - lines)] + 1, after[min(lines, len(after) - 1)]


# -- what is said of it


def _named(found: Stretch) -> str:
    document = found.document
    place = next((said(place) for start, _, place in _spans(document) if start == found.start), "")
    heading = next((path for start, path in document.sections if start == found.start), "")
    words = place or heading or document.source
    return f"{words} ({document.source.rpartition('/')[2]}, START {found.start})"


def _listed(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - SHOWN:,} more" if len(every) > SHOWN else ""
    return ", ".join(every[:SHOWN]) + more


def _what_there_is(documents: Sequence[Document]) -> str:
    """What places there are: "pages 1 to 12, lines 1 to 340"."""
    told = []
    for name, plural in PLURAL.items():
        every: list[Any] = [place.get(name) for document in documents for _, place in document.places]
        values = [value for value in every if value is not None]
        if values and (isinstance(values[0], int) or name == "time"):
            told.append(f"{plural} {min(values)} to {max(values)}")
        elif values:
            told.append(f"{plural} {_listed(map(str, values))}")
    if headings := [path for document in documents for _, path in document.sections if path]:
        told.append(f"headings {_listed(headings)}")
    lines = [line for document in documents for line, _ in _line_starts(document)]
    return ", ".join([*told, f"lines {min(lines)} to {max(lines)}"])
