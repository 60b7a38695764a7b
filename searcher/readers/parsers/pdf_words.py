"""Words that a line end cuts, put together again; a hyphen that is the word's own stays."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import pairwise

from searcher.readers.parsers.pdf_page import HYPHEN, Line

__all__ = ["speller", "without_cuts"]

WORD = re.compile(r"\w++(?:-\w++)*+")  # of a text without "_"
# What stands before and behind a part of a word; nothing does between two of them.
BEGAN, GOES_ON = re.compile(r"(?:\w|\A)-?\Z"), re.compile(r"-?(?:\w|\Z)")
CUT_WORD = re.compile(rf"(?<![^\W_])([^\W_]++(?:[-’'][^\W_]++)*+){HYPHEN}([^\W_]*)")
HYPHENS = ("-", "\u2010")
CUT_AT_END = re.compile(r"(?<=[^\W\d_])[-\u2010]$")
# After these a hyphen stands for what two words have in common: "pre- and post-war".
PREFIXES = {"self"}  # which always have one
FORMER = "ex"  # which has one before a word of its own, and begins many a word
SUSPENDED = re.compile(r"(?:and|or|to|und|oder|bis|et|ou|y|o|e|en|of|och|eller|og)\b", re.IGNORECASE)


def without_cuts(lines: Iterable[Line]) -> list[Line]:
    """Lines of which none ends with a hyphen where the next begins with a small letter: HYPHEN stands between them.

    PDFium does so itself where it knows the hyphen for one.
    """
    joined: list[Line] = []
    before = ""
    for line in lines:
        text = line.text
        if before.endswith(HYPHENS) and text[:1].islower() and CUT_AT_END.search(before[-2:]):
            text = before[:-1] + HYPHEN + text
            joined[-1] = joined[-1].joined(line, text)
        else:
            joined.append(line)
        before = text
    return joined


def speller(texts: Sequence[str]) -> Callable[[str], str]:
    """How the texts of one file spell their words: what puts those that HYPHEN cuts together.

    The hyphen stays where the file spells the word with one at least as often as without, next to a number, where the
    second part begins like a name, and where a part of a compound is a word of its own.
    """

    @cache
    def lines() -> list[str]:
        return [text.casefold().replace("_", " ") for text in texts]  # one by one: those of ASCII take little time

    @cache
    def cased() -> str:
        return "\n".join(("", *lines(), ""))

    @cache
    def compounds() -> Counter[str]:
        hyphened = [word for text in lines() if "-" in text for word in text.split() if "-" in word]
        return Counter(WORD.findall(" ".join(hyphened)))

    @cache
    def count(word: str, halves: bool = True) -> int:
        """halves: whether what HYPHEN cuts off counts as a word."""
        return _count(word, cased() if halves else cased().replace(HYPHEN, " _"))

    def keeps(first: str, second: str) -> bool:
        if first[-1].isdigit() or not second[:1].islower() or first.casefold() in PREFIXES:
            return True
        first, second = first.casefold(), second.casefold()
        if spelled := compounds()[f"{first}-{second}"]:
            return spelled >= count(first + second)
        if not ("-" in first or first == FORMER) or count(first + second):
            return False
        return count(second, halves=first != FORMER) > 0

    def joined(found: re.Match[str]) -> str:
        first, second = found.groups()
        if SUSPENDED.fullmatch(second):
            return f"{first}- {second}"
        return f"{first}-{second}" if keeps(first, second) else first + second

    def whole(text: str) -> str:
        words = text.split(" ")  # each by itself: the pattern takes long over a line
        return " ".join([CUT_WORD.sub(joined, word) if HYPHEN in word else word for word in words]).replace(HYPHEN, "-")

    return whole


def _count(word: str, text: str) -> int:
    """How often a word stands in a text as no part of another: to look takes less time than to count all.

    text: without "_", and with white space at both ends.

    >>> _count("co-op", " co-op, co-op's, co-operation, a-co-op, co-op-co-op ")
    2
    """
    around = pairwise(text.split(word))
    return sum(not GOES_ON.match(after) and not BEGAN.search(before[-2:]) for before, after in around)
