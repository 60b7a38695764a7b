"""A LaTeX source without what is commented out, its letters as they are shown; each line stays where it is."""

import re
import unicodedata
from collections.abc import Collection
from typing import NamedTuple

__all__ = ["Source", "lettered", "settled"]

LISTING = r"\\begin\{(?P<listing>verbatim\*?|Verbatim|lstlisting|minted|alltt)\}"  # where % is a sign like others
QUOTED = (
    r"\\(?:verb\*?|lstinline(?:\[[^\]\n]*\])?|mintinline(?:\[[^\]\n]*\])?\{\w+\})(?P<sign>[!-)+-@\[-`|}~])"
    r"(?:(?!(?P=sign))[^\n])*(?P=sign)"
)
ADDRESS = r"\\(?:url|path|href|nolinkurl)\s*\{[^{}\n]*\}"
TOKEN = re.compile(
    rf"{LISTING}|(?P<quoted>{QUOTED})|{ADDRESS}|(?P<comment>\\begin\{{comment\}})|(?P<false>\\iffalse(?![a-zA-Z]))"
    r"|\\.|(?P<rest>(?:^[ \t]*)?%[^\n]*)",
    re.MULTILINE,
)
CONDITION = re.compile(r"\\(?:(?P<more>if(?!f(?![a-zA-Z]))[a-zA-Z@]*)|(?P<end>else|fi)(?![a-zA-Z]))")  # \iff is none
# An accent that is a letter is a command's beginning elsewhere: \Huge
ACCENT = r"\\(?:([`'^\"~=.])[ \t]*|([uvHcrk])(?:[ \t]+|(?=\{)))(?:\{\\?([a-zA-Z])\}|\\?([a-zA-Z]))"
MARKS = dict(
    zip("`'^\"~=.uvHcrk", "\u0300\u0301\u0302\u0308\u0303\u0304\u0307\u0306\u030c\u030b\u0327\u030a\u0328", strict=True)
)
LETTERS = {
    "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
    "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "i": "ı", "j": "ȷ",
}  # fmt: skip
LETTER = rf"\\({'|'.join(LETTERS)})(?![a-zA-Z])(?:\{{\}}|[ \t]+)?"
SPELT = re.compile(rf"\\\\|(?P<open>\{{)?(?:{ACCENT}|{LETTER})(?P<close>\}})?")
# What a source makes a command of its own is no letter in it.
OWN = re.compile(
    r"\\(?:(?:re)?newcommand\*?|providecommand\*?|DeclareMathOperator\*?|def|let)\s*\{?\s*\\([a-zA-Z]{1,2})(?![a-zA-Z])"
)


class Source(NamedTuple):
    """The text, and where what is shown as it is typed begins and ends in it, in rising order."""

    text: str
    listings: list[tuple[int, int]]


def settled(text: str) -> Source:
    """The source with comments and what is never set gone, but for the ends of their lines, and accents on letters."""
    own = set(OWN.findall(text))
    by_sign = "\\begin{tabbing}" not in text  # where \' and \= are stops
    pieces: list[str] = []
    listings: list[tuple[int, int]] = []
    length = at = plain = 0  # plain: where in the source the text begins that is not yet among the pieces

    def take(until: int) -> None:
        nonlocal length
        pieces.append(lettered(text[plain:until], own, by_sign, sure=True))
        length += len(pieces[-1])

    while found := TOKEN.search(text, at):
        at = found.end()
        if found["listing"]:
            end = _after(text, f"\\end{{{found['listing']}}}", at)
        elif found["quoted"]:
            end = at
        elif found["comment"]:
            end = _after(text, "\\end{comment}", at)
        elif found["false"]:
            end = _condition_end(text, at)
        elif found["rest"] is not None:
            end = at
        else:
            continue
        take(found.start())
        if found["listing"] or found["quoted"]:
            pieces.append(text[found.start() : end])
            listings.append((length, length + len(pieces[-1])))
        else:
            pieces.append("\n" * text.count("\n", found.start(), end))
        length += len(pieces[-1])
        at = plain = end
    take(len(text))
    return Source("".join(pieces), listings)


def _after(text: str, end: str, start: int) -> int:
    found = text.find(end, start)
    return found + len(end) if found >= 0 else len(text)


def _condition_end(text: str, start: int) -> int:
    """Where what stands under a condition that is never met ends."""
    depth = 1
    for found in CONDITION.finditer(text, start):
        if found["more"]:
            depth += 1
        elif found["end"] == "fi" or depth == 1:
            depth -= 1
        if not depth:
            return found.end()
    return len(text)


def lettered(text: str, own: Collection[str] = (), by_sign: bool = True, sure: bool = False) -> str:
    """The text with its accents on their letters.

    own: commands that are no accents here. by_sign: whether signs are accents. sure: only where such a letter exists.
    """

    def spelt(found: re.Match[str]) -> str:
        opened, sign, name, braced, bare, letter, closed = found.groups()
        command = sign or name or letter
        if command is None or command in own or (sign and not by_sign):
            return found[0]
        shown = LETTERS[letter] if letter else unicodedata.normalize("NFC", (braced or bare) + MARKS[command])
        if sure and len(shown) > 1:
            return found[0]
        return shown if opened and closed else f"{opened or ''}{shown}{closed or ''}"

    return SPELT.sub(spelt, text)
