"""PDF: Hebrew and Arabic come out as they are read, however the letters were drawn."""

from itertools import permutations

import pytest
from made_pdf import Glyph, glyph_pdf

from searcher.readers import read_text
from searcher.records import Document

STEP = 6.0  # points, by which a glyph is wide
MIRRORED = str.maketrans("()[]«»", ")(][»«")


def text_of(glyphs: list[Glyph]) -> str:
    [document] = read_text(glyph_pdf(glyphs), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document.text


def turned(text: str) -> str:
    """How a run from right to left looks, from left to right."""
    return text[::-1].translate(MIRRORED)


def placed(line: str, left: float = 72, bottom: float = 700) -> list[Glyph]:
    """What is drawn from left to right, a piece for each sign."""
    return [Glyph(left + STEP * at, bottom, sign) for at, sign in enumerate(line)]


# The parts of a line as it is read; in those with a star words or numbers run to the right, as UAX #9 has them.
LINES = [
    ["שלום עולם!"],
    ["הכתאב (עם סוגריים) [וגם] כאן."],
    ["בשנת ", "*2024", " היו ", "*1,250", " איש, ", "*50%", " מהם."],
    ["תאריך: ", "*15/03/2024", ", שעה ", "*10:30", "."],
    ["ערכו הוא ו-", "*3.14", " בערך"],
    ["הקובץ נכתב ב-", "*Word 2019", " ובשפת ", "*Python 3.12", "."],
    ["הכלי ", "*FAISS (a library)", " מהיר מאוד ויעיל"],
    ["ראו ", "*https://example.com/a-b", " לפרטים"],
    ["في عام ", "*2024", " بلغت ", "*12.5", "% من السكان"],
    ["نشر في ", "*2024", "-", "*03", "-", "*15", " وعام ", "*٢٠٢٣", "، ثم «الأول» (مثلا)."],
    ["شماره ", "*۰۲۱", "-", "*۸۸۷۷", " در سال ", "*۱۴۰۲", "."],
]  # fmt: skip


def line_of(parts: list[str], mirrored: bool = True) -> tuple[str, str]:
    """A line as it is read and as it is drawn."""
    turn = turned if mirrored else lambda part: part[::-1]
    drawn = (part[1:] if part.startswith("*") else turn(part) for part in reversed(parts))
    return "".join(part.removeprefix("*") for part in parts), "".join(drawn)


@pytest.mark.parametrize("parts", LINES, ids="".join)
def test_a_line_is_read_from_right_to_left_and_numbers_and_words_in_it_are_not(parts: list[str]) -> None:
    read, drawn = line_of(parts)
    assert text_of(placed(drawn)) == read
    assert text_of([Glyph(72, 700, drawn)]) == read  # in one piece


@pytest.mark.parametrize("parts", LINES, ids="".join)
def test_what_browsers_tell_of_each_glyph_is_read_as_it_stands(parts: list[str]) -> None:
    """As browsers draw a line: of each glyph is told what it means, spaces are but gaps."""
    read, drawn = line_of(parts)
    _, meant = line_of(parts, mirrored=False)
    glyphs = [glyph._replace(told=sign) for glyph, sign in zip(placed(drawn), meant, strict=True) if sign != " "]
    assert text_of(glyphs) == read


def test_only_some_glyphs_may_be_told() -> None:
    read, drawn = line_of(["كلمات كثيرة يراها القارئ في المدرسة"])
    some = [glyph._replace(told=glyph.text if at % 3 else "") for at, glyph in enumerate(placed(drawn))]
    assert text_of(some) == read


def test_letters_that_are_drawn_from_the_right_are_read_in_the_same_order() -> None:
    read, drawn = line_of(["הספר הראשון מונח על השולחן"])
    assert text_of(placed(drawn)[::-1]) == read


def test_a_glyph_of_several_letters_is_read_as_it_is_written() -> None:
    word = [Glyph(72, 700, "?", means=["ب"]), Glyph(78, 700, "?", means=["لا"]), Glyph(84, 700, "?", means=["ط"])]
    assert text_of(word) == "طلاب"
    assert text_of([word[0], Glyph(78, 700, "x", told="لا"), word[2]]) == "طلاب"
    assert text_of([word[0], Glyph(78, 700, "?", means=["\ufefb"]), word[2]]) == "طلاب"


def test_what_is_told_of_a_whole_phrase_is_read_as_it_stands() -> None:
    phrase = "סדר קבוע (של 25 מלים)"
    drawn = turned("סדר קבוע").replace(" ", "")
    assert text_of([*placed(turned("הוא"), left=200), Glyph(100, 700, drawn, told=phrase)]) == f"הוא {phrase}"


def test_forms_of_letters_are_the_letters() -> None:
    assert text_of(placed("\ufe94\ufed0\ufedf")) == "لغة"


def test_points_stand_behind_the_letters_that_bear_them() -> None:
    drawn = placed(turned("שלום"))
    assert text_of([*drawn, Glyph(drawn[3].left + 1, 703, "\u05b8")]) == "ש\u05b8לום"


def test_letters_that_a_browser_draws_by_their_marks_stay_in_their_line_with_their_marks() -> None:
    """Each is told for the mark, which stands higher or lower than the line."""
    marked = [Glyph(66, 697.8, "x", told="إِ"), Glyph(62, 699.5, "y", told="دُ"), Glyph(56, 702.3, "x", told="لَ")]
    for order in permutations([*marked, Glyph(50, 700, "ى")]):
        assert text_of([Glyph(78, 700, "ه"), Glyph(72, 700, "و"), *order]) == "هوإِدُلَى"


def test_a_text_in_the_order_of_reading_that_was_drawn_from_left_to_right_stays() -> None:
    text = "שלום עולם, אלה מים קרים (מאוד)."
    assert text_of(placed(text)) == text_of([Glyph(72, 700, text)]) == text
    arabic = "هذه مدرسة كبيرة في المدينة."
    assert text_of(placed(arabic)) == arabic


def test_words_from_right_to_left_are_read_so_in_a_line_that_is_not() -> None:
    drawn = f"The words {turned('שלום עולם')} (hello world) mean {turned('سلام')}, since 1974."
    read = "The words שלום עולם (hello world) mean سلام, since 1974."
    assert text_of(placed(drawn)) == read
    assert text_of([Glyph(72, 700, drawn)]) == read


def test_cells_of_a_row_are_read_from_the_right() -> None:
    rows = []
    for bottom, cells in ((700, ["שרה לוי", "31", "New York"]), (670, ["משה כהן", "7", "חיפה"])):
        for left, cell in zip((400, 250, 100), cells, strict=True):
            drawn = cell if cell.isascii() else turned(cell)
            rows += placed(drawn, left, bottom)
    assert text_of(rows).split() == "שרה לוי 31 New York משה כהן 7 חיפה".split()


def test_the_end_of_a_sentence_is_read_where_it_is_but_a_number() -> None:
    lines = [*placed(turned("ספר זה נדפס בפעם הראשונה בשנת"), bottom=700), *placed(".1974", bottom=686)]
    assert text_of(lines).split() == "ספר זה נדפס בפעם הראשונה בשנת 1974.".split()


def test_lines_from_left_to_right_on_such_a_page_stay_as_they_are() -> None:
    english = "The well-known book (of 1974) is here: 50% off."
    lines = [*placed(turned("הספר הראשון"), bottom=700), *placed(english, bottom=660)]
    assert text_of(lines).split("\n") == ["הספר הראשון", english]


def test_signs_that_are_two_in_utf_16_stay_whole() -> None:
    [face, *word] = placed("\0 " + turned("עולם"))
    assert text_of([face._replace(text="😀"), *word]) == "עולם 😀"


@pytest.mark.parametrize("text", ["المكتبة في المدينة", "הספר על השולחן"])
@pytest.mark.parametrize("height", [100, 700, 2000])
def test_words_are_apart_however_high_the_boxes_of_a_font_are(text: str, height: int) -> None:
    glyphs, left = [], 72.0
    for sign in turned(text):
        if sign != " ":
            glyphs.append(Glyph(left, 700, sign))
        left += 2.6 if sign == " " else STEP  # a space is a quarter of the size
    [document] = read_text(glyph_pdf(glyphs, height), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    assert document.text == text
