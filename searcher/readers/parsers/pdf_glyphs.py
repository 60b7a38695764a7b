"""Fonts that do not say which characters their signs are: what can be told from the usual order of glyphs."""

import codecs
import re

from searcher.system import kept_once

__all__ = ["BROKEN_FONT", "GUESSED_FONT", "LEFT_OUT", "told"]

LEFT_OUT = "\0"  # stands for a character that has no meaning
BROKEN_FONT = "a font without a Unicode map: what its signs mean is not known, and they were left out"
GUESSED_FONT = "a font without a Unicode map: its signs were told from the usual order of glyphs"
# The first glyphs of a TrueType font are .notdef, .null, a line end, then those of Mac Roman (Apple's TrueType
# reference, 'post' table), without the no-break space in the fonts of Windows. The number of a glyph is all there is.
FIRST = 3
BEYOND = re.compile("[^\0-\xff]")
ORDER = (bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))).decode("mac_roman").replace("\xa0", "")
ORDER += "ŁłŠšŽž¦ÐðÝýÞþ−×¹²³½¼¾₣ĞğİŞşĆćČčđ"
GLYPHS = dict(enumerate(ORDER, FIRST))
LETTER, SMALL_LETTER = r"[^\W\d_]", "[a-zß-öø-ÿ]"
SENTENCE = r"""[\w\s.,;:!?()„“”»«‘’'"\-–/]"""
VOWEL = "(?i:[aeiouyäöüáéíóúàèìòùâêîôûãõåæøœ])"
BETWEEN_WORDS = "\2\t\n\r "  # which PDFium writes itself
KINDS = [
    "".join(chr(at) for at in GLYPHS if re.fullmatch(kind, GLYPHS[at]))
    for kind in (LETTER, SMALL_LETTER, VOWEL, SENTENCE)
]
# Bytes are counted in a twentieth of the time of characters.
COUNTED = [(kind.encode("latin-1", "ignore"), BEYOND.findall(kind)) for kind in (BETWEEN_WORDS, *KINDS)]


class _Meanings(dict[int, str]):
    """A table for `str.translate`, and of its first 256 characters one for `codecs`, which is much quicker."""

    @kept_once
    def first(self) -> str:
        """What each of them becomes."""
        return "".join(map(self.__getitem__, range(256)))

    def __missing__(self, number: int) -> str:
        return LEFT_OUT


NONE = {ord(sign): sign for sign in BETWEEN_WORDS}
UNKNOWN, USUAL = _Meanings(NONE), _Meanings(GLYPHS | NONE)


def told(text: str) -> tuple[str, str]:
    r"""What the glyphs of a text stand for, given by their numbers as characters, and what is to be told of it.

    >>> said, fault = told("+HOOR\x0f\x03ZRUOG\x11\x037KLV\x03LV\x03D\x03VHQWHQFH\x11")
    >>> said, fault == GUESSED_FONT
    ('Hello, world. This is a sentence.', True)
    """
    meant, fault = (USUAL, GUESSED_FONT) if _is_prose(text) else (UNKNOWN, BROKEN_FONT)
    try:
        return codecs.charmap_decode(text.encode("latin-1"), "strict", meant.first)[0], fault
    except UnicodeEncodeError:  # a glyph beyond the first 256
        return text.translate(meant), fault


def _is_prose(text: str) -> bool:
    """Whether most of it is letters, spaces and full stops in the shares that any language in Latin letters has."""
    numbers = text.encode("latin-1", "ignore")
    is_beyond = len(numbers) < len(text)
    between, letters, lower, vowels, usual = (
        len(numbers) - len(numbers.translate(None, first)) + (sum(map(text.count, others)) if is_beyond else 0)
        for first, others in COUNTED
    )
    total = len(text) - between
    sound = letters >= total / 2 and usual >= 0.95 * total
    return sound and lower >= 0.6 * letters and 0.25 * letters <= vowels <= 0.6 * letters
