"""Front matter: the fields at the top of a Markdown file, in YAML, TOML or JSON, each as a person wrote it.

A line that is none of the language spoils no other: it is read as text where it is a name and a value, else told.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from searcher.errors import BadValue
from searcher.plain import storable
from searcher.readers.plainyaml import Entry, read_yaml

__all__ = ["FrontMatter", "front_matter"]

YAML = re.compile(r"---[ \t]*\r?\n(?P<body>.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
TOML = re.compile(r"\+\+\+[ \t]*\r?\n(?P<body>.*?)^\+\+\+[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
JSON = re.compile(r'\{\s*"[^"\n]*"\s*:')
END_OF_LINE = re.compile(r"[ \t]*(?:\r?\n|\Z)")
LONGEST = 2**16  # characters
TOML_START = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*[ \t]*(?:\[|[\w.\"'-]+[ \t]*=)")
TOML_FIELD = re.compile(r"[ \t]*(?P<name>[\w-]+)[ \t]*=[ \t]*(?P<value>.*)$")
TOML_PLACE = re.compile(r"at line (\d+)")
TOML_DIGITS = re.compile(r"\d[\d_]{4300}")  # of so many digits Python makes no number, nor does it say where they are
MOST_BAD_LINES = 50  # of TOML, which is read again for each
SHOWN = 3  # faults


@dataclass
class FrontMatter:
    """The fields, the title as it is spelt, the text that follows them, and what could not be read, in phrases."""

    fields: dict[str, Any]
    text: str
    title: str | None = None
    faults: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """The first faults on one line, and how many more there are; empty if there are none."""
        more = len(self.faults) - SHOWN
        return "; ".join(self.faults[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def front_matter(text: str) -> FrontMatter:
    """What stands at the top of a text; all of it is text if nothing does."""
    text = text.lstrip("\ufeff")  # tools that join or convert files leave more than one
    if JSON.match(text):
        return _json(text)
    for fenced, read in ((YAML, read_yaml), (TOML, _toml)):
        block = fenced.match(text)
        if block and len(block["body"]) <= LONGEST:
            found = FrontMatter({}, text[block.end() :])
            entries = read(block["body"], found.faults)
            if entries is not None:
                _keep(entries, found)
                return found
    return FrontMatter({}, text)


def _keep(entries: Iterable[Entry], found: FrontMatter) -> None:
    """Take the fields that can be stored; a name given twice has its last value."""
    for name, value, spelt, line in entries:
        where = f"line {line + 1} of the front matter"  # the fence is the first
        try:
            name, value = storable(name), storable(value)
        except BadValue as fault:
            found.faults.append(f"{where} is left out: {fault}")
            continue
        if name in found.fields:
            found.faults.append(f"{where} gives {name!r:.80} again; the earlier one is left out")
        if name == "title":
            found.title = " ".join(storable(spelt).split()) if spelt is not None else None
        found.fields[name] = value
    found.fields = {name: value for name, value in found.fields.items() if value is not None}
    if found.title is not None:
        found.fields.pop("title", None)


def _json(text: str) -> FrontMatter:
    """An object that ends its line and has a text after it."""
    try:
        fields, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError) as fault:
        reason = "nested too deeply" if isinstance(fault, RecursionError) else str(fault)
        return FrontMatter({}, text, faults=[f"what begins it like JSON is no JSON, and kept as text: {reason}"])
    line_end = END_OF_LINE.match(text, end)
    if not line_end or not text[line_end.end() :].strip():
        return FrontMatter({}, text)
    found = FrontMatter({}, text[line_end.end() :])
    _keep(((name, value, value if isinstance(value, str) else None, 0) for name, value in fields.items()), found)
    return found


def _toml(body: str, faults: list[str]) -> list[Entry] | None:
    """The fields of TOML, None for what is none."""
    import tomllib

    if body.strip() and not TOML_START.match(body):
        return None
    lines = body.splitlines()
    plain: list[Entry] = []
    for _ in range(MOST_BAD_LINES):
        try:
            fields = tomllib.loads("\n".join(lines))
        except (ValueError, RecursionError) as fault:  # TOMLDecodeError, or what Python says of a number of such length
            place = TOML_PLACE.search(str(fault))
            at = min(int(place[1]) if place else _number(lines, TOML_DIGITS), len(lines)) - 1
            line = TOML_FIELD.match(lines[at])
            if line:
                plain.append((line["name"], line["value"].strip(), line["value"].strip(), at + 1))
            faults.append(f"line {at + 2} of the front matter is not TOML: {'read as text' if line else 'left out'}")
            lines[at] = ""
        else:
            return [
                (name, value, value if isinstance(value, str) else None, 0) for name, value in fields.items()
            ] + plain
    faults.append("the front matter is no TOML, and the rest of it left out")
    return plain


def _number(lines: list[str], holding: re.Pattern[str]) -> int:
    """Of the first line that holds such, counted from 1; else of the last."""
    return next((number for number, line in enumerate(lines, 1) if holding.search(line)), len(lines))
