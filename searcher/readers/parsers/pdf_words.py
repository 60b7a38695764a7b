"""Words that a line end cuts, put together again; a hyphen that is the word's own stays."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache

from searcher.readers.parsers.pdf_page import HYPHEN, Line

__all__ = ["speller", "without_cuts"]

WORD = re.compile(r"\w++(?:-\w++)*+")  # of a text without "_"
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
    for line in lines:
        before = joined[-1].text if joined else ""
        if before.endswith(HYPHENS) and line.text[:1].islower() and CUT_AT_END.search(before[-2:]):
            joined[-1] = joined[-1].joined(line, before[:-1] + HYPHEN + line.text)
        else:
            joined.append(line)
    return joined


def speller(texts: Iterable[str]) -> Callable[[str], str]:
    """How the texts of one file spell their words: what puts those that HYPHEN cuts together.

    The hyphen stays where the file spells the word with one at least as often as without, next to a number, where the
    second part begins like a name, and where a part of a compound is a word of its own.
    """
    whole_text = "\n".join(texts)
    cased = whole_text.casefold().replace("_", " ") if HYPHEN in whole_text else ""
    compounds = Counter(WORD.findall("\n".join(line for line in cased.split("\n") if "-" in line)))

    @cache
    def words() -> Counter[str]:
        return Counter(WORD.findall(cased))

    def count(word: str) -> int:
        return words()[word] if word in cased else 0  # most are nowhere: to look takes less time than to count all

    @cache
    def halves() -> Counter[str]:
        cut = "\n".join(line for line in cased.split("\n") if HYPHEN in line)
        return Counter(second for _, second in CUT_WORD.findall(cut))

    def joined(found: re.Match[str]) -> str:
        first, second = found.groups()
        if SUSPENDED.fullmatch(second):
            return f"{first}- {second}"
        compound, whole = f"{first}-{second}".casefold(), (first + second).casefold()
        keeps = compounds[compound] > 0 and compounds[compound] >= count(whole)
        keeps = keeps or ("-" in first and not count(whole) and count(second.casefold()) > 0)
        if first.casefold() == FORMER and not count(whole):
            keeps = keeps or count(second.casefold()) > halves()[second.casefold()]
        keeps = keeps or first[-1].isdigit() or not second[:1].islower() or first.casefold() in PREFIXES
        return f"{first}-{second}" if keeps else first + second

    return lambda text: CUT_WORD.sub(joined, text).replace(HYPHEN, "-") if HYPHEN in text else text
