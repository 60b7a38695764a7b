"""What a question says of its words: phrases that must stand in a passage, words that may not, beginnings of words."""

import re
from dataclasses import dataclass

from searcher.filters import Filter, Holds, Not

__all__ = ["Wording", "as_it_stands", "worded", "wording_of"]

# Marks count only where a word begins and ends: 5" is inches, -5 a number, e-mail a word and * alone nothing.
MARKED = re.compile(
    r"""(?<!\S) (?:
      (?P<minus> -?) "(?P<phrase> [^\s"] (?: [^"]*[^\s"] )? )" (?=[\s,.;:!?)]|\Z)
    | - (?P<word> [^\W\d] [^\s"]* ) )""",
    re.VERBOSE,
)
BEGINNING = re.compile(r"(?<!\S)(\w+)\*(?!\S)")
STAR = re.compile(r"(?<=\w)\*(?!\S)")


@dataclass(frozen=True)
class Wording:
    """A question's text for the keyword index, in which `pre*` is any word that begins so, and what else it says."""

    text: str
    phrases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """The text for a model, to which a star says nothing."""
        return STAR.sub("", self.text)

    @property
    def conditions(self) -> list[Filter]:
        """What must hold of a passage."""
        return [*map(Holds, self.phrases), *(Not(Holds(text)) for text in self.without)]


def worded(question: str) -> Wording:
    """A question read as people write them: "a phrase" must stand there, -word must not, pre* is a beginning.

    It is text as it stands where nothing else would be left of it; nothing in it is an error.

    >>> worded('boiler "four digits" -kitchen -"old house" boil*')
    Wording(text='boiler four digits boil*', phrases=('four digits',), without=('kitchen', 'old house'))
    >>> worded('a 5" pipe at -5 °C, -- and 3 * 4')
    Wording(text='a 5" pipe at -5 °C, -- and 3   4', phrases=(), without=())
    """
    phrases: list[str] = []
    without: list[str] = []

    def taken(found: re.Match[str]) -> str:
        text = found["phrase"] or found["word"]
        if not _tells(text):
            return found[0]
        if found["word"] or found["minus"]:
            without.append(text)
            return ""
        phrases.append(text)
        return text

    left = MARKED.sub(taken, question)
    if not _tells(left):
        return Wording(as_it_stands(question))
    text = " ".join(left.split()) if phrases or without else left
    beginnings = {found.start(1) + len(found[1]) for found in BEGINNING.finditer(text)}
    stars = "".join(" " if sign == "*" and at not in beginnings else sign for at, sign in enumerate(text))
    return Wording(stars, tuple(phrases), tuple(without))


def wording_of(question: str, literal: bool = False) -> Wording:
    """The same, or with literal the question as it stands."""
    return Wording(as_it_stands(question)) if literal else worded(question)


def as_it_stands(question: str) -> str:
    """A question of which every sign is text, for the keyword index."""
    return question.replace("*", " ")


def _tells(text: str) -> bool:
    return any(sign.isalnum() for sign in text)
