"""What options take beside text and paths: numbers and names, whose faults say the wrong value and the good ones."""

import math
from typing import Any

import click

from searcher.cli.command import near

__all__ = ["Choice", "Number", "Whole"]


class Choice(click.Choice):  # type: ignore[type-arg]  # older ones of click take none
    """One of some names; a wrong one is told with the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name. click.BadParameter for another."""
        if value not in self.choices:
            self.fail(f"{value!r} is not one of {', '.join(self.choices)}.{near(str(value), self.choices)}", param, ctx)
        return value


class Number(click.ParamType):  # type: ignore[type-arg]
    """A number of at least, or up to, or above some other, as far as these are given; neither infinite nor NaN."""

    name, what = "number", "a number"
    kind: type[float] = float

    def __init__(self, least: float | None = None, most: float | None = None, *, above: float | None = None) -> None:
        self.least, self.most, self.above = least, most, above

    @property
    def good(self) -> str:
        """What may be given.

        >>> Whole(1).good, Whole(0, 65_535).good, Number(above=0, most=1).good
        ('a whole number of at least 1', 'a whole number from 0 to 65,535', 'a number above 0, at most 1')
        """
        if self.above is not None:
            return f"{self.what} above {self.above:,}" + ("" if self.most is None else f", at most {self.most:,}")
        if self.least is None:
            return self.what
        return f"{self.what} " + (
            f"of at least {self.least:,}" if self.most is None else f"from {self.least:,} to {self.most:,}"
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. click.BadParameter for what is none, or not in the range."""
        try:
            number = self.kind(value)
            sound = math.isfinite(number) and self._holds(number)
        except (OverflowError, ValueError):
            sound = False
        if not sound:
            self.fail(f"{value!r} is not {self.good}.", param, ctx)
        return number

    def _holds(self, number: float) -> bool:
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
        )


class Whole(Number):
    """A whole number, in the same way."""

    name, what = "whole number", "a whole number"
    kind = int
