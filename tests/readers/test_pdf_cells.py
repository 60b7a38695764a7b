"""PDF: cells of several lines that are drawn one after the other stay a row, and rows stay apart."""

from made_pdf import made_pdf

from searcher.readers import read_text
from searcher.records import Document

Piece = tuple[float, float, float, str]
SIZE, STEP = 10.0, 12.0


def text_of(pieces: list[Piece]) -> str:
    [document] = read_text(made_pdf([pieces]), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document.text


def cell(left: float, top: float, text: str) -> list[Piece]:
    """The lines of a cell."""
    return [(left, top - at * STEP, SIZE, line) for at, line in enumerate(text.split("\n"))]


def row(top: float, *cells: str) -> list[Piece]:
    """Cells beside each other, one after the other."""
    return [piece for at, text in enumerate(cells) for piece in cell(72 + 160 * at, top, text)]


def test_cells_of_several_lines_are_read_row_by_row() -> None:
    rows = [
        *row(700, "North\nquay", "dredged in the\nwinter of 1911\nby two brothers", "in the\nshed"),
        *row(655, "South\nquay\n(closed)", "not yet dredged,\nfor want of money", "at the\ngate"),
    ]
    assert text_of(rows) == (
        "North\nquay\ndredged in the\nwinter of 1911\nby two brothers\nin the\nshed\n\n"
        "South\nquay\n(closed)\nnot yet dredged,\nfor want of money\nat the\ngate"
    )


def test_rows_of_two_cells_are_told_by_where_the_second_ones_begin() -> None:
    rows = [*row(700, "North\nquay", "dredged in the\nwinter of 1911"), *row(660, "South\nquay", "not yet\ndredged")]
    after = cell(72, 610, "The table says which quays were dredged.")
    assert text_of([*rows, *after]) == (
        "North\nquay\ndredged in the\nwinter of 1911\n\nSouth\nquay\nnot yet\ndredged\n\n"
        "The table says which quays were dredged."
    )


def test_what_stands_beside_a_text_once_is_no_cell_of_a_row() -> None:
    beside = [*cell(72, 700, "The orchard\nwas planted by\ntwo brothers."), *cell(300, 700, "A note in\nthe margin.")]
    assert text_of(beside) == "The orchard\nwas planted by\ntwo brothers.\n\nA note in\nthe margin."


def test_columns_of_a_page_are_no_cells() -> None:
    lines = "\n".join(f"Line {at} of it." for at in range(1, 21))
    text = text_of([*cell(72, 700, lines), *cell(240, 700, lines), *cell(400, 700, lines)])
    assert text == "\n\n".join([lines] * 3)
