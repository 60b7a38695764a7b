"""Questions of a Markdown FAQ that letters or bold type mark: `Q: When?` with `A: Now.`, `**When?**`."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from searcher.readers.headings import line_starts, lines

__all__ = ["Marked", "in_bold", "lettered"]

ASKED = re.compile(
    r" {0,3}(?:[-*+] +|\d+[.)] +)?[*_]{0,2}"
    r"(?:Q(?:uestion)? ?\d{0,3}[*_]{0,2} ?[:.)]|(?:F(?:rage)?|P(?:regunta)?) ?\d{0,3}[*_]{0,2} ?:)"
    r"[*_]{0,2}[ \t]+(?P<said>\S.*?)[ \t]*$"
)
ANSWERED = re.compile(
    r"\s{0,8}(?:[-*+] +)?[*_]{0,2}"
    r"(?:A(?:nswer|ntwort)? ?\d{0,3}[*_]{0,2} ?[:.)]|(?:R|Réponse|Respuesta) ?\d{0,3}[*_]{0,2} ?:)"
    r"[*_]{0,2}(?:[ \t]+(?P<said>.*?))?[ \t]*$"
)
BOLD = re.compile(r" {0,3}(?:[-*+] +|\d+[.)] +)?(?P<sign>\*\*|__)(?P<said>[^*_\n]+[?？؟])(?P=sign)[ \t]*$")
FOLLOWS = re.compile(r"\s*(?P<said>\S.*)")
CLOSING = re.compile(r"[*_]{1,2}$")
FENCE = re.compile(r"\s*(?:```|~~~)")
HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
WITH_ANSWER = 0.5  # of the questions, else the letters mean something else


class Marked(NamedTuple):
    """A question and its answer, the lines on which they begin, and `text[start:end]`, which holds both."""

    question: str
    line: int
    answer: str
    answered: int
    start: int
    end: int


def lettered(text: str) -> list[Marked]:
    """Those of `Q:` and `A:`; none if most of what asks so has no answer so."""
    asked = sum(1 for _, line, inside in _lines(text) if not inside and ASKED.match(line))
    found = list(_found(text, ASKED, ANSWERED)) if asked else []
    return found if len(found) >= WITH_ANSWER * asked else []


def in_bold(text: str) -> list[Marked]:
    """Lines that ask in bold, each with what follows it."""
    return list(_found(text, BOLD, FOLLOWS))


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Each line with its number, and whether it is one of code between fences."""
    inside = False
    for number, line in enumerate(lines(text), 1):
        fence = bool(FENCE.match(line))
        yield number, line, inside or fence
        inside ^= fence


def _found(text: str, asks: re.Pattern[str], answers: re.Pattern[str]) -> Iterator[Marked]:
    """A question goes to its answer, and that to the next question or heading."""
    starts = [*line_starts(text), len(text)]
    question, asked = "", 0
    answer: list[str] = []
    answered = 0
    for number, line, inside in [*_lines(text), (len(starts), "# end", False)]:
        found = None if inside else asks.match(line)
        if found or (not inside and HEADING.match(line)):
            if any(answer):
                said = "\n".join(answer).strip()
                yield Marked(question, asked, said, answered, starts[asked - 1], starts[number - 1])
            question, asked, answer = CLOSING.sub("", found["said"]) if found else "", number, []
        elif answer:
            answer.append(line.rstrip())
        elif question and line.strip() and (begun := answers.match(line)):
            answer, answered = [begun["said"] or ""], number
