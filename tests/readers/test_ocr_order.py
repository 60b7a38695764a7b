"""In which order lines are read of which only the places are known."""

import random
from collections.abc import Sequence

import pytest

from searcher.readers.parsers.ocr_order import in_reading_order
from searcher.readers.parsers.pdf_page import Box, Line

SIZE = 11.0


def line(text: str, left: float, top: float, size: float = SIZE) -> Line:
    """A line of letters half as wide as high."""
    wide = size / 2
    right = left + wide * len(text)
    bottom = top - size
    return Line.of(text, Box(left, left + wide, bottom, top), Box(right - wide, right, bottom, top), size)


def column(name: str, left: float, top: float, count: int) -> list[Line]:
    return [line(f"{name}{number} and what follows it here", left, top - 14 * number) for number in range(count)]


def names(lines: Sequence[Line]) -> list[str]:
    return [each.text.split()[0] for each in lines]


def shuffled(lines: Sequence[Line]) -> list[Line]:
    return random.Random(7).sample(lines, len(lines))


def test_columns_follow_each_other_between_what_reaches_over_them() -> None:
    title, foot = line("Title " + "over both of the columns " * 3, 72, 760), line("Foot " + "under both " * 8, 72, 400)
    left, right = column("a", 72, 720, 12), column("b", 330, 718, 10)
    assert in_reading_order(shuffled([title, *left, *right, foot])) == [title, *left, *right, foot]


def test_what_stands_between_two_pairs_of_columns_parts_them() -> None:
    parts = [column("a", 72, 720, 5), column("b", 330, 720, 5), [line("Middle " + "of the page " * 7, 72, 620)]]
    parts += [column("c", 72, 580, 5), column("d", 330, 580, 5)]
    lines = [each for part in parts for each in part]
    assert in_reading_order(shuffled(lines)) == lines


def test_three_columns_are_three() -> None:
    lines = [*column("a", 40, 700, 6), *column("b", 250, 700, 6), *column("c", 460, 695, 6)]
    assert in_reading_order(shuffled(lines)) == lines


@pytest.mark.parametrize("left", [72, 40])
def test_a_table_under_columns_stays_in_its_rows(left: float) -> None:
    columns = [*column("a", 72, 720, 8), *column("b", 330, 720, 8)]
    rows = [[line(f"r{row}c{cell}", left + 150 * cell, 560 - 16 * row) for cell in range(3)] for row in range(5)]
    lines = [*columns, *(cell for row in rows for cell in row)]
    assert in_reading_order(shuffled(lines)) == lines


def test_a_table_alone_is_read_row_by_row() -> None:
    lines = [line(f"r{row}c{cell}", 72 + 120 * cell, 700 - 16 * row + cell) for row in range(6) for cell in range(4)]
    assert in_reading_order(shuffled(lines)) == lines


def test_one_column_with_short_lines_is_read_from_the_top() -> None:
    lines = [*column("a", 72, 700, 4), line("short", 72, 640), *column("b", 72, 620, 4), line("12", 400, 500)]
    assert names(in_reading_order(shuffled(lines))) == names(lines)


def test_nothing_and_one_line_are_as_they_are() -> None:
    one = line("one", 72, 700)
    assert in_reading_order([]) == [] and in_reading_order([one]) == [one]


def test_every_line_comes_out_once_wherever_they_stand() -> None:
    chance = random.Random(3)
    for count in (2, 7, 30, 120):
        lines = [
            line("x" * chance.randint(1, 60), chance.uniform(0, 600), chance.uniform(0, 800), chance.uniform(5, 30))
            for _ in range(count)
        ]
        assert sorted(in_reading_order(lines)) == sorted(lines)
