"""PDF: bold lines that are no larger than the text are headings where they stand above it, and nowhere else."""

import pytest
from made_pdf import Glyph, glyph_pdf, made_pdf, page_of

from searcher.readers import read_text
from searcher.records import Document

Piece = tuple[float, float, float, str]
TEXT = "The orchard was planted by two brothers, and most of it\nsurvived the frost of that year, as did the goats."
MORE = "Nobody believed that pears would grow so far from the\nsea, until the widow of a miller brought some to market."


def document_of(pages: list[list[Piece]], *bold: str) -> Document:
    [document] = read_text(made_pdf(pages, bold=bold), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document


def headings_of(text: str, *bold: str) -> list[str]:
    return [path for _, path in document_of([page_of(text)], *bold).sections]


def test_a_bold_line_above_a_paragraph_is_a_heading_and_stands_apart() -> None:
    document = document_of([page_of(f"{TEXT}\n\nPears\n{MORE}")], "Pears")
    assert document.text == f"{TEXT}\n\nPears\n\n{MORE}"
    assert document.sections == ((document.text.index("Pears"), "Pears"),)
    assert document.title is None


@pytest.mark.parametrize(
    "heading", ["2. PEARS.", "2.1 Pears", "A. Of pears", "§ 2 Pears", "Do pears grow?", "IV. Pears"]
)
@pytest.mark.parametrize("under", ["\n", "\n\n"])
def test_headings_with_numbers_and_questions_are_read_with_and_without_room_below(heading: str, under: str) -> None:
    assert headings_of(f"{TEXT}\n\n{heading}{under}{MORE}", heading) == [heading]


def test_numbers_tell_the_levels_of_bold_headings() -> None:
    text = f"1. Trees\n\n1.1 Apples\n{TEXT}\n\n1.2 Pears\n{MORE}\n\n2. Goats\n{TEXT}"
    assert headings_of(text, "1. Trees", "1.1 Apples", "1.2 Pears", "2. Goats") == [
        "1. Trees", "1. Trees > 1.1 Apples", "1. Trees > 1.2 Pears", "2. Goats",
    ]  # fmt: skip


def test_bold_headings_are_below_large_ones() -> None:
    pages = [[(72.0, 740.0, 20.0, "Of Orchards"), *page_of(f"Pears\n{TEXT}\n\nGoats\n{MORE}", top=700)]]
    document = document_of(pages, "Pears", "Goats")
    assert [path for _, path in document.sections] == ["Of Orchards", "Of Orchards > Pears", "Of Orchards > Goats"]
    assert document.title == "Of Orchards"


def test_a_bold_heading_of_two_lines_is_one() -> None:
    lines = "Of pears that were brought to market by the", "widow of a miller"
    document = document_of([page_of(f"{TEXT}\n\n{lines[0]}\n{lines[1]}\n\n{MORE}")], *lines)
    assert [path for _, path in document.sections] == [" ".join(lines)]
    assert document.text == f"{TEXT}\n\n{lines[0]}\n{lines[1]}\n\n{MORE}"


@pytest.mark.parametrize(
    ("text", "bold"),
    [
        (f"{TEXT}\nPears\n{MORE}", ["Pears"]),  # no room above it
        (f"{TEXT}\n\nThe fee is due on the first of March.\n{MORE}", ["The fee is due on the first of March."]),
        (f"{TEXT}\n\nTable 2: Pears\n\n{MORE}", ["Table 2: Pears"]),
        (f"{TEXT}\n\nFig. 3. Goats\n\n{MORE}", ["Fig. 3. Goats"]),
        (f"{TEXT}\n\ngrafted(pear)\n\n{MORE}", ["grafted(pear)"]),
        (f"{TEXT}\n\n1. Pears\n\n2. Apples\n\n3. Goats\n\n{MORE}", ["1. Pears", "2. Apples", "3. Goats"]),
        (f"{TEXT}\n\n\u2022 Pears\n{MORE}", ["\u2022 Pears"]),
        (f"{TEXT}\n\nPears\n\n12\n\n7\n\n{MORE}", ["Pears"]),  # the head of a column
        (f"{TEXT}\n\nMiller and Sons\nChurch Lane 4\nNewtown\n\n{MORE}", ["Miller and Sons"]),
        (f"{TEXT}\n\nOne\nof three\nbold lines\n{MORE}", ["One", "of three", "bold lines"]),
        (f"{TEXT}\n\nPears", ["Pears"]),  # nothing follows
        (f"{TEXT}\n\nPears\nand goats, which climbed over the walls of the orchard.", ["Pears"]),
    ],
)  # fmt: skip
def test_bold_lines_that_are_something_else_are_no_headings(text: str, bold: list[str]) -> None:
    assert headings_of(text, *bold) == []


def beside(text: str, *cells: tuple[float, str]) -> list[Piece]:
    """A page of a text with other pieces beside its fourth line."""
    pieces = page_of(text)
    _, bottom, size, _ = pieces[2]
    return [*pieces[:3], *((left, bottom, size, cell) for left, cell in cells), *pieces[3:]]


def test_bold_words_at_the_start_of_a_line_are_no_heading() -> None:
    page = beside(f"{TEXT}\n\nPears\n{MORE}", (104.0, "grow so far from the sea."))
    assert document_of([page], "Pears").sections == ()


def test_bold_cells_of_a_row_are_no_headings() -> None:
    page = beside(f"{TEXT}\n\nFruit\n{MORE}", (250.0, "Price in spring"), (400.0, "Price"))
    assert document_of([page], "Fruit", "Price in spring", "Price").sections == ()


def test_a_term_is_no_heading_of_the_text_that_stands_indented_under_it() -> None:
    def page(left: float) -> list[Piece]:
        under = page_of(MORE, top=740 - 4 * 13.2)
        return [*page_of(f"{TEXT}\n\nPears"), *((left, *piece[1:]) for piece in under)]

    assert document_of([page(120)], "Pears").sections == ()
    assert [path for _, path in document_of([page(72)], "Pears").sections] == ["Pears"]


def test_running_heads_are_no_headings() -> None:
    pages = [[(72.0, 770.0, 11.0, "Pears"), *page_of(f"{TEXT}\n\nOn page {page}, there are pears.", top=752)]
             for page in ("one", "two")]  # fmt: skip
    assert document_of(pages, "Pears").sections == ()


def test_a_file_with_an_outline_has_the_headings_that_it_says() -> None:
    data = made_pdf([page_of(f"Apples\n{TEXT}\n\nPears\n{MORE}")], outline=[("Apples", 0)], bold=("Apples", "Pears"))
    [document] = read_text(data, "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    assert document.sections == ((0, "Apples"),)


def test_no_bold_line_is_a_heading_where_all_is_bold() -> None:
    lines = [*TEXT.split("\n"), *MORE.split("\n"), "Pears"]
    assert headings_of(f"{TEXT}\n\nPears\n{MORE}", *lines) == []


@pytest.mark.parametrize("lines", [
    ["הנמל נבנה בשנת קרח אחת, ומאז עוגנות בו אוניות רבות.", "", "תולדות הנמל", "בחורף קופאים המים, והאוניות אינן יכולות להיכנס."],
    ["بني الميناء في سنة الجليد، ومنذ ذلك الوقت ترسو فيه السفن.", "", "تاريخ الميناء", "في الشتاء تتجمد المياه، ولا تدخل السفن."],
])  # fmt: skip
def test_bold_headings_are_read_from_right_to_left(lines: list[str]) -> None:
    glyphs = [
        Glyph(500 - 6 * at, 700 - 12 * number, sign, bold=number == 2)
        for number, line in enumerate(lines)
        for at, sign in enumerate(line)
        if sign != " "
    ]
    [document] = read_text(glyph_pdf(glyphs), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    assert document.text == f"{lines[0]}\n\n{lines[2]}\n\n{lines[3]}"
    assert [path for _, path in document.sections] == [lines[2]]
