"""Fonts whose letters are signs: what Symbol, Wingdings and their like show for a character, as Unicode has it.

Office keeps such characters at U+F020 to U+F0FF, or as the letters that they take the place of.
"""

import re

__all__ = ["has_signs", "shown", "symbol"]

# Adobe's encoding of Symbol, from 0x20 and from 0xA0 on.
GREEK = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭",
)
# Of the others what people read: bullets, boxes that are ticked, arrows, numbers in circles; the rest is decoration.
DINGS = {
    **dict.fromkeys((0x6C, 0x6E, 0x75, 0x76, 0x77, 0x9E, 0x9F, 0xA7, 0xD8), "•"), 0x6F: "☐", 0x71: "☐", 0x72: "☐",
    0xA8: "☐", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "→",
    0xEF: "⇦", 0xF0: "⇨", 0x4A: "☺", 0x4C: "☹", 0x20: " ", **{0x80 + at: chr(0x245F + at) for at in range(1, 11)},
}  # fmt: skip
FONTS = {
    "symbol": {
        first + at: sign for first, signs in zip((0x20, 0xA0), GREEK, strict=True) for at, sign in enumerate(signs)
    },
    "wingdings": DINGS,
    "wingdings 2": {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0xA3: "☐", 0x20: " "},
    "wingdings 3": {0x20: " "},
    "webdings": {0x61: "✓", 0x72: "✗", 0x20: " "},
}
# Where nothing says which of them it is: the letters of the one, the bullets of all.
LIKELIER = {0x4A, 0x6C, 0x6E, 0x6F}  # than letters
UNKNOWN = FONTS["symbol"] | {at: sign for at, sign in DINGS.items() if not 0x41 <= at <= 0x7A or at in LIKELIER}
UNKNOWN |= dict.fromkeys((0xA7, 0xA8, 0xB7), "•")
FIRST, LAST = 0xF000, 0xF0FF
KEPT = re.compile(f"[{chr(FIRST)}-{chr(LAST)}]")


def has_signs(font: str | None) -> bool:
    """Whether the letters of a font of that name are signs."""
    return (font or "").lower() in FONTS


def symbol(number: int, font: str | None = None) -> str:
    """What a character shows in a font, "" for a decoration; itself where neither is one of signs."""
    if FIRST <= number <= LAST or has_signs(font):
        return FONTS.get((font or "").lower(), UNKNOWN).get(number & 0xFF, "")
    return chr(number) if number < 0xD800 or 0xE000 <= number < 0x110000 else ""


def shown(text: str, font: str | None = None) -> str:
    r"""A text whose characters of symbol fonts are what they show; in such a font its letters too.

    >>> shown("a \uf062"), shown("ab", "Symbol"), shown("ab", "Arial")
    ('a β', 'αβ', 'ab')
    """
    if has_signs(font):
        return "".join(symbol(ord(sign), font) if ord(sign) <= 0xFF or KEPT.match(sign) else sign for sign in text)
    return KEPT.sub(lambda found: symbol(ord(found[0])), text)
