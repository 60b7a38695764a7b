"""What the formats of Office share: what a file says of itself, signs of symbol fonts, numbers as lists spell them."""

from collections.abc import Callable
from typing import Any

from searcher.readers.parsers.drafting import one_line
from searcher.readers.parsers.zipped import Archive

__all__ = ["NUMERALS", "commented", "declared", "symbol"]

ROMAN = [(1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x")]
ROMAN += [(9, "ix"), (5, "v"), (4, "iv"), (1, "i")]
DECLARED = {
    "title": "title", "creator": "author", "subject": "description", "description": "description",
    "keywords": "keywords", "language": "language", "created": "date",
}  # fmt: skip
# Of Symbol and Wingdings; any other sign of theirs is a decoration.
SYMBOLS = {
    0xA7: "•", 0xA8: "•", 0xB7: "•", 0x6C: "•", 0x6E: "•", 0xD8: "•", 0xFC: "✓", 0xFE: "☑", 0x6F: "☐", 0xE0: "→",
    0xDF: "←", 0xAE: "→", 0xB0: "°", 0xB1: "±", 0xB3: "≥", 0xA3: "≤", 0xB4: "×", 0xA5: "∞", 0x6D: "μ", 0x61: "α",
    0x62: "β", 0x67: "γ", 0x64: "δ", 0x70: "π", 0x53: "Σ", 0x44: "Δ", 0x57: "Ω",
}  # fmt: skip


def declared(archive: Archive) -> dict[str, Any]:
    """What an Office document says of itself."""
    found: dict[str, Any] = {}
    for name in [*archive.related("", "core-properties"), "docProps/core.xml"][:1]:
        for element in archive.maybe(name):
            key = DECLARED.get(element.tag)
            text = one_line("".join(element.itertext()))
            if key and text and key not in found:
                found[key] = text[:10] if key == "date" else text
    return found


def commented(text: str, author: str | None) -> str:
    """A comment as it stands under what it is on; nothing where nothing was said.

    >>> commented(" Since when? ", "Ann")
    '[Ann: Since when?]'
    """
    said, by = one_line(text), one_line(author)
    return f"[{by}: {said}]" if said and by else f"[{said}]" if said else ""


def symbol(code: str | None, font: str | None) -> str:
    """The character of a sign in a symbol font, given by its hexadecimal code; nothing for a decoration."""
    try:
        number = int(code or "", 16)
    except ValueError:
        return ""
    if 0xF000 <= number <= 0xF0FF or font in ("Symbol", "Wingdings"):
        return SYMBOLS.get(number & 0xFF, "")
    return chr(number) if number < 0xD800 or 0xE000 <= number < 0x110000 else ""


def letters(number: int) -> str:
    """The number as Word spells it with letters: a to z, aa to zz, aaa …"""
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1) if 0 < number < 10_000 else str(number)


def roman(number: int) -> str:
    """The number in Roman numerals."""
    if not 0 < number < 10_000:
        return str(number)
    spelled = ""
    for value, sign in ROMAN:
        spelled += sign * (number // value)
        number %= value
    return spelled


NUMERALS: dict[str, Callable[[int], str]] = {
    "lowerLetter": letters, "upperLetter": lambda number: letters(number).upper(), "lowerRoman": roman,
    "upperRoman": lambda number: roman(number).upper(), "decimalZero": "{:02}".format, "ordinal": "{}.".format,
}  # fmt: skip
