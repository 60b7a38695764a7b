"""Signs that tell names apart, and pictures, as words: C++ is not C, and 🎂 is asked for too.

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
MAY_NAME = re.compile(r"[+#]|(?<![\w.)])\.\w")  # quicker: most texts name nothing so
SPOKEN = {"+": "plus", "#": "sharp"}
# Flags, of two letters each; technical signs, symbols and dingbats but their brackets and digits; arrows and stars;
# pictographs but numbers, and tones of skin, which are of the picture before. Ranges, since
# what else a character is called changes with the version of Unicode.
PICTURES = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[\u2300-\u2307\u230c-\u2328\u232b-\u23ff\u2600-\u2767\u2794-\u27bf\u2b00-\u2bff"
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f3fa\U0001f400-\U0001faff]"
)


def signs_of(text: str) -> list[tuple[str, str]]:
    """What is told by signs in a text, as it stands there, and the word for it; names, then pictures.

    >>> signs_of("C++ and .NET, i.e. a+b 🎂!")
    [('C++', 'Cplusplus'), ('.NET', 'dotNET'), ('🎂', 'emoji127874')]
    """
    signs = [(found[0], _named(found)) for found in NAMES.finditer(text)] if MAY_NAME.search(text) else []
    pictures = [] if text.isascii() else PICTURES.findall(text)
    return signs + [(picture, f"emoji{''.join(str(ord(sign)) for sign in picture)}") for picture in pictures]


def _named(found: re.Match[str]) -> str:
    if found["dotted"]:
        return f"dot{found['dotted']}"
    return found["name"] + "".join(SPOKEN[sign] for sign in found["signs"])
