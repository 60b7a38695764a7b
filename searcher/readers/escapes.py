"""JSON as text that people read: what its strings say, without the escapes in which they say it."""

import re
import unicodedata

__all__ = ["unescaped"]

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
ESCAPE = re.compile(r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.))")
SIGNS = {'"': '"', "\\": "\\", "/": "/"}  # other letters stand for white space
BREAKS = "bfnrt"


def unescaped(text: str) -> str:
    """JSON with the escapes in its strings replaced by what they stand for.

    Line breaks and tabs become blanks, so that all stays on the line where it stands in the file; an escaped surrogate
    without its other half, and a control character, stay as they are written.
    """
    return STRING.sub(lambda string: ESCAPE.sub(_sign, string[0]) if "\\" in string[0] else string[0], text)


def _sign(escape: re.Match[str]) -> str:
    high, low, code, letter = escape.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if letter:
        return " " if letter in BREAKS else SIGNS.get(letter, escape[0])
    character = chr(int(code, 16))
    if character in "\b\t\n\v\f\r":
        return " "
    return escape[0] if unicodedata.category(character) in ("Cc", "Cs") else character
