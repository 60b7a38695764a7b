"""Fonts that do not say which characters their signs are: what can be told from the usual order of glyphs."""

import re
from collections import Counter
from itertools import repeat

__all__ = ["BROKEN_FONT", "GUESSED_FONT", "LEFT_OUT", "told"]

LEFT_OUT = "\0"  # stands for a character that has no meaning
BROKEN_FONT = "a font without a Unicode map: what its signs mean is not known, and they were left out"
GUESSED_FONT = "a font without a Unicode map: its signs were told from the usual order of glyphs"
# The first glyphs of a TrueType font are .notdef, .null, a line end, then those of Mac Roman (Apple's TrueType
# reference, 'post' table), without the no-break space in the fonts of Windows. The number of a glyph is all there is.
FIRST = 3
ORDER = (bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))).decode("mac_roman").replace("\xa0", "")
ORDER += "ŁłŠšŽž¦ÐðÝýÞþ−×¹²³½¼¾₣ĞğİŞşĆćČčđ"
GLYPHS = {chr(at): sign for at, sign in enumerate(ORDER, FIRST)}
LETTER, SMALL_LETTER = r"[^\W\d_]", "[a-zß-öø-ÿ]"
SENTENCE = r"""[\w\s.,;:!?()„“”»«‘’'"\-–/]"""
VOWEL = "(?i:[aeiouyäöüáéíóúàèìòùâêîôûãõåæøœ])"
KINDS = [frozenset(re.findall(kind, ORDER)) for kind in (LETTER, SMALL_LETTER, VOWEL, SENTENCE)]


def told(signs: str) -> str | None:
    r"""The characters that glyphs stand for, given by their numbers as characters; None if no sentences come out.

    >>> told("+HOOR\x0f\x03ZRUOG\x11\x037KLV\x03LV\x03D\x03VHQWHQFH\x11")
    'Hello, world. This is a sentence.'
    """
    text = "".join(map(GLYPHS.get, signs, repeat(LEFT_OUT)))
    return text if _is_prose(text) else None


def _is_prose(text: str) -> bool:
    """Whether most of it is letters, spaces and full stops in the shares that any language in Latin letters has."""
    signs = Counter(text)
    letters, lower, vowels, usual = (sum(n for sign, n in signs.items() if sign in kind) for kind in KINDS)
    sound = letters >= len(text) / 2 and usual >= 0.95 * len(text)
    return sound and lower >= 0.6 * letters and 0.25 * letters <= vowels <= 0.6 * letters
