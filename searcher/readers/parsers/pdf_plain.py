"""Text of a PDF without what only typesetting needs: ligatures, letters as they are drawn, wide spaces."""

import re
import unicodedata
from collections.abc import Callable

from searcher.readers.parsers.pdf_glyphs import LEFT_OUT

__all__ = ["UNUSUAL", "beyond_ascii", "plain"]

ASCII = bytes(range(128))
REPLACED = {
    **dict.fromkeys(map(ord, "\xad\ufeff\ufffe\uffff"), ""),
    **dict.fromkeys([0xA0, 0x202F, *range(0x2000, 0x200B)], " "),
    # Bullets of Symbol and Wingdings.
    **dict.fromkeys((0xF0B7, 0xF0A7, 0xF0D8, 0xF076, 0xF0FC, 0xF06E, 0xF0A8), "•"),
}
REPLACEABLE = "".join(map(chr, REPLACED))
HALVES = "\ud800-\udfff"  # of characters beyond U+FFFF
DRAWN_ONLY = "\ufb00-\ufdff\ufe70-\ufefc"  # ligatures, and the letters of Hebrew and Arabic as they are drawn
BULLETS = "•▪▫◦‣●○■□◆◇➢➔✓✔"
# Signs that are rare; what is sought where there are any, begun with what a text is looked through for fast; and what
# takes its place.
PASSES: tuple[tuple[re.Pattern[str], re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(f"[{signs}]"), re.compile(pattern, re.MULTILINE), by)
    for signs, pattern, by in (
        (HALVES, f"[{HALVES}]+", lambda found: _paired(found[0])),
        (REPLACEABLE, f"[{REPLACEABLE}]", lambda found: REPLACED[ord(found[0])]),
        (DRAWN_ONLY, f"[{DRAWN_ONLY}][{DRAWN_ONLY}]*", lambda found: unicodedata.normalize("NFKC", found[0])),
        (BULLETS + REPLACEABLE, rf"[{BULLETS}](?<=^.)(?=\w)", lambda found: f"{found[0]} "),  # glued to its item
    )
)
UNUSUAL = re.compile(f"[{HALVES}{REPLACEABLE}{DRAWN_ONLY}{BULLETS}]")
SPACES = re.compile(r"  (?<=[^ \n]  ) *")  # begins with two spaces, for which a text is looked through fast


def beyond_ascii(text: str) -> str:
    """The characters of a text that are beyond ASCII: few, so that rare ones are found in a third of the time.

    >>> beyond_ascii("naïve “names”")
    'ï“”'
    """
    return text.encode("utf-8", "surrogatepass").translate(None, ASCII).decode("utf-8", "surrogatepass")


def _paired(halves: str) -> str:
    """The characters that pairs of surrogates are; U+FFFD for one alone."""
    return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain(text: str) -> str:
    """The lines of a text as a person reads them; one may become empty."""
    text = text.replace(LEFT_OUT, "")
    beyond = beyond_ascii(text)
    for signs, sought, by in PASSES:
        if signs.search(beyond):
            text = sought.sub(by, text)
    return SPACES.sub(" ", text) if "  " in text else text
