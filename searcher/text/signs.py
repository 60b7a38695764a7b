"""Signs that tell names and numbers apart, and pictures, as words: C++ is not C, 3.11 no 11.3, and 🎂 is asked for.

The keyword index sees letters and digits alone. These words stand there behind a text, so that who asks without signs
finds as before.
"""

import re

__all__ = ["signs_of"]

# A name that ends in signs, and is no part of a sum or of an address: C++17, C#, Na+, Disney+; not a+b, x#top.
ENDING = r"(?<!\w)(?P<name>\w+)(?P<signs>\+\+?|#)(?![+#])(?:(?<=\+\+)|(?![^\W_]))"
# A name that a dot begins: .NET, ~/.env, *.py; not the call of a method, nor the end of anything.
DOTTED = r"(?<![\w.)\]}'\"\\])\.(?P<dotted>[^\W\d_]\w*)\b(?!\()"
NAMES = re.compile(f"{ENDING}|{DOTTED}")
SPOKEN = {"+": "plus", "#": "sharp"}
# Flags, of two letters each; technical signs, symbols and dingbats but their brackets and digits; arrows and stars;
# pictographs but numbers, and tones of skin, which are of the picture before. Ranges, since what is a symbol changes
# with the version of Unicode.
PICTURES = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[\u2300-\u2307\u230c-\u2328\u232b-\u23ff\u2600-\u2767\u2794-\u27bf\u2b00-\u2bff"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f3fa\U0001f400-\U0001faff]"
)
# Numbers and codes of several parts: 3.11, 4.2.1, 2024-05-17, 10.0.0.1, B2-17/4; 1,999 but not 1,2; 14:30, but of
# 10.0.0.1:80 and 2024-05-17T14:30 each part by itself.
JOINED = r"(?:[-./\u2010-\u2013](?=\w)|,(?=\d{3}(?!\d)))"
TIME = r"(?:(?<![\w:])|(?<=\dT))\d{1,3}(?::\d+)+(?![^\WZ])"
NUMBERED = re.compile(rf"{TIME}|(?<!\w)\w+?(?:{JOINED}\w+?)+(?:(?=T\d\d:)|(?!\w))")
PART = re.compile(r"[^\W_]+")
LONGEST = 64  # characters of such a number; what is longer is an address, or no text


def signs_of(text: str, numbers: bool = True) -> list[tuple[str, str]]:
    """What signs tell in a text, as it stands there, and the word for it: names, pictures, then numbers, if wanted.

    >>> signs_of("C++ and .NET, i.e. a+b 🎂!")
    [('C++', 'Cplusplus'), ('.NET', 'dotNET'), ('🎂', 'emoji127874')]
    >>> signs_of("Python v3.11, rule 4.2.1 of 2024-05-17, IL-6 and COVID-19")
    [('v3.11', '3point11'), ('4.2.1', '4point2point1'), ('2024-05-17', '2024point05point17')]
    """
    text = " ".join(word for word in text.split() if not word.isalpha())  # a fifth of it is left, and no sign is lost
    signs = [(found[0], _named(found)) for found in NAMES.finditer(text)]
    pictures = [] if text.isascii() else PICTURES.findall(text)
    signs += [(picture, f"emoji{''.join(str(ord(sign)) for sign in picture)}") for picture in pictures]
    found = NUMBERED.findall(text) if numbers else []
    return signs + [(number, word) for number in found if (word := _numbered(number))]


def _named(found: re.Match[str]) -> str:
    if found["dotted"]:
        return f"dot{found['dotted']}"
    return found["name"] + "".join(SPOKEN[sign] for sign in found["signs"])


def _numbered(number: str) -> str | None:
    """The word for a number, of a version without its v; None where one part at most has digits."""
    parts = PART.findall(number) if len(number) <= LONGEST else []
    if sum(any(map(str.isdigit, part)) for part in parts) < 2:
        return None
    return re.sub(r"\A[vV](?=\d)", "", "point".join(parts))
