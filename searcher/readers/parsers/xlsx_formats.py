"""Numbers of Excel as their formats show them: currencies and units, thousands, places, leading zeros, percent.

After ECMA-376, 18.8.31. A format that has an exponent, a fraction or a condition, or that hides the number, is not
followed: the number stands as it is stored.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

__all__ = ["is_clock", "shown_number"]

TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]\-]*)[^\]]*\]|\[(?P<bracketed>[^\]]*)\]'
    r"|(?P<digit>[0#?]+)|(?P<comma>,)|(?P<point>\.)|(?P<percent>%)|(?P<other>.)",
    re.DOTALL,
)
COLOR = re.compile(r"(?:black|blue|cyan|green|magenta|red|white|yellow|color ?\d+)", re.IGNORECASE)
REFUSED = set("@/") | set("eEgGyYmMdDhHsSbB")  # texts, fractions, exponents, dates, "General"
PLAIN = re.compile(r"General|@|", re.IGNORECASE)
CLOCK = re.compile(r"[hHsSmM:.0 ]+(?:AM/PM|A/P)?", re.IGNORECASE)
LITERAL = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')
DIGITS = "0#?"  # placeholders
MOST_PLACES = 30
MOST = 1e15  # beyond which the digits of a number are not exact


class Section(NamedTuple):
    """How a number is written.

    before, after: signs around it. marks: placeholders and signs of its whole part. zeros: digits that this has at
    least. places, least: digits of its fraction at most, and at least. scale: by which it is multiplied. is_grouped:
    whether thousands are parted. is_mask: whether signs stand between the placeholders.
    """

    before: str
    after: str
    marks: str
    zeros: int
    places: int
    least: int
    scale: Decimal
    is_grouped: bool
    is_mask: bool

    def write(self, number: float) -> str:
        """A number without its sign."""
        whole, _, places = self._fixed(number).partition(".")
        if self.least < self.places:
            places = places[: self.least] + places[self.least :].rstrip("0")
        text = f"{self._whole(whole)}.{places}" if places else self._whole(whole)
        return f"{self.before}{text}{self.after}".strip()

    def _fixed(self, number: float) -> str:
        """Its digits, rounded as people do: a half goes up."""
        said = repr(abs(number))
        if self.scale == 1 and len(said.partition(".")[2]) <= self.places:  # nothing to round
            return f"{abs(number):.{self.places}f}"
        return f"{(Decimal(said) * self.scale).quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_UP):f}"

    def _whole(self, digits: str) -> str:
        if not self.marks:
            return "" if not self.places else digits.lstrip("0")
        digits = digits.lstrip("0").rjust(self.zeros, "0")
        if self.is_grouped:
            return f"{int(digits):,}" if digits else ""
        return self._masked(digits) if self.is_mask else digits

    def _masked(self, digits: str) -> str:
        """From the right a digit for each placeholder; the first takes what is left."""
        first = next(at for at, mark in enumerate(self.marks) if mark in DIGITS)
        written: list[str] = []
        for at, mark in reversed(list(enumerate(self.marks))):
            taken = (digits if at == first else digits[-1:]) if mark in DIGITS else mark if digits else ""
            digits = digits[: len(digits) - len(taken)] if mark in DIGITS else digits
            written.append(taken)
        return "".join(reversed(written))


def shown_number(value: float, form: str) -> str | None:
    """The number as the format shows it; None where it is to stand as it is stored.

    >>> shown_number(-1234.5, '#,##0.00 "kr"'), shown_number(7, "00000"), shown_number(7, "General")
    ('-1,234.50 kr', '00007', None)
    """
    sections = _sections(form)
    if not sections or not abs(value) < MOST:
        return None
    chosen = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
    section = sections[chosen]
    text = section.write(value) if section else ""
    return f"-{text}" if text and value < 0 and chosen == 0 else text or None


@lru_cache(maxsize=1024)
def is_clock(form: str) -> bool:
    """Whether a format shows the time of a day and not the day."""
    bare = LITERAL.sub("", form.partition(";")[0])
    return bool(CLOCK.fullmatch(bare)) and any(each in "hHsS" for each in bare)


@lru_cache(maxsize=1024)
def _sections(form: str) -> list[Section | None]:
    """Those of a format: for all numbers or the positive, the negative, and 0; None for one that is not followed."""
    if PLAIN.fullmatch(form):
        return []
    parts: list[str] = []
    start = 0
    for found in re.finditer(rf"{LITERAL.pattern}|(;)", form):
        if found[1]:
            parts.append(form[start : found.start()])
            start = found.end()
    parts.append(form[start:])
    return [_section(part) for part in parts[:3]]


def _section(form: str) -> Section | None:
    before, whole, places = "", list[str](), ""
    scale, grouped, point, commas = Decimal(1), False, False, 0
    gap = ""  # signs that stand between placeholders, if more of them come
    for token in TOKEN.finditer(form):
        kind, said = token.lastgroup or "", token[token.lastgroup or 0]
        if kind == "digit" and point:
            if gap:
                return None
            places += said
        elif kind == "digit":
            grouped = grouped or commas > 0
            whole += [*gap, *said]
            gap, commas = "", 0
        elif kind == "comma" and whole:
            commas += 1
        elif kind == "point" and not point:
            point = True
        elif (kind == "bracketed" and not COLOR.fullmatch(said)) or (kind == "other" and said in REFUSED):
            return None
        elif kind in ("quoted", "escaped", "currency", "percent", "other", "point", "comma"):
            scale *= 100 if kind == "percent" else 1
            before, gap = (before, gap + said) if whole or point else (before + said, gap)
    marks = "".join(whole)
    if len(marks) + len(places) > MOST_PLACES:
        return None
    least, is_mask = len(places.rstrip("#?")), bool(set(marks) - set(DIGITS))
    return Section(
        before, gap, marks, marks.count("0"), len(places), least, scale / 1000**commas, grouped, is_mask
    )  # fmt: skip
