"""Drop capitals of PDFs stand before the rest of their word, wherever the file has them."""

import pytest
from made_pdf import made_pdf, page_of

from searcher.readers import read_text
from searcher.records import Document

BEFORE = "He was known to all of them\nas one who asked for water"
Piece = tuple[float, float, float, str]


def text_of(*pages: list[Piece]) -> str:
    [document] = read_text(made_pdf(list(pages)), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return " ".join(document.text.split())


def paragraph(first: str, *others: str, left: float = 110, top: float = 600) -> list[Piece]:
    """Two lines beside a drop capital, the others under it."""
    lines = enumerate((first, *others))
    return [(left if number < 2 else 72, top - 14 * number, 11, line) for number, line in lines]


def capital(letter: str, top: float = 600, size: float = 32) -> Piece:
    return 72, top - 14, size, letter


@pytest.mark.parametrize(
    ("letter", "first", "begins"),
    [
        ("O", "nce upon a time there", "Once upon a time there"),
        ("O", "NCE UPON a time there", "ONCE UPON a time there"),
        ('"I', "t was a dark night", '"It was a dark night'),
        ("A", "water came down", "A water came down"),  # the file has the word elsewhere
        ("A", "ll of that came down", "All of that came down"),
        ("I", "was there too, once", "I was there too, once"),
    ],
)
@pytest.mark.parametrize("is_last", [False, True])
def test_a_drop_capital_stands_before_its_word(letter: str, first: str, begins: str, is_last: bool) -> None:
    body = [*page_of(BEFORE, top=700), *paragraph(first, "lived a miller with his", "daughter by the river.")]
    pieces = [*body, capital(letter)] if is_last else [capital(letter), *body]
    wanted = f"{' '.join(BEFORE.split())} {begins} lived a miller with his daughter by the river."
    assert text_of(pieces) == wanted


def test_a_letter_that_no_two_lines_stand_beside_stays_where_it_is() -> None:
    assert text_of([capital("A"), (110, 600, 11, "single line"), *page_of(BEFORE, top=500)]).startswith("A single line")


def test_a_letter_as_high_as_its_line_is_none() -> None:
    pieces = [(72, 600, 11, "x"), *paragraph("is what we call it", "in all that follows", left=84)]
    assert text_of(pieces) == "x is what we call it in all that follows"


@pytest.mark.parametrize("has_heights", [False, True])
def test_lines_that_run_together_over_a_drop_capital_are_parted(has_heights: bool) -> None:
    """LibreOffice draws it before the last line that stands beside it, on the same height."""
    first, second, third = (
        (110.0, 600.0 - 13 * number, 11.0, text)
        for number, text in enumerate(
            ["he orchard was planted by two", "brothers in the first spring", "of the new year."]
        )
    )
    for pieces in ([first, second, (72.0, 574.0, 50.0, "T"), third], [first, second, third, (72.0, 574.0, 50.0, "T")]):
        [document] = read_text(made_pdf([pieces], has_heights=has_heights), "a.pdf", suffix=".pdf")
        assert isinstance(document, Document)
        assert document.text == "The orchard was planted by two\nbrothers in the first spring\nof the new year."


def test_a_drop_capital_begins_no_line_of_the_paragraph_above_it() -> None:
    """The box of a letter is higher than the letter."""
    pieces = [*page_of("They hired a cooper\nto make them casks\nof oak.", top=626), (72.0, 559.0, 50.0, "A")]
    pieces += [
        (110.0, 585.0 - 13 * number, 11.0, text)
        for number, text in enumerate(["t last the trees", "were felled for", "want of hands."])
    ]
    assert (
        text_of(pieces)
        == "They hired a cooper to make them casks of oak. At last the trees were felled for want of hands."
    )
