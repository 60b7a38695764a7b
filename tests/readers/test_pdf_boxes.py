"""Text boxes of PDFs are read where they stand, whether they are drawn before or after the text of the page."""

import pytest
from made_pdf import made_pdf, page_of

from searcher.readers import read_text
from searcher.records import Document

Piece = tuple[float, float, float, str]
ABOVE = page_of("The orchard was planted by two brothers.\nMost of the saplings survived the first frost.", top=700)
BELOW = page_of("Nobody believed that pears would grow.\nThe goats climbed over every wall.", top=600)
BOX: list[Piece] = [(110.0, 655.0, 11.0, "The frost of 1911"), (110.0, 642.0, 11.0, "killed forty trees.")]


def text_of(pieces: list[Piece]) -> str:
    [document] = read_text(made_pdf([pieces]), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document.text


@pytest.mark.parametrize("pieces", [[*BOX, *ABOVE, *BELOW], [*ABOVE, *BELOW, *BOX]])
def test_a_box_is_read_between_the_paragraphs_that_it_stands_between(pieces: list[Piece]) -> None:
    assert text_of(pieces) == (
        "The orchard was planted by two brothers.\nMost of the saplings survived the first frost.\n\n"
        "The frost of 1911\nkilled forty trees.\n\n"
        "Nobody believed that pears would grow.\nThe goats climbed over every wall."
    )


@pytest.mark.parametrize("is_first", [False, True])
def test_a_box_within_a_sentence_is_read_after_it(is_first: bool) -> None:
    above = page_of("The orchard was planted in the spring\nby two brothers, and the saplings", top=700)
    below = page_of("survived the frost\nof that year.\nThe goats climbed over walls.", top=600)
    assert " ".join(text_of([*BOX, *above, *below] if is_first else [*above, *below, *BOX]).split()) == (
        "The orchard was planted in the spring by two brothers, and the saplings survived the frost of that year."
        " The frost of 1911 killed forty trees. The goats climbed over walls."
    )


def test_two_boxes_are_read_each_in_its_place() -> None:
    last = page_of("At last the trees were felled.", top=520)
    other = [(150.0, 555.0, 11.0, "Perry is drunk in autumn.")]
    assert " ".join(text_of([*ABOVE, *BELOW, *last, *other, *BOX]).split()) == (
        "The orchard was planted by two brothers. Most of the saplings survived the first frost."
        " The frost of 1911 killed forty trees. Nobody believed that pears would grow. The goats climbed over every wall."
        " Perry is drunk in autumn. At last the trees were felled."
    )


def test_columns_under_a_line_over_both_stay_columns() -> None:
    right = [
        (320.0, top, size, text) for _, top, size, text in page_of("The second column is\nread after it.", top=660)
    ]
    left = page_of("The first column is\nread before it.", top=660)
    assert text_of([*ABOVE, *BELOW, *left, *right]).endswith(
        "The first column is\nread before it.\n\nThe second column is\nread after it."
    )
