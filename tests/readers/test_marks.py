"""What pages show beside their words: signs of notes go, numbers of lists stay, formulas are lines."""

import pytest
from made_office import epub

from searcher.readers import read_text
from searcher.records import Document


def page(body: str) -> str:
    """What is read of a web page."""
    [document] = read_text(f"<html><body><main>{body}</main></body></html>".encode(), "file", suffix=".html")
    assert isinstance(document, Document)
    return document.text


def book(body: str, kind: str = "") -> str:
    """What is read of a book with one chapter."""
    chapter = f"<html xmlns='http://www.w3.org/1999/xhtml'{kind}><body>{body}</body></html>"
    [document] = read_text(epub({"a.xhtml": chapter}), "file", suffix=".epub")
    assert isinstance(document, Document)
    return document.text


READERS = pytest.mark.parametrize("read", [page, book])


@READERS
@pytest.mark.parametrize(
    "call, note",
    [
        ('<sup id="c1"><a href="#n1">i</a></sup>', '<sup><a href="#c1">i</a></sup>'),
        ('<a href="#n1" class="footnote-ref" id="c1">1</a>', ""),
        ('<a href="#_ftn1" name="c1"><span class="MsoFootnoteReference">[1]</span></a>', ""),
    ],
)
def test_the_signs_of_a_note_and_of_the_way_back_are_no_words(read: object, call: str, note: str) -> None:
    assert callable(read)
    body = f'<p>It is a winter{call} of ice.</p><p id="n1">{note}A note on it.<a href="#c1">↩︎</a></p>'
    assert read(body) == "It is a winter of ice.\n\nA note on it."


@READERS
def test_the_number_before_a_note_stays_apart_from_its_words(read: object) -> None:
    assert callable(read)
    call, note = '<a name="c1" href="#n1"><sup>1</sup></a>', '<a name="n1" href="#c1">{}</a>{}'.format
    body = f"<p>Ice{call}.</p><p>{note(1, 'Cold.')}</p><p>{note('23.', ' Line.')}</p>"
    assert read(body) == "Ice.\n\n1 Cold.\n\n23. Line."


@READERS
def test_powers_and_links_that_are_words_stay(read: object) -> None:
    assert callable(read)
    body = '<p>5 m<sup>2</sup>, <a href="#c">the note</a> and page <a href="#p">12</a>, <sup><a href="#t">above</a></sup>.</p>'
    assert read(body) == "5 m2, the note and page 12, above."


@READERS
def test_items_of_numbered_lists_have_their_numbers(read: object) -> None:
    assert callable(read)
    inner = '<ol type="a"><li>deep</li><li>deeper</li></ol>'
    body = f'<p>Do so:</p><ol start="3"><li>three{inner}</li><li>four</li><li value="9">nine</li><li>ten</li></ol><ul><li>any</li></ul>'
    assert read(body) == "Do so:\n\n3. three\na. deep\nb. deeper\n4. four\n9. nine\n10. ten\n\n- any"


@READERS
def test_a_formula_without_tex_is_a_line_and_not_its_characters(read: object) -> None:
    assert callable(read)
    math = "<math><mi>x</mi><mo>=</mo><msqrt><msup><mi>b</mi><mn>2</mn></msup></msqrt><mo>+</mo><mover><mi>v</mi><mo>→</mo></mover></math>"
    assert read(f"<p>So {math} holds.</p>") == "So x=√(b^2)+v\u20d7 holds."
    row = "<mtr><mtd></mtd><mtd><mi>{}</mi></mtd><mtd><mtext>if\u00a0</mtext><mi>{}</mi></mtd></mtr>".format
    assert read(f"<p><math><mtable>{row('a', 'b')}{row('c', 'd')}</mtable></math></p>") == "a, if b; c, if d"


def test_a_cell_of_a_table_in_a_book_is_one_line() -> None:
    table = "<table><tr><td>Pear</td><td><ul><li>soft</li><li>sweet</li></ul></td></tr></table>"
    assert book(table) == "Pear | soft; sweet"


def test_nothing_stays_of_brackets_around_a_way_back() -> None:
    label = '<span class="label"><span>[</span><a role="doc-backlink" href="#c">1</a><span>]</span></span>'
    assert page(f"<p>Ice.</p><div>{label}<p>A note.</p></div>") == "Ice.\n\nA note."
