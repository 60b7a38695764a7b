"""PDF: what is filled in in forms, remarks of readers, attached files."""

import pytest
from made_pdf import made_pdf, page_of

from searcher.readers import read_text
from searcher.records import Document, Note

TEXT_FIELD, BOX, CHOICE, SIGNATURE = ("/Subtype /Widget /FT " + kind for kind in ("/Tx", "/Btn", "/Ch", "/Sig"))


def document_of(data: bytes) -> Document:
    [document] = read_text(data, "a.pdf", suffix=".pdf")
    assert isinstance(document, Document)
    return document


def at(left: float, bottom: float, right: float, top: float) -> str:
    return f"/Rect [{left} {bottom} {right} {top}]"


def test_a_value_stands_beside_the_line_that_names_it() -> None:
    page = [(72.0, 740.0, 11.0, "Name:"), (72.0, 710.0, 11.0, "Town:"), (72.0, 680.0, 11.0, "Signature:")]
    fields = [
        f"{CHOICE} /T (town) /V (Delft) /Opt [(Delft) (Leiden)] {at(150, 706, 300, 724)}",
        f"{TEXT_FIELD} /T (name) /V (Ada Quist) {at(150, 736, 300, 754)}",
        f"{TEXT_FIELD} /T (more) /V () {at(150, 640, 300, 660)}",
        f"{SIGNATURE} /T (signature) {at(150, 676, 300, 694)}",
    ]
    document = document_of(made_pdf([page], annotations=fields))
    assert document.text.split("\n") == ["Name: Ada Quist", "Town: Delft", "Signature:"]


@pytest.mark.parametrize(("state", "sign"), [("/AS /Yes /V /Yes", "☑"), ("/AS /Off /V /Off", "☐"), ("", "☐")])
def test_a_box_that_is_ticked_is_told_from_one_that_is_not(state: str, sign: str) -> None:
    box = f"{BOX} /T (member) {state} {at(60, 738, 70, 750)}"
    assert document_of(made_pdf([page_of("Member since May")], annotations=[box])).text == f"{sign} Member since May"


def test_a_value_of_many_lines_stands_under_the_line_above_where_no_line_is_as_high() -> None:
    page = [(72.0, 740.0, 11.0, "Remarks"), (72.0, 500.0, 11.0, "The end.")]
    field = f"{TEXT_FIELD} /Ff 4096 /T (remarks) /V (Seventeen hives\\nbehind the mill) {at(72, 600, 400, 730)}"
    words = " ".join(document_of(made_pdf([page], annotations=[field])).text.split())
    assert words == "Remarks Seventeen hives behind the mill The end."


def test_a_form_without_any_text_is_read() -> None:
    field = f"{TEXT_FIELD} /T (name) /V (Ada Quist) {at(150, 736, 300, 754)}"
    document, note = read_text(made_pdf([[]], annotations=[field]), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document) and document.text == "Ada Quist"
    assert isinstance(note, Note)  # for the page may be a scan of the form


def test_passwords_and_what_is_hidden_stay_unread() -> None:
    fields = [
        f"{TEXT_FIELD} /Ff 8192 /T (secret) /V (xyzzy) {at(150, 736, 300, 754)}",
        f"{TEXT_FIELD} /F 2 /T (hidden) /V (nobody sees it) {at(150, 706, 300, 724)}",
        f"/Subtype /Text /F 2 /Contents (a deleted remark) {at(300, 706, 320, 724)}",
        f"/Subtype /Link /Contents (a link) {at(72, 736, 100, 754)}",
    ]
    assert document_of(made_pdf([page_of("Words.")], annotations=fields)).text == "Words."


@pytest.mark.parametrize("kind", ["Text", "Highlight", "StrikeOut", "Square", "Stamp"])
def test_remarks_of_readers_follow_the_text_of_their_page(kind: str) -> None:
    remark = f"/Subtype /{kind} /Contents (Forty colonies? I doubt it.) {at(72, 736, 100, 754)}"
    pages = [page_of("There are forty\ncolonies in the valley."), page_of("The next page.")]
    document = document_of(made_pdf(pages, annotations=[remark]))
    first = "There are forty\ncolonies in the valley.\n\nForty colonies? I doubt it.\n\n"
    assert document.text == first + "The next page."
    assert document.places == ((0, {"page": 1}), (len(first), {"page": 2}))


def test_what_is_typed_onto_a_page_is_read_where_it_stands() -> None:
    page = [(72.0, 740.0, 11.0, "Date:"), (72.0, 720.0, 11.0, "The end.")]
    typed = f"/Subtype /FreeText /Contents (the third of May) /DA (/Helv 11 Tf) {at(120, 737, 300, 752)}"
    assert document_of(made_pdf([page], annotations=[typed])).text.startswith("Date: the third of May\n")


def test_attached_files_are_named_as_not_read() -> None:
    document, note = read_text(made_pdf([page_of("Words.")], attached="figures.csv"), "a.pdf", suffix=".pdf")
    assert isinstance(document, Document) and document.text == "Words."
    assert note == Note("a.pdf", "files that are attached to it are not read: figures.csv")


def test_remarks_among_links_are_read_and_the_links_are_not() -> None:
    link = f"/Subtype /Link /Contents (a link) {at(72, 736, 100, 754)}"
    remarks = [f"/Subtype /Text /Contents (Remark {number}) {at(300, 706, 320, 724)}" for number in (1, 2, 3)]
    annotations = [link, link, remarks[0], link, remarks[1], remarks[2], link]
    document = document_of(made_pdf([page_of("A line.")], annotations=annotations))
    assert document.text.split() == "A line. Remark 1 Remark 2 Remark 3".split()
