"""What the formats of Office share: what a file says of itself, comments, signs of symbol fonts."""

from typing import Any

from searcher.readers.parsers.drafting import one_line
from searcher.readers.parsers.zipped import Archive

__all__ = ["commented", "declared", "symbol"]

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
