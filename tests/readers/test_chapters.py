"""Books: chapters that begin within a file, words with their readings, and what is hidden."""

from made_office import epub

from searcher.readers import read_text
from searcher.records import Document

PAGE = (
    '<html><body><p>Before.</p><h2><a id="one"/>One</h2><p>First.</p><div id="two"><p>Second <b id="three">mark</b>.</p></div>'
    "<h2>Two and a half</h2><p>Third.</p><p id='four'>Fourth.</p></body></html>"
)


def book(chapters: dict[str, str], contents: dict[str, str], **more: str) -> Document:
    [document] = read_text(epub(chapters, contents, **more), "file", suffix=".epub")
    assert isinstance(document, Document)
    return document


def told(document: Document) -> list[tuple[str, str]]:
    return [(document.text[start:].split("\n")[0], place["chapter"]) for start, place in document.places]


def test_chapters_may_begin_within_a_file() -> None:
    contents = {"a.xhtml#one": "I", "a.xhtml#two": "II", "a.xhtml#four": "III", "b.xhtml": "IV"}
    document = book({"a.xhtml": PAGE, "b.xhtml": "<p>Fifth.</p>"}, contents)
    assert told(document) == [("Before.", "I"), ("Second mark.", "II"), ("Fourth.", "III"), ("Fifth.", "IV")]
    assert [path for _, path in document.sections] == ["One", "Two and a half", "III", "IV"]
    assert document.breaks == tuple(start for start, _ in document.places[1:])


def test_entries_below_that_of_a_whole_file_are_its_sections() -> None:
    nav = (
        '<html><body><nav><ol><li><a href="a.xhtml">One</a><ol><li><a href="a.xhtml#two">Two</a></li></ol></li>'
        '<li><a href="b.xhtml">Part</a><ol><li><a href="c.xhtml#x">X</a></li><li><a href="c.xhtml#y">Y</a></li></ol></li></ol></nav></body></html>'
    )
    pages = {"a.xhtml": PAGE, "b.xhtml": "<p>Part.</p>", "c.xhtml": '<p id="x">Of x.</p><p id="y">Of y.</p>'}
    document = book(pages, {}, **{"OPS/nav.xhtml": nav})
    assert told(document) == [("Before.", "One"), ("Part.", "Part"), ("Of x.", "X"), ("Of y.", "Y")]


def test_how_characters_are_read_stands_behind_all_of_them() -> None:
    ruby = "<p>これは<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>と<ruby>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby>。</p>"
    assert book({"a.xhtml": ruby}, {}).text == "これは漢字(かんじ)と字(じ)。"
    [page] = read_text(f"<html><body>{ruby}</body></html>".encode(), "file", suffix=".html")
    assert isinstance(page, Document) and page.text == "これは漢字(かんじ)と字(じ)。"


def test_what_is_hidden_is_not_read() -> None:
    assert book({"a.xhtml": '<p>a</p><p style="display:none" class="x">no</p><p hidden="">no</p>'}, {}).text == "a"


def test_numbers_of_printed_pages_are_no_words_and_chapters_may_begin_at_them() -> None:
    page = (
        '<p>A long w<span epub:type="pagebreak" id="p2" title="2">2</span>ord.</p><div role="doc-pagebreak" id="p3">[Page iii]</div>'
        '<p>Second <a epub:type="pagebreak" id="p4"/>one.</p>'
    )
    document = book({"a.xhtml": page}, {"a.xhtml": "I", "a.xhtml#p3": "II"})
    assert document.text == "A long word.\n\nSecond one."
    assert told(document) == [("A long word.", "I"), ("Second one.", "II")]


def test_a_file_that_the_contents_name_before_elements_of_it_is_a_chapter_up_to_these() -> None:
    document = book({"a.xhtml": PAGE}, {"a.xhtml": "I", "a.xhtml#two": "II"})
    assert told(document) == [("Before.", "I"), ("Second mark.", "II")]
