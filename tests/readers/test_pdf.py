"""PDF: pages and their labels, lines and paragraphs, what is left out and what is told."""

from pathlib import Path

import pytest
from made_pdf import made_pdf, page_of

from searcher.errors import UnreadableFile
from searcher.readers import read, read_text
from searcher.records import Document, Note


def document_of(data: bytes) -> Document:
    [document] = read_text(data, "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document


def pages_of(document: Document) -> dict[int, str]:
    """The text of each page."""
    starts = [start for start, _ in document.places]
    ends = [*starts[1:], len(document.text)]
    return {
        place["page"]: document.text[start:end].strip()
        for (start, place), end in zip(document.places, ends, strict=True)
    }


def test_each_page_is_a_place_and_its_printed_label_stands_beside_it() -> None:
    pages = [page_of("The preface."), page_of("The first chapter."), page_of("The second chapter.")]
    document = document_of(made_pdf(pages, labels="0 << /S /r >> 1 << /S /D /St 17 >>"))
    assert document.text == "The preface.\n\nThe first chapter.\n\nThe second chapter."
    assert document.places == (
        (0, {"page": 1, "label": "i"}),
        (14, {"page": 2, "label": "17"}),
        (34, {"page": 3, "label": "18"}),
    )


def test_no_passage_goes_over_to_the_next_page_unless_a_sentence_does() -> None:
    pages = [page_of("The sentence goes"), page_of("on here. It ends."), page_of("Another one.")]
    document = document_of(made_pdf(pages))
    assert document.breaks == (document.text.index("Another"),)


def test_a_label_that_is_the_number_of_the_page_is_not_said_twice() -> None:
    document = document_of(made_pdf([page_of("One."), page_of("Two.")], labels="0 << /S /D >>"))
    assert [place for _, place in document.places] == [{"page": 1}, {"page": 2}]


def test_lines_of_a_paragraph_stay_together_and_paragraphs_apart() -> None:
    document = document_of(made_pdf([page_of("A paragraph of\ntwo lines.\n\nAnother one\nof two.")]))
    assert document.text == "A paragraph of\ntwo lines.\n\nAnother one\nof two."


def test_a_word_that_a_line_end_cuts_is_put_together_and_a_hyphen_of_its_own_stays() -> None:
    text = "The measure-\nments of a well-known and well-\nknown hall, pre-\nand postwar."
    joined = " ".join(document_of(made_pdf([page_of(text)])).text.split())
    assert joined == "The measurements of a well-known and well-known hall, pre- and postwar."


def test_what_begins_like_former_keeps_its_hyphen_only_before_a_word_of_the_file() -> None:
    text = "The president and the ex-\npresident ex-\nhausted a self-\nmade man."
    joined = " ".join(document_of(made_pdf([page_of(text)])).text.split())
    assert joined == "The president and the ex-president exhausted a self-made man."


def test_what_begins_like_former_keeps_its_hyphen_before_a_compound_of_a_word_of_the_file() -> None:
    text = "The president met the ex-\npresident-elect and an ex-\nample."
    joined = " ".join(document_of(made_pdf([page_of(text)])).text.split())
    assert joined == "The president met the ex-president-elect and an example."


def test_a_hyphen_stays_where_the_file_has_it_as_often_as_not_parts_of_longer_words_aside() -> None:
    text = "co-op-co-op, coop, a cooperative and its\nco-\nop: co-op, coop, co-op."
    joined = " ".join(document_of(made_pdf([page_of(text)])).text.split())
    assert joined == "co-op-co-op, coop, a cooperative and its co-op: co-op, coop, co-op."


def test_how_a_file_spells_a_word_counts_where_underscores_or_signs_stand_around_it() -> None:
    text = "A (co-op) and _re-sent_.\nThey re-\nsent it to the co-\nop at once_upon-it."
    joined = " ".join(document_of(made_pdf([page_of(text)])).text.split())
    assert joined == "A (co-op) and _re-sent_. They re-sent it to the co-op at once_upon-it."


def test_spaces_in_a_row_are_one_and_stay_none_at_the_start_of_a_line() -> None:
    assert document_of(made_pdf([page_of("One   two  three.\nFour  é  five.")])).text == "One two three.\nFour é five."


def test_cells_of_a_row_stand_on_one_line() -> None:
    rows = [(72.0, 700 - 30 * row, 11.0, text) for row, text in enumerate(["Apples", "Pears"])]
    rows += [(200.0, 700 - 30 * row, 11.0, text) for row, text in enumerate(["12", "7"])]
    page = sorted(rows, key=lambda piece: -piece[1])
    assert document_of(made_pdf([page])).text == "Apples 12\nPears 7"


def test_running_heads_and_page_numbers_are_left_out_and_the_first_head_stays() -> None:
    pages = [
        [(72.0, 770.0, 9.0, "The Annual Report"), *page_of(f"What page {word} says."), (300.0, 30.0, 9.0, str(number))]
        for number, word in enumerate(["one", "two", "three"], 41)
    ]
    assert pages_of(document_of(made_pdf(pages))) == {
        1: "The Annual Report\n\nWhat page one says.",
        2: "What page two says.",
        3: "What page three says.",
    }


def test_lines_of_the_text_that_stand_alike_on_two_pages_are_no_running_heads() -> None:
    body = "Each of the two\nparties signs here.\nPage {} of the deed,\nwhich is binding\non both of them."
    pages = [[(72.0, 770.0, 9.0, "The Deed"), *page_of(body.format(name)), (300.0, 30.0, 9.0, f"- {number} -")]
             for number, name in enumerate(["one", "two", "three"], 3)]  # fmt: skip
    assert pages_of(document_of(made_pdf(pages))) == {
        1: f"The Deed\n\n{body.format('one')}", 2: body.format("two"), 3: body.format("three")
    }  # fmt: skip


@pytest.mark.parametrize("shape", ["{}", "- {} -", "Page {} of 9", "[{}]", "{} | 9", "p. {}"])
def test_numbers_of_pages_and_heads_that_take_turns_are_left_out_however_they_are_written(shape: str) -> None:
    heads = ["A Book of Pears", "Pruning"]
    pages = [
        [
            (72.0 + 300 * (number % 2), 770.0, 9.0, heads[number % 2]),
            *page_of(f"What {word} says."),
            (300.0, 30.0, 9.0, shape.format(number)),
        ]
        for number, word in enumerate(["one", "two", "three", "four"], 2)
    ]
    assert pages_of(document_of(made_pdf(pages))) == {
        1: "A Book of Pears\n\nWhat one says.", 2: "Pruning\n\nWhat two says.", 3: "What three says.", 4: "What four says."
    }  # fmt: skip


def test_bookmarks_are_sections_and_the_larger_lines_are_where_there_are_none() -> None:
    pages = [[(72.0, 740.0, 20.0, "Beginnings"), *page_of("How it began.\n" * 6, top=700)]]
    pages += [[(72.0, 740.0, 20.0, "Endings"), *page_of("How it ended.\n" * 6, top=700)]]
    document = document_of(made_pdf(pages))
    assert [path for _, path in document.sections] == ["Beginnings", "Endings"]
    marked = document_of(made_pdf(pages, outline=[("The Beginnings", 0), ("Endings", 1)]))
    assert [path for _, path in marked.sections] == ["The Beginnings", "Endings"]
    assert [marked.text[start : start + 7] for start, _ in marked.sections] == ["Beginni", "Endings"]


def test_title_and_date_are_what_the_file_says_unless_that_says_nothing() -> None:
    page = page_of("Some text.")
    told = document_of(made_pdf([page], title="Of Gardens"))
    assert told.title == "Of Gardens" and told.metadata == {"date": "2024-03-01"}
    assert document_of(made_pdf([page], title="Microsoft Word - report.docx")).title is None
    assert document_of(made_pdf([page], title="untitled")).title is None


@pytest.mark.parametrize(
    ("author", "told"), [("Ada Quist", "Ada Quist"), ("anonymous", None), ("\\(anonymous\\)", None)]
)
def test_an_author_whom_nobody_named_is_none(author: str, told: str | None) -> None:
    assert document_of(made_pdf([page_of("Words.")], author=author)).metadata.get("author") == told


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_page_that_is_shown_turned_reads_the_same(turned: int) -> None:
    assert document_of(made_pdf([page_of("First line\nsecond line")], rotate=turned)).text == "First line\nsecond line"


def test_a_page_that_does_not_say_it_is_one_is_read() -> None:
    """PDFium cannot tell how such a page is turned."""
    assert (
        document_of(made_pdf([page_of("Some words.")]).replace(b"/Type /Page ", b"            ")).text == "Some words."
    )


def test_pages_without_text_are_told_and_the_others_are_read() -> None:
    document, note = read_text(made_pdf([[], page_of("Words."), [], []]), "scan.pdf", suffix=".pdf")
    assert isinstance(document, Document) and pages_of(document) == {2: "Words."}
    assert note == Note("scan.pdf", "pages 1, 3-4 of 4: no text; scanned, perhaps")


@pytest.mark.parametrize(
    "damage", [lambda data: data[: len(data) // 2], lambda data: b"no PDF at all", lambda data: b""]
)
def test_a_damaged_file_fails_with_one_line(damage) -> None:
    with pytest.raises(UnreadableFile, match=r"^a\.pdf: it is damaged or cut short: no PDF that can be read$"):
        list(read_text(damage(made_pdf([page_of("Words.")])), "a.pdf", suffix=".pdf"))


# -- files that people have


def test_a_file_that_needs_a_password_says_so(data: Path) -> None:
    with pytest.raises(UnreadableFile, match="it is encrypted; it opens only with a password"):
        list(read(data / "formats" / "encrypted-aes-user-password.pdf"))


def test_what_a_person_sees_on_pages_comes_through(data: Path) -> None:
    """Each as its page was looked at, before it was read."""
    folder = data / "documents" / "pdf"
    arabic = next(read(folder / "right_to_left_01.pdf"))
    assert isinstance(arabic, Document) and "تحسين الإنتاجية وحل المشكلات من خلال البرمجة بلغة" in " ".join(
        arabic.text.split()
    )
    table = next(read(folder / "embedded_images_tables.pdf"))
    assert isinstance(table, Document) and "10 0.0382 0.0086 −0.5356 1.24E-05 246.080 0.0919" in table.text
    assert table.places == ((0, {"page": 1, "label": "4"}),)
    unmapped, note = read(folder / "non_ascii_text.pdf")
    assert isinstance(unmapped, Document) and "Die Bauarbeiten sind nun offiziell gestartet" in " ".join(
        unmapped.text.split()
    )
    assert note.reason.startswith("pages 1-15 of 18: a font without a Unicode map")


def test_a_large_file_is_read_as_it_is_needed_and_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = made_pdf([page_of("A page of\ntwo lines."), page_of("Another page.")])
    in_memory = document_of(data)
    monkeypatch.setattr("searcher.readers.parsers.pdf.MEMORY_BYTES", len(data) - 1)
    as_needed = document_of(data)
    assert (as_needed.text, as_needed.places) == (in_memory.text, in_memory.places) != ("", ())
