"""Comments on documents: they stand under what they are on, with who made them."""

from typing import Any

from made_office import W, docx, odt, pptx, relations, shape
from test_embedded import holding

from searcher.readers import read_text


def read(data: bytes, suffix: str) -> Any:
    return next(iter(read_text(data, "file", suffix=suffix)))


def test_a_comment_of_word_stands_below_its_paragraph() -> None:
    body = (
        '<w:p><w:commentRangeStart w:id="0"/><w:r><w:t>The mill is idle.</w:t></w:r><w:commentRangeEnd w:id="0"/>'
        '<w:r><w:commentReference w:id="0"/></w:r></w:p><w:p><w:r><w:t>It rains.</w:t></w:r></w:p>'
    )
    said = "<w:p><w:r><w:annotationRef/></w:r><w:r><w:t>Since when?</w:t></w:r></w:p><w:p><w:r><w:t>Ask Tom.</w:t></w:r></w:p>"
    comments = f'<w:comments xmlns:w="{W}"><w:comment w:id="0" w:author="Ann Hill">{said}</w:comment></w:comments>'
    members = {
        "word/_rels/document.xml.rels": relations({"c": ("comments", "comments.xml")}),
        "word/comments.xml": comments,
    }
    found = read(holding(docx(body), members), ".docx")
    assert found.text == "The mill is idle.\n\n[Ann Hill: Since when? Ask Tom.]\n\nIt rains."


def test_comments_of_a_slide_stand_at_its_end_of_older_and_newer_programs() -> None:
    older = "<p:cmLst xmlns:p='p'><p:cm><p:text>Too long.</p:text></p:cm></p:cmLst>"
    newer = (
        "<p:cmLst xmlns:p='p' xmlns:a='a'><p:cm><p:replyLst><p:reply><p:txBody><a:p><a:r><a:t>I agree.</a:t></a:r></a:p></p:txBody>"
        "</p:reply></p:replyLst><p:txBody><a:p><a:r><a:t>A new map?</a:t></a:r></a:p></p:txBody></p:cm></p:cmLst>"
    )
    rels = relations({"c": ("comments", "../comments/1.xml"), "d": ("comments", "../comments/2.xml")})
    members = {"ppt/slides/_rels/slide1.xml.rels": rels, "ppt/comments/1.xml": older, "ppt/comments/2.xml": newer}
    found = read(holding(pptx([shape("One", "title")]), members), ".pptx")
    assert found.text == "One\n\n[Too long.]\n\n[A new map?]\n\n[I agree.]"
    assert found.places == ((0, {"slide": 1}),)


def test_comments_of_open_document_stand_below_paragraphs_and_sheets() -> None:
    note = "<office:annotation><dc:creator xmlns:dc='dc'>Ann</dc:creator><dc:date xmlns:dc='dc'>2024</dc:date><text:p>Since when?</text:p></office:annotation>"
    assert (
        read(odt(f"<text:p>Idle{note}.</text:p><text:p>Rain.</text:p>"), ".odt").text
        == "Idle.\n\n[Ann: Since when?]\n\nRain."
    )
    cell = f"<table:table-cell>{note}<text:p>12</text:p></table:table-cell>"
    sheet = f'<table:table table:name="Oil"><table:table-row>{cell}</table:table-row></table:table>'
    assert read(odt(sheet, "spreadsheet"), ".ods").text == "Oil\n\n12\n[A1, Ann: Since when?]"
