"""PDF: letters that are set apart are words, and letters that are words stay so."""

import pytest
from made_pdf import made_pdf

from searcher.readers import read_text
from searcher.records import Document

SIZE = 10.0
# Advance widths of Helvetica, in thousandths of its size.
WIDTHS = {
    sign: width
    for width, signs in {
        222: "ijl", 278: "It., ", 333: "r", 500: "cskvxyzJ", 556: "abdeghnopquL0123456789", 611: "FTZ", 667: "ABEKPSVXY",
        722: "CDHNRUw", 778: "GOQ", 833: "mM",
    }.items()
    for sign in signs
}  # fmt: skip

Piece = tuple[float, float, float, str]


def set_apart(text: str, gap: float, left: float = 72, bottom: float = 700, draws: bool = False) -> list[Piece]:
    """A piece for each letter of a text, so far apart in sizes of the font. draws: whether spaces are drawn, too."""
    pieces = []
    for sign in text:
        if sign != " " or draws:
            pieces.append((left, bottom, SIZE, sign))
        left += SIZE * (WIDTHS[sign] / 1000 + gap)
    return pieces


def text_of(pieces: list[Piece]) -> str:
    [document] = read_text(made_pdf([pieces]), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document.text


@pytest.mark.parametrize("gap", [0.1, 0.15, 0.2, 0.3, 0.45])
@pytest.mark.parametrize("text", ["TITLE", "ANNUAL REPORT 2024", "the spaced title, too"])
def test_letters_that_are_set_apart_are_words(text: str, gap: float) -> None:
    assert text_of(set_apart(text, gap)) == text


def test_words_in_a_line_that_are_set_apart_are_words() -> None:
    pieces = [(72.0, 700.0, SIZE, "That is")]
    pieces += set_apart(" quite clear ", 0.2, 72 + 0.001 * SIZE * sum(map(WIDTHS.__getitem__, "Thatis ")), draws=True)
    end = pieces[-1][0] + 5
    assert text_of([*pieces, (end, 700.0, SIZE, "to me.")]) == "That is quite clear to me."


@pytest.mark.parametrize("line", ["T I T L E", "A B C D E", "the letters a b c d e f and g", "x y z", "1 2 3 4 5 6 7"])
def test_letters_with_spaces_that_were_written_stay_apart(line: str) -> None:
    assert text_of([(72, 700, SIZE, line)]) == line


def test_numbers_and_cells_that_stand_apart_stay_so() -> None:
    assert text_of(set_apart("1234567", 0.3)) == "1 2 3 4 5 6 7"
    assert text_of(set_apart("ABCDE", 2.0)) == "A B C D E"


@pytest.mark.parametrize("gap", [0.22, 0.278, 0.33])
@pytest.mark.parametrize("line", ["The signs a b c d e are here", "The letter x is here", "points A B C D E are near"])
def test_letters_in_a_line_whose_spaces_are_not_drawn_stay_words(line: str, gap: float) -> None:
    left, pieces = 72.0, []
    for word in line.split():
        pieces.append((left, 700.0, SIZE, word))
        left += SIZE * (sum(WIDTHS[sign] for sign in word) / 1000 + gap)
    assert text_of(pieces) == line


@pytest.mark.parametrize("gap", [0.1, 0.15, 0.2, 0.3])
def test_narrow_letters_that_are_set_apart_are_a_word(gap: float) -> None:
    assert text_of(set_apart("Illinois", gap)) == "Illinois"
