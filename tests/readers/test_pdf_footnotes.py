"""Footnotes of PDFs, marks of lists that a file has elsewhere, and what is no heading or not the same one."""

from made_pdf import made_pdf, page_of

from searcher.readers import read_text
from searcher.records import Document

BODY = "The sentence of the first\ncolumn goes on until the foot of\nit where it is cut by the end"
Piece = tuple[float, float, float, str]


def document_of(*pages: list[Piece], outline: list[tuple[str, int]] | None = None) -> Document:
    [document] = read_text(made_pdf(pages, outline=outline or []), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document


def column(text: str, left: float, top: float = 300) -> list[Piece]:
    return [(left, y, size, line) for _, y, size, line in page_of(text, top=top)]


def note(number: str, words: str, left: float, bottom: float = 100) -> list[Piece]:
    """A footnote, its number raised."""
    return [(left, bottom + 3, 5, number), (left + 2.78 * len(number), bottom, 8, words)]


def test_a_note_stands_after_the_text_of_the_page_and_its_number_apart() -> None:
    first = [*column(BODY, 72), *note("1", "Note on the first.", 72)]
    second = [*column("and begins anew here.\nMore of it.", 320), *note("2", "Note on the second.", 320)]
    text = document_of([*first, *second, (300, 50, 11, "7")]).text
    assert text.split("\n\n") == [
        f"{BODY}\nand begins anew here.\nMore of it.", "1 Note on the first.\n2 Note on the second.", "7",
    ]  # fmt: skip


def test_a_number_of_a_note_that_the_font_itself_raises_is_apart() -> None:
    small: list[Piece] = [(72, 100, 8, "1Note on it."), (72, 80, 8, "3D is no note.")]
    assert document_of([*column(BODY, 72), *small]).text.endswith("1 Note on it.\n\n3D is no note.")


def test_what_is_small_in_the_midst_of_a_column_stays_there() -> None:
    first = [*column(BODY, 72), *note("1", "Note of a table.", 72, 220), *column("Further down.", 72, 180)]
    text = document_of([*first, *column("The next column.", 320)]).text
    assert text.split("\n\n") == [BODY, "1 Note of a table.", "Further down.", "The next column."]


def test_a_mark_that_a_file_has_elsewhere_stands_before_its_item() -> None:
    items = [
        *column("Two things:", 72),
        (90, 270, 11, "one thing"),
        (90, 256, 11, "another thing"),
        *column("After.", 72, 200),
    ]
    marks: list[Piece] = [(76, 270, 11, "1."), (76, 256, 11, "2.")]
    assert " ".join(document_of([*items, *marks]).text.split()) == "Two things: 1. one thing 2. another thing After."


def test_an_item_is_no_heading_however_large_its_bullet() -> None:
    items: list[Piece] = [(72, 700, 16, "•"), (80, 700, 11, "first of the things"), *page_of(BODY, top=600)]
    assert document_of(items).sections == ()


def test_headings_that_begin_and_end_elsewhere_are_two() -> None:
    title: list[Piece] = [(200, 740, 20, "Of Harbours"), (72, 714, 20, "Introduction")]
    document = document_of([*title, *page_of(f"{BODY}\n{BODY}", top=600)])
    assert [path for _, path in document.sections] == ["Of Harbours", "Introduction"]


def test_a_title_above_the_first_entry_of_the_outline_is_that_of_the_file() -> None:
    page = [(72.0, 740.0, 20.0, "Of Harbours"), (72.0, 690.0, 14.0, "Beginnings"), *page_of(f"{BODY}\n{BODY}", top=600)]
    document = document_of(page, outline=[("Beginnings", 0)])
    assert document.title == "Of Harbours" and [path for _, path in document.sections] == ["Beginnings"]


def test_what_is_stamped_across_a_page_is_no_heading() -> None:
    stamped = made_pdf([page_of(f"{BODY}\n{BODY}")]).replace(b"1 0 0 1 72 740 Tm", b"3 3 -3 3 72 240 Tm")
    [document] = read_text(stamped, "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    assert document.sections == ()
