"""What counts as the same word: one spelling of texts and questions, for whatever compares words or letters.

Offsets are never counted in it: a text is stored as it came.
"""

import re
import unicodedata

__all__ = ["spelled_once"]

# What nobody sees: soft hyphens, joiners and spaces without width, marks of direction, fillers, variation selectors.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0000-\U000e0fff]+"
)


def spelled_once(text: str) -> str:
    """The text in Unicode's composed form (UAX #15, NFC) without what is invisible in it.

    >>> spelled_once("Wasser\u00adleitung cafe\u0301")
    'Wasserleitung café'
    """
    if text.isascii():
        return text
    visible = INVISIBLE.sub("", text)
    return visible if unicodedata.is_normalized("NFC", visible) else unicodedata.normalize("NFC", visible)
